"""Runs async functions and scripts in this process, for test suites.

The program runs as in `assert_same_schedule()`: on virtual time, with its output recorded.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from types import CodeType
from typing import Any

import miniloop

from ..details import current
from ..difftest import written
from ..difftest.known import replaced
from ..difftest.programs import FILE_NAME
from ..difftest.sides import Side
from ..difftest.surroundings import DEEPEST, HANGS, quiet
from . import words
from .choices import OWN, Choice, Choices, Plan
from .permutation import FILES, Permutation
from .rules import selected
from .search import NotAgain, Outcome, Report, Search

RUNS = 200
"""How many runs a program gets."""

SECONDS = 10.0
"""How many seconds."""


def assert_relies_on_nothing(
    program: str | Callable[[], Coroutine[Any, Any, Any]],
    *,
    rules: Iterable[str] = (),
    without: Iterable[str] = (),
    runs: int = RUNS,
    seconds: float = SECONDS,
    seed: int = 0,
) -> None:
    """Fail if what a program shows depends on a rule that asyncio does not promise.

    `program` is an async function without parameters, or the source text of a script. It runs on
    miniloop, on virtual time, at most `runs` times and for `seconds` seconds. What counts are the
    lines that it prints, what it returns or raises, and whether it ends. `rules` are the ids of
    the rules to break (by default all), `without` those to keep; `seed` decides what is tried by
    chance.

    Raises AssertionError if the program relies on something, if it is not the same in two runs on
    one schedule, or if it takes too long. Raises ValueError for the id of no rule, and RuntimeError
    in a thread that already runs a loop.
    """
    report = explored(program, rules=rules, without=without, runs=runs, seconds=seconds, seed=seed)
    if report.own.cut_off:
        raise AssertionError("the program takes too long, so nothing can be tried: make it shorter")
    if report.findings:
        found = ["\n".join(words.told(finding)) for finding in report.findings]
        raise AssertionError(
            "the program relies on what asyncio does not promise:\n\n" + "\n\n".join(found)
        )


def explored(
    program: str | Callable[[], Coroutine[Any, Any, Any]],
    *,
    rules: Iterable[str] = (),
    without: Iterable[str] = (),
    runs: int = RUNS,
    seconds: float = SECONDS,
    seed: int = 0,
) -> Report:
    """Return what a program relies on. Arguments and errors are as above."""
    permuted = selected(rules, without)
    if asyncio._get_running_loop() is not None or current._get_running_loop() is not None:
        raise RuntimeError("this cannot be called while an event loop is running")
    to_run: written.Written = program  # type: ignore[assignment]
    if isinstance(program, str):
        to_run = compile(program, FILE_NAME, "exec", dont_inherit=True)
    elif not callable(program):
        raise TypeError(f"program: give an async function or the text of a script, not {program!r}")
    with quiet(max(DEEPEST, sys.getrecursionlimit())):
        search = Search(
            lambda plan: run(to_run, plan, permuted),
            permuted,
            runs=runs,
            seconds=seconds,
            seed=seed,
        )
        try:
            return search.report()
        except NotAgain:
            raise AssertionError(
                "two runs on the same schedule differ, so nothing can be told: the program relies "
                "on something outside the loop, such as real time"
            ) from None


def run(program: written.Written, plan: Plan = OWN, rules: Iterable[str] = ()) -> Outcome:
    """Run a program once on a plan, inside `quiet()`."""
    made: list[Choice] = []
    permutation = Permutation(Choices(plan, rules, made.append))
    side = miniloop_side()
    printed: list[int] = []
    with replaced(permutation.places()):
        recorded = written.Run(side, program)
        recorder: Any = recorded.recorder
        recorder.tasks = deque(maxlen=0)  # those that nobody holds may go
        note = recorder.note

        def noting(who: str, what: str) -> None:
            if who == "print" and not recorder.stopped:
                printed.append(FILES.line(sys._getframe(1)))
            note(who, what)

        recorder.note = noting
        schedule = recorded.schedule()
    lines: list[tuple[str, int]] = []
    numbers = iter(printed)
    ends = ["comes to its end"]
    for _, _, who, what in schedule.rows:
        if who == "print":
            lines.append((what, next(numbers, 0)))
        elif who in ("handler", "logged"):
            lines.append((f"(report) {what}", 0))
        elif who == "main":
            ends.append(what)
        elif (
            not isinstance(program, CodeType)
            and who.endswith("#0")
            and what.startswith("send -> returned")
        ):
            ends.append(what.removeprefix("send -> "))
    if written.WAITS in ends:
        ends.append(written.WAITS)
    elif len(schedule.timeouts) > written.TICK_LIMIT:
        ends.append(f"is still running after {written.TICK_LIMIT:,} ticks")
    return Outcome(lines, ends[-1], made, cut_off=schedule.cut.startswith(HANGS))


@functools.cache
def miniloop_side() -> Side:
    """Return miniloop as a side, with its own TaskGroup, whose tasks are in no order."""
    module: Any = miniloop
    side = Side("miniloop", module, miniloop.EventLoop, miniloop.Task)
    side.stand_ins.pop("TaskGroup", None)
    return side
