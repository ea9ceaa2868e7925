"""What unittest reports of the tests, written down line by line.

Imports unittest, and with it asyncio: only to be imported once the stand-in is in place.
"""

import json
import traceback
import unittest
from collections.abc import Callable
from typing import Any, TextIO

from .on_interop import Count


class Result(unittest.TestResult):
    """Writes down each test's start and outcome: a pass if nothing else was said of it.

    The pass is said when the next test begins, as IsolatedAsyncioTestCase takes its loop down
    after unittest has called a test finished.
    """

    def __init__(
        self, lines: TextIO, prefix: str, before: Callable[[str], None], count: Count
    ) -> None:
        super().__init__()
        self._count = count
        self._lines = lines
        self._prefix = prefix
        self._before = before
        self._running = ""

    def say(self, outcome: str, detail: str | BaseException = "") -> None:
        if isinstance(detail, BaseException):
            detail = "".join(traceback.format_exception(detail, limit=-6))
        line = {
            "id": self._running,
            "outcome": outcome,
            "detail": detail,
            "ticks": self._count.ticks,
            "steps": self._count.steps,
        }
        self._lines.write(json.dumps(line) + "\n")
        self._lines.flush()

    def finish(self) -> None:
        if self._running:
            self.say("pass")

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self.finish()
        self._running = test.id().removeprefix(self._prefix)
        self._count.clear()
        self.say("start")
        self._before(self._running)

    def addError(self, test: Any, err: Any) -> None:
        if not isinstance(test, unittest.TestCase):  # what prepares a class or a file has failed
            self.finish()
            self._running = test.id()
        self.say("fail", err[1])

    addFailure = addError

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.say("fail", err[1])

    def addSkip(self, test: Any, reason: str) -> None:
        if isinstance(test, unittest.TestCase):
            if test.id().removeprefix(self._prefix) != self._running:
                self.startTest(test)  # 3.12.1 does not call it for a test that is skipped
            self.say("skip", reason)

    def addUnexpectedSuccess(self, test: Any) -> None:
        self.say("fail", "unexpected success")
