"""For a test: fail where a program, whoever wrote it, does not run alike on all loops."""

from __future__ import annotations

import asyncio
import inspect
import sys
import warnings
from collections.abc import Callable, Coroutine, Sequence
from types import CodeType
from typing import Any

from .. import running
from ..trace import Schedule
from ..trace.recorder import TOO_MANY
from . import surroundings, written
from .compare import Difference, comparable, compare, difference_of, one_hangs, recursion
from .known import WATCHES
from .programs import FILE_NAME, Program
from .sides import Side, side
from .surroundings import DEEPEST, ENDS_WITH, HANGS, quiet
from .written import run_written


class NotComparedFurther(UserWarning):
    """Two runs are alike up to a place after which nothing can be said of them."""


def assert_same_schedule(
    program: Program | str | Callable[[], Coroutine[Any, Any, Any]],
    loops: Sequence[str | Side] = ("asyncio", "miniloop"),
) -> None:
    """Fail, with both schedules side by side, unless the program runs alike on all loops.

    `program` is a `Program`, the source text of a script, or an async function without parameters
    (also a `functools.partial` or a lambda that makes its coroutine). While a function runs, what
    its module has of `asyncio` and of `time`, under whatever name, is the loop's own library and
    virtual time, and `print` is the recorder's log; in a script it is what it imports. Other
    modules keep the real ones, and so does what a module made of them before: a lock, or a class
    of its own built on `asyncio.Queue`. Jobs in threads (`asyncio.to_thread`) are done one at a
    time, while the loop has nothing to do; other threads, processes and peers outside the loop are
    not waited for (`miniloop compare` does).

    What is printed, returned or raised is compared as far as it is text, a number (floats to three
    digits), bytes, an enumeration, or a list, tuple, deque, set or dictionary of these; of other
    values the type counts, so print them as text. Of exceptions it is the arguments where the class
    is the program's own or one of `OWN_ARGUMENTS` (ValueError, KeyError, AssertionError, ...), the
    message of a group, the first words of a RuntimeError, and the type of others. Addresses are
    left out. Sets of tasks and futures are iterated in one order, and random numbers are seeded.

    `loops` are names (see `sides.KNOWN`) or `Side` objects; the first is what the others are held
    against.

    Raises AssertionError where two runs differ, and where they are alike but a script or function
    does not come to a good end: an exception ends it (also SystemExit, if it tells of a failure),
    it waits for ever, runs no loop, or runs for more than 10,000 ticks, 1,000,000 events or (in the
    main thread, where there is SIGALRM) 5 seconds of real time. Of a `Program`, which ends after 60
    ticks or 64 events, nothing of this is said.

    Warns of `NotComparedFurther` where two runs are alike up to a place after which nothing can be
    compared, which is nobody's fault: a difference of this Python's asyncio that is known, or a
    recursion that went too deep (if what follows it is not alike, too).

    Raises TypeError where `program` is none of these, ValueError where `loops` are fewer than two
    or unknown, RuntimeError in a thread that runs a loop already.
    """
    is_program = isinstance(program, Program)
    to_run = program if isinstance(program, Program) else _made_runnable(program)
    reference, *others = [loop if isinstance(loop, Side) else side(loop) for loop in loops]
    if not others:
        raise ValueError(f"loops: two or more, the first to hold the others against, not {loops!r}")
    if asyncio._get_running_loop() is not None or running._get_running_loop() is not None:
        raise RuntimeError("assert_same_schedule() cannot be called while an event loop is running")
    told: list[str] = []
    with quiet(DEEPEST if is_program else max(DEEPEST, sys.getrecursionlimit())):
        for other in others:
            if isinstance(to_run, Program):
                found = compare(to_run, reference, other)
            else:
                (one, ended), (another, _) = [
                    run_written(loop, to_run) for loop in (reference, other)
                ]
                found = difference_of(None, reference, other, one, another)
                if one_hangs(one, another):
                    slow = reference if one.cut == HANGS else other
                    raise AssertionError(
                        f"on {slow.name} it {takes_too_long()}, or see what blocks"
                    )
                if found is None:
                    names = f"{reference.name} and {other.name}"
                    if reason := too_little(one, another) or bad_end(one, another, ended):
                        raise AssertionError(f"{names} run alike, but it {reason}\n\n{ended}")
                    if one_recurses(one, another):
                        found = Difference(None, reference.name, other.name, one, another)
                    elif reason := not_further(one, another):
                        told.append(f"{names} are compared {reason}")
            if found is not None:
                raise AssertionError(
                    f"{other.name} does not run this as {reference.name} does:\n\n"
                    + found.text(context=None if is_program else CONTEXT)
                    + hint(found)
                )
    for text in told:  # not above: `quiet` lets no warning through
        warnings.warn(text, NotComparedFurther, stacklevel=2)


