"""For a test: fail where a program, whoever wrote it, does not run alike on all loops."""

from __future__ import annotations

import asyncio
import inspect
import sys
import warnings
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import miniloop

from ..details import current
from ..trace import Schedule
from ..trace.recorder import TOO_MANY
from . import surroundings, written
from .compare import Difference, comparable, difference_of, one_hangs, recursion
from .foreign import Match
from .known import WATCHES
from .loops import LoopKind
from .programs import FILE_NAME, Program
from .sides import Side, side
from .surroundings import DEEPEST, ENDS_WITH, HANGS, never_awaited, quiet
from .written import Written, run_written


class NotComparedFurther(UserWarning):
    """Two runs are alike up to a place after which nothing can be said of them."""


DEFAULT = ("asyncio", "miniloop")


def assert_same_schedule(
    program: Program | str | Callable[[], Coroutine[Any, Any, Any]],
    loops: Sequence[str | Side | LoopKind | Callable[..., Any]] = DEFAULT,
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

    `loops` are two or more loops; the first is what the others are held against. Each is a loop
    class, a function that makes a loop, the text `module:name` of one of these, a name of
    `sides.KNOWN`, or a `Side`. A loop that takes a selector is given one that counts ticks and
    moves virtual time. One that takes none runs in real time, and only the order of events is
    compared; `NotComparedFurther` says so if the runs agree, and the first line of the error if
    they do not. What differs must do so three times in a row.

    A program that awaits a library that imports asyncio (async_timeout, anyio, ...) cannot run on
    miniloop's core. If `loops` are not given, asyncio is held against `miniloop.interop` then.

    Warns of RuntimeWarning where a coroutine of the program's was never awaited.

    Raises AssertionError where two runs differ, and where they are alike but a script or function
    does not come to a good end: an exception ends it (also SystemExit, if it tells of a failure),
    it waits for ever, runs no loop, or runs for more than 10,000 ticks, 1,000,000 events or (in the
    main thread, where there is SIGALRM) 5 seconds of real time. Of a `Program`, which ends after 60
    ticks or 64 events, nothing of this is said.

    Warns of `NotComparedFurther` where two runs are alike up to a place after which nothing can be
    compared, which is nobody's fault: a difference of this Python's asyncio that is known, or a
    recursion that went too deep (if what follows it is not alike, too).

    Raises TypeError where `program` is none of these, or one of `loops` is nothing of that kind,
    ValueError where `loops` are fewer than two or unknown, or one cannot be made, RuntimeError in a
    thread that runs a loop already.
    """
    to_run = program if isinstance(program, Program) else _made_runnable(program)
    if asyncio._get_running_loop() is not None or current._get_running_loop() is not None:
        raise RuntimeError("assert_same_schedule() cannot be called while an event loop is running")
    reference, *others = map(side, loops)
    if not others:
        raise ValueError(f"loops: two or more, the first to hold the others against, not {loops!r}")
    found = Findings()
    for other in others:
        try:
            found.add(_hold(to_run, reference, other))
        except NeedsAsyncio:
            if loops is not DEFAULT:
                raise
            found.add(_hold(to_run, reference, side("interop")))
    for text in dict.fromkeys(found.not_further):  # not above: `quiet` lets no warning through
        warnings.warn(text, NotComparedFurther, stacklevel=2)
    for text in dict.fromkeys(found.never_awaited):
        warnings.warn(text, RuntimeWarning, stacklevel=2)


@dataclass
class Findings:
    """What is to be known of runs that agree."""

    not_further: list[str] = field(default_factory=list)
    never_awaited: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Take over what is to be known of two more runs."""
        self.not_further += other.not_further
        self.never_awaited += other.never_awaited


class NeedsAsyncio(AssertionError):
    """The program differs on miniloop's core because something in it asks the real asyncio."""


def _hold(to_run: Program | Written, reference: Side, other: Side) -> Findings:
    """Raise AssertionError unless it runs alike on both; return what else is to be known."""
    found = Findings()
    is_program = isinstance(to_run, Program)
    match = Match(reference, other)
    in_order = "".join(f"{note}\n" for note in match.notes)
    names = f"{reference.name} and {other.name}"
    with quiet(DEEPEST if is_program else max(DEEPEST, sys.getrecursionlimit())):
        ends = ""
        if isinstance(to_run, Program):
            difference = match.difference(match.fit(to_run), 1 if match.exact else TIMES)
        else:
            try:
                difference, more = _held(to_run, match, found)
            except Bad as error:
                raise AssertionError(f"{in_order}{error}") from None
            if difference is not None:
                ends = more
            elif more:
                found.not_further.append(f"{names} are compared {more}")
    if difference is not None:
        kind, hint = AssertionError, ""
        if miniloop in (reference.module, other.module):
            asks = not is_program and asks_asyncio(difference)
            kind = NeedsAsyncio if asks else AssertionError
            hint = HINT if asks or lacks_something(difference) else ""
        raise kind(
            f"{in_order}{other.name} does not run this as {reference.name} does:\n\n"
            + difference.text(context=None if is_program else CONTEXT)
            + ends
            + hint
        )
    found.not_further += match.notes
    return found


class Bad(Exception):
    """Why a program cannot be compared, in a sentence."""


def _held(to_run: Written, match: Match, found: Findings) -> tuple[Difference | None, str]:
    """How what somebody has written differs, and what else is to be said.

    That is what ended only one of the sides, or up to where they are compared.
    """
    reference, other = match.left, match.right
    for _ in range(1 if match.exact else TIMES):
        with never_awaited(found.never_awaited):
            one, ended = run_written(reference, to_run)
            if not match.exact and (reason := would_block(one)):
                raise Bad(f"on {reference.name} it {reason}")
            another, other_ended = run_written(other, to_run)
        left, right = match.seen(one, another)
        if one_hangs(left, right):
            slow = reference if left.cut == HANGS else other
            raise Bad(f"on {slow.name} it {takes_too_long()}, or see what blocks")
        difference = difference_of(None, reference, other, left, right)
        if difference is None:
            break
    else:
        for name, how in ((reference.name, ended), (other.name, other_ended)):
            if how and not (ended and other_ended):  # else they may well end alike
                return difference, f"\n\n{name} ends with\n\n{how}"
        return difference, ""
    if reason := too_little(left, right) or bad_end(left, right, ended, match.exact):
        how = f"\n\n{ended}" if reason.startswith(ENDS_WITH) else ""
        raise Bad(f"{reference.name} and {other.name} run alike, but it {reason}{how}")
    if one_recurses(left, right):
        return Difference(None, reference.name, other.name, left, right), ""
    return None, not_further(left, right)


TIMES = 3
"""So often must differ what runs in real time."""

CONTEXT = 50
"""Lines before and after the first difference that are shown of what may have a million."""


def _made_runnable(program: Any) -> Written:
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


def would_block(schedule: Schedule) -> str:
    """Why a run need not be tried in real time, which would take as long; empty if it can be."""
    if any(who == "main" and what == written.WAITS for _, _, who, what in schedule.rows):
        return WAITS_FOR_EVER
    if schedule.cut.startswith(HANGS):
        return takes_too_long()
    return too_many_ticks() if len(schedule.timeouts) > written.TICK_LIMIT else ""


def too_many_ticks() -> str:
    """What is said of what runs for too many ticks."""
    return f"runs for more than {written.TICK_LIMIT:,} ticks: make it shorter"


WAITS_FOR_EVER = (
    "waits for ever: nothing is ready and no timer is set "
    "(for threads of your own and processes there is `miniloop compare`)"
)


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


def bad_end(one: Schedule, other: Schedule, ended: str, exact: bool) -> str:
    """Why two runs that are alike to their end did not come to a good one; empty if they did."""
    if one != other or one.cut:
        return ""
    if len(one.timeouts) > written.TICK_LIMIT:
        return too_many_ticks()
    of_main = [what for _, _, who, what in one.rows if who == "main"]
    if written.WAITS in of_main:
        return WAITS_FOR_EVER
    if ended:
        how = next(what for what in reversed(of_main) if what.startswith(ENDS_WITH))
        return f"{how}: catch what is meant to be raised"
    if exact and not one.timeouts:
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


def asks_asyncio(found: Difference) -> bool:
    """Whether on one side something has asked a library for the loop of another."""
    one, other = (
        any("RuntimeError(no running event" in what for _, _, _, what in schedule.rows)
        for schedule in (found.left, found.right)
    )
    return one != other


def lacks_something(found: Difference) -> bool:
    """Whether something has been asked for an attribute that it may only have elsewhere."""
    rows = [*found.left.rows, *found.right.rows]
    return any(what.endswith("AttributeError()") for _, _, _, what in rows)


HINT = (
    "\n\n(Does a function import asyncio itself, or another module, or has something been made of "
    "asyncio before? Only what the program's own module imports is the loop's own library, and "
    "only while it runs. A program that awaits a library that imports asyncio can be compared "
    "with loops=('asyncio', 'interop').)"
)
