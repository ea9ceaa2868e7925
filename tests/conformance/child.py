"""Runs the tests of one file in this process and writes one JSON line per test.

Started by ``score.py`` as ``python -m tests.conformance.child ORDER``, where ORDER is JSON:

    module      the test file, such as "test_tasks"
    only        ids to run, or null for all
    skip        ids not to run (patterns)
    inside      what the tests get as asyncio: "stand-in" (facade.py) or "asyncio" (on_interop.py)
    stand_in    ids (patterns) that run inside the stand-in,
    but_not     but for these; the others run inside asyncio
    package     the implementation under test, such as "miniloop"
    loop        "module:Class", the loop that the tests get, or null for the implementation's own
    interop     ids (patterns) that run on another loop, interop_loop, given in the same way
    limit       seconds that one test may take
    results     the file to write to

Outcomes are pass, fail, skip, and "start", which stands alone where the process ended in mid-test.
"""

import asyncio  # the real one, before the stand-in takes its name
import faulthandler
import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .facade import Facade
from .on_interop import Count, install
from .register import matches
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
        """Give a new test its time."""
        self._deadline = self._clock() + self.limit
        faulthandler.dump_traceback_later(self.limit * 1.5 + 1, exit=True)

    def run(self) -> None:
        while True:
            self._sleep(0.1)
            if self._clock() > self._deadline:
                signal.pthread_kill(self._main, signal.SIGUSR2)

    def _interrupt(self, signum: int, frame: object) -> None:
        if self._clock() > self._deadline:
            raise TimeLimit(f"more than {self.limit:g} s")


def load(spec: str | None) -> Any:
    """The object that "module:name" names."""
    if spec is None:
        return None
    module, _, name = spec.partition(":")
    return getattr(importlib.import_module(module), name)


def prepare(order: dict[str, Any], count: Count) -> Callable[[str], None]:
    """Put into place what the tests import as asyncio; return what to do before each test."""
    if order["inside"] == "asyncio":
        if order["interop_loop"] is not None:
            install(load(order["interop_loop"]), count)
        return lambda name: None

    sys.modules["_asyncio"] = None  # type: ignore[assignment]  # nothing below gets asyncio's C code
    facade = Facade(order["package"])
    loop_class = load(order["loop"])
    interop_loop = load(order["interop_loop"])
    facade.install()
    facade.use_loop(loop_class)

    def before(name: str) -> None:
        on_interop = interop_loop is not None and matches(name, order["interop"])
        facade.use_loop(interop_loop if on_interop else loop_class)

    return before


def run(order: dict[str, Any]) -> int:
    # A shell that starts a job in the background has it ignore SIGINT; the runners' tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    count = Count()
    prepare_test = prepare(order, count)

    # From here on, "import asyncio" gets what was put into its place.
    import unittest

    from test.test_asyncio import utils

    from .result import Result

    utils.TestLoop = make_test_loop_class(sys.modules["asyncio"].SelectorEventLoop)
    reads_c_task = {"test_futures2"}
    if sys.version_info >= (3, 14):
        reads_c_task.add("test_eager_task_factory")
    if order["module"] in reads_c_task:
        # They read this name in the bodies of classes whose tests are not to run.
        sys.modules["asyncio.tasks"]._CTask = None
    module = importlib.import_module(PREFIX + order["module"])
    suite = unittest.TestSuite()
    for class_suite in unittest.defaultTestLoader.loadTestsFromModule(module):
        for test in class_suite:
            name = test.id().removeprefix(PREFIX)
            stand_in = matches(name, order["stand_in"]) and not matches(name, order["but_not"])
            if (
                (order["only"] is None or matches(name, order["only"]))
                and stand_in == (order["inside"] == "stand-in")
                and not matches(name, order["skip"])
            ):
                suite.addTest(test)

    watchdog = Watchdog(order["limit"])
    watchdog.start()

    def before(name: str) -> None:
        prepare_test(name)
        watchdog.watch()

    with Path(order["results"]).open("a", encoding="utf-8") as results:
        result = Result(results, PREFIX, before, count)
        try:
            suite.run(result)
        except TimeLimit as limit:  # in what unittest does after a test, or between two
            result.say("fail", limit)
            return 1
        result.finish()
        return 0


if __name__ == "__mp_main__":  # a process that a test has spawned, with our sys.argv
    prepare(json.loads(sys.argv[1]), Count())

if __name__ == "__main__":
    status = run(json.loads(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads that a test left behind must not keep the process