CONTEXT = 50
"""Lines before and after the first difference that are shown of what may have a million."""


def _made_runnable(program: Any) -> CodeType | Callable[..., Any]:
    """A script, compiled, or a function that can be called."""
    if isinstance(program, str):
        code: CodeType = compile(program, FILE_NAME, "exec", dont_inherit=True)
        return code
    if not callable(program):
        raise TypeError(f"a Program, a script's text or an async function, not {program!r}")
    try:
        inspect.signature(program).bind()
    except TypeError as error:
        raise TypeError(f"an async function without parameters: {error} of {program!r}") from None
    return program  # type: ignore[no-any-return]


def takes_too_long() -> str:
    """What is said of what runs for too long."""
    return f"takes more than {surroundings.LONGEST:g} seconds of real time: make it shorter"


def too_little(one: Schedule, other: Schedule) -> str:
    """Why two runs that agree were ended, if somebody can mend that; empty if not."""
    for schedule in (one, other):
        # Only of what all that was compared belongs to.
        if schedule.cut and comparable(schedule) == min(comparable(one), comparable(other)):
            if schedule.cut.startswith(HANGS):
                return takes_too_long()
            if schedule.cut.startswith(TOO_MANY):
                return f"has more than {written.EVENT_LIMIT:,} events: make it shorter"
    return ""


def bad_end(one: Schedule, other: Schedule, ended: str) -> str:
    """Why two runs that are alike to their end did not come to a good one; empty if they did."""
    if one != other or one.cut:
        return ""
    if len(one.timeouts) > written.TICK_LIMIT:
        return f"runs for more than {written.TICK_LIMIT:,} ticks: make it shorter"
    of_main = [what for _, _, who, what in one.rows if who == "main"]
    if written.WAITS in of_main:
        return (
            "waits for ever: nothing is ready and no timer is set "
            "(for threads of your own and processes there is `miniloop compare`)"
        )
    if ended:
        how = next(what for what in reversed(of_main) if what.startswith(ENDS_WITH))
        return f"{how}: catch what is meant to be raised"
    if not one.timeouts:
        return "runs no event loop that is recorded: use asyncio.run() or asyncio.new_event_loop()"
    return ""


def one_recurses(one: Schedule, other: Schedule) -> bool:
    """Whether only one of two runs that are recorded to their end has a recursion."""
    return not (one.cut or other.cut) and recursion(one) != recursion(other)


def not_further(one: Schedule, other: Schedule) -> str:
    """Up to where two runs can be compared, and why not further; empty if to their end."""
    # Within one tick either may have come first.
    first = min(one, other, key=lambda schedule: (comparable(schedule)[1], not schedule.cut))
    if one == other and not first.cut:
        return ""
    _, tick = comparable(first)
    if comparable(first) == (len(first.rows), len(first.timeouts)):
        if first.cut in WATCHES:
            known = f"this Python's asyncio is known to differ there ({first.cut})"
            return f"up to tick {tick} only: {known}"
        return f"up to tick {tick} only: {first.cut}"
    return f"before tick {tick} only: a recursion went too deep in it"


def hint(found: Difference) -> str:
    """What may be behind a difference that is of no loop's making."""
    for schedule in (found.left, found.right):
        for _, _, _, what in schedule.rows:
            if "RuntimeError(no running event" in what or what.endswith("AttributeError()"):
                return (
                    "\n\n(Does a function import asyncio itself, or another module, or has "
                    "something been made of asyncio before? Only what the program's own module "
                    "imports is the loop's own library, and only while it runs.)"
                )
    return ""
