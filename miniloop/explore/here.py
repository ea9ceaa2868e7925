"""Runs async functions and scripts in forks of this process, for test suites.

The program runs as in `assert_same_schedule()`: on virtual time, with its output recorded.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from types import CodeType
from typing import Any

from ..details import current
from ..difftest.programs import FILE_NAME
from ..difftest.sides import side
from ..difftest.surroundings import DEEPEST, quiet
from ..difftest.written import Written, run_written
from ..trace.scripts import ScriptRecorder
from . import words
from .choices import OWN, Plan
from .permutation import permute
from .rules import selected
from .search import NotAgain, Outcome, Report, Search, outcome

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
    miniloop, on virtual time, at most `runs` times and for `seconds` seconds, each time in a fork
    of this process (see `miniloop.testing.assert_same_schedule`). What counts are the lines that it
    prints, what it returns or raises, and whether it ends. `rules` are the ids of the rules to
    break (by default all), `without` those to keep; `seed` decides what is tried by chance.

    Raises AssertionError if the program relies on something, if it is not the same in two runs on
    one schedule, or if it takes too long. Raises ValueError for the id of no rule, and RuntimeError
    in a thread that already runs a loop, or where the system has no `os.fork()`.
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
    to_run: Written = program  # type: ignore[assignment]
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


def run(program: Written, plan: Plan = OWN, rules: Sequence[str] = ()) -> Outcome:
    """Run a program once on a plan, inside `quiet()`."""

    def prepare(recorder: ScriptRecorder) -> None:
        recorder.tasks = deque(maxlen=0)  # those that nobody holds may go
        permute(recorder, plan.token(), rules)

    found = outcome(run_written(side("miniloop"), program, prepare))
    if not isinstance(program, CodeType):
        found.end = found.returned or found.end
    return found
