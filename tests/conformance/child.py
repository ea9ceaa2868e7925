"""Runs the tests of one file in this process and writes one JSON line per test.

Started by ``score.py`` as ``python -m tests.conformance.child ORDER``, where ORDER is JSON:

    module      the test file, such as "test_tasks"
    only        ids to run, or null for all
    skip        ids not to run (patterns)
    package     the implementation under test, such as "miniloop"
    loop        "module:Class", the loop that the tests get, or null for the implementation's own
    interop     ids (patterns) that run on another loop, interop_loop, given in the same way
    limit       seconds that one test may take
    results     the file to write to

Outcomes are pass, fail, skip, and "start", which stands alone where the process ended in mid-test.
"""

import asyncio  # the real one, before the stand-in takes its name
import faulthandler
import fnmatch
import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from .facade import Facade
from .testloop import make_test_loop_class

PREFIX = "test.test_asyncio."
assert asyncio.sleep


class TimeLimit(SystemExit):
    """Raised in a test that takes too long. A SystemExit, as loops let nothing else through."""


class Watchdog(threading.Thread):
    """Interrupts the main thread when a test is over its time.

    A thread and not an interval timer, which some tests use for themselves; one for all tests,
    as they count threads. If a test does not react, faulthandler shows where it hangs and ends the
    process.
    """

    def __init__(self, limit: float) -> None:
        super().__init__(daemon=True)
        self.limit = limit
        self._main = threading.main_thread().ident
        self._clock, self._sleep = time.monotonic, time.sleep  # tests replace them by mocks
        self._deadline = float("inf")
        signal.signal(signal.SIGUSR2, self._interrupt)

    def watch(self) -> None:
        self._deadline = self._clock() + self.limit
        faulthandler.dump_traceback_later(self.limit * 1.5 + 1, exit=True)

    def rest(self) -> None:
        self._deadline = float("inf")
        faulthandler.cancel_dump_traceback_later()

    def run(self) -> None:
        while True:
            self._sleep(0.1)
            if self._clock() > self._deadline:
                signal.pthread_kill(self._main, signal.SIGUSR2)

    def _interrupt(self, signum: int, frame: object) -> None:
        if self._clock() > self._deadline:
            raise TimeLimit(f"more than {self.limit:g} s")


def matches(test_id: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(test_id, pattern) for pattern in patterns)


def load(spec: str | None) -> Any:
    """The object that "module:name" names."""
    if spec is None:
        return None
    module, _, name = spec.partition(":")
    return getattr(importlib.import_module(module), name)


def run(order: dict[str, Any]) -> None:
    # A shell that starts a job in the background has it ignore SIGINT; the runners' tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.modules["_asyncio"] = None  # type: ignore[assignment]  # nothing below gets asyncio's C code
    facade = Facade(order["package"])
    loop_class = load(order["loop"])
    interop_loop = load(order["interop_loop"])
    facade.install()
    facade.use_loop(loop_class)

    import unittest

    from test.test_asyncio import utils

    utils.TestLoop = make_test_loop_class(sys.modules["asyncio"].SelectorEventLoop)
    watchdog = Watchdog(order["limit"])
    watchdog.start()

    class Result(unittest.TestResult):
        """Writes down each test's start and outcome: a pass if nothing else was said of it."""

        def say(self, test: Any, outcome: str, detail: str = "") -> None:
            name = test.id().removeprefix(PREFIX)
            results.write(json.dumps({"id": name, "outcome": outcome, "detail": detail}) + "\n")
            results.flush()

        def startTest(self, test: Any) -> None:
            super().startTest(test)
            name = test.id().removeprefix(PREFIX)
            on_interop = interop_loop is not None and matches(name, order["interop"])
            facade.use_loop(interop_loop if on_interop else loop_class)
            self.say(test, "start")
            watchdog.watch()

        def stopTest(self, test: Any) -> None:
            watchdog.rest()
            super().stopTest(test)
            self.say(test, "pass")

        def addSkip(self, test: Any, reason: str) -> None:
            self.say(test, "skip", reason)

        def addFailure(self, test: Any, err: Any) -> None:
            self.say(test, "fail", describe(err))

        addError = addFailure

        def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
            if err is not None:
                self.say(test, "fail", describe(err))

        def addExpectedFailure(self, test: Any, err: Any) -> None:
            pass

        def addUnexpectedSuccess(self, test: Any) -> None:
            self.say(test, "fail", "unexpected success")

    if order["module"] == "test_futures2":
        # It reads this name in a class body, also where the class is to be skipped.
        sys.modules["asyncio.tasks"]._CTask = None
    module = importlib.import_module(PREFIX + order["module"])
    suite = unittest.TestSuite()
    for class_suite in unittest.defaultTestLoader.loadTestsFromModule(module):
        for test in class_suite:
            name = test.id().removeprefix(PREFIX)
            wanted = order["only"] is None or matches(name, order["only"])
            if wanted and not matches(name, order["skip"]):
                suite.addTest(test)
    with Path(order["results"]).open("a", encoding="utf-8") as results:
        suite.run(Result())


def describe(err: Any) -> str:
    return "".join(traceback.format_exception(*err, limit=-6))


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
    # Threads that a test left behind must not keep the process.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
