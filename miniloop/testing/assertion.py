"""`assert_same_schedule()`: fail in a test if a program does not run alike on all loops."""

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
from ..difftest import surroundings, written
from ..difftest.compare import Difference, agree, comparable, difference_of, one_hangs, recursion
from ..difftest.foreign import Match
from ..difftest.known import WATCHES
from ..difftest.loops import LoopKind
from ..difftest.programs import FILE_NAME, Program
from ..difftest.real_time import Order, order
from ..difftest.scripts import Run
from ..difftest.sides import Side, side
from ..difftest.surroundings import DEEPEST, ENDS_WITH, HANGS, quiet
from ..difftest.written import Written, run_written
from ..lab.broken import BrokenLoop
from ..lab.diagnosis import named, rules_broken
from ..trace import Schedule
from ..trace.scripts import NEVER_AWAITED


class NotComparedFurther(UserWarning):
    """Two runs are alike up to a place, and cannot be compared after it."""


DEFAULT = ("asyncio", "miniloop")


def assert_same_schedule(
    program: Program | str | Callable[[], Coroutine[Any, Any, Any]],
    loops: Sequence[str | Side | LoopKind | Callable[..., Any]] = DEFAULT,
) -> None:
    """Fail, and show both schedules side by side, unless a program runs alike on all loops.

    `program` is an async function without parameters (or a `functools.partial` or a lambda that
    makes its coroutine), the source text of a script, or a `Program`. `loops` are two or more
    loops. The first is the reference: the others are compared with it.

    **Where it runs.** A script or function runs in a fork of this process, once for each loop. It
    has all objects that the test has made, and is recorded as `miniloop compare` records a script.
    What it changes is gone afterwards: if it appends to a list of the test's, the test does not see
    that. So let it print or return what counts. The threads of a fixture do not run in the fork,
    and its sockets are shared with this process. What the program writes to stderr appears when it
    has ended. To measure its coverage, tell coverage.py `patch = _exit`. A `Program`
    runs in this process.

    **What the program gets.** In a script, `import asyncio` gives the loop's own library. For a
    function, the names in its module that mean `asyncio` or `time`, or something from them, mean
    the loop's own library and virtual time. Other modules keep the real asyncio, but `time` and
    `sys.stdout` are those of the run everywhere. Objects that were made before, such as a lock, or
    a class built on `asyncio.Queue`, stay as they are. Threads that the program starts take turns:
    one runs while the loop has nothing to do, until it waits itself. If the program waits for
    sockets of other processes, or for signals or processes, time passes really, only the order of
    events is compared, and a `NotComparedFurther` warning says so.

    **What is compared.** Printed lines, as text, and values that tasks return or raise, if they are
    text, numbers (floats to three digits), bytes, enumerations, or lists, tuples, deques, sets or
    dictionaries of these. Of other values only the type is compared, so print them as text. Of an
    exception, the arguments are compared if its class is the program's own or one of
    `OWN_ARGUMENTS` (ValueError, KeyError, AssertionError, ...). Otherwise its type is compared,
    with the message of a group and the first words of a RuntimeError. Addresses are left out, and
    digits past the millisecond. Sets of tasks and futures are iterated in one order, and random
    numbers are seeded. What the loop logs, and hooks that the program leaves behind, do not count.

    **Loops.** Each is a loop class, a function that makes a loop, the text `module:name` of one of
    these, a name of `sides.KNOWN`, or a `Side`. A loop that takes a selector gets one that counts
    ticks and moves virtual time. A loop that takes none runs in real time, only the order of events
    is compared, and a difference counts only if it shows three times in a row. The first line of
    the error says so, or a `NotComparedFurther` warning if the runs agree. If the program awaits a
    library that imports asyncio (async_timeout, anyio, ...), it cannot run on miniloop's core. In
    that case, unless `loops` is given, asyncio is compared with `miniloop.interop`.

    **Which rule.** If two runs differ, the program also runs on each loop of `miniloop.lab`, for at
    most five seconds. If one of these does as the second loop does, the error names the rule that
    it breaks. Nothing is said if miniloop itself differs from the reference on this program.

    Raises AssertionError if two runs differ. Also raises it if they are alike, but a script or
    function does not come to a good end: an exception ends it (or a SystemExit that tells of a
    failure), its process crashes or is left by `os._exit`, it waits for ever, it runs no loop, or
    it takes more than 10,000 ticks or 5 seconds of real time. A `Program` ends after 60 ticks or 64
    events, and is not checked for this.

    Warns with `NotComparedFurther` if two runs are alike up to a place after which nothing can be
    compared, and differ after it: a known difference of this Python's asyncio, or a recursion that
    went too deep in a task. Warns with RuntimeWarning if a coroutine of the program was never
    awaited.

    Raises TypeError if `program` or one of `loops` has the wrong type, ValueError if there are
    fewer than two loops, or one is unknown or cannot be made, and RuntimeError in a thread that
    already runs a loop, or where the system has no `os.fork()` (there, use `miniloop compare`).
    """
    to_run = program if isinstance(program, Program) else _made_runnable(program)
    if asyncio._get_running_loop() is not None or current._get_running_loop() is not None:
        raise RuntimeError("assert_same_schedule() cannot be called while an event loop is running")
    reference, *others = map(side, loops)
    if not others:
        raise ValueError(f"loops: give two or more, of which the first is the reference: {loops!r}")
    found = Findings()
    for other in others:
        try:
            found.add(_hold(to_run, reference, other))
        except NeedsAsyncio:
            if loops is not DEFAULT:
                raise
            found.add(_hold(to_run, reference, side("interop")))
    for text in dict.fromkeys(found.not_further):  # only now: `quiet` lets no warning through
        warnings.warn(text, NotComparedFurther, stacklevel=2)
    for text in dict.fromkeys(found.never_awaited):
        warnings.warn(text, RuntimeWarning, stacklevel=2)


@dataclass
class Findings:
    """What a reader has to know of runs that agree."""

    not_further: list[str] = field(default_factory=list)
    never_awaited: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Add the findings of two more runs."""
        self.not_further += other.not_further
        self.never_awaited += other.never_awaited


class SchedulesDiffer(AssertionError):
    """Two loops run a program differently."""

    rules: tuple[str, ...] = ()
    """The loops of the lab that run it as the second loop does, by name."""


class NeedsAsyncio(SchedulesDiffer):
    """The program differs on miniloop's core because something in it asks the real asyncio."""


def _hold(to_run: Program | Written, reference: Side, other: Side) -> Findings:
    """Raise AssertionError unless the program runs alike on both; return the other findings."""
    found = Findings()
    is_program = isinstance(to_run, Program)
    match = Match(reference, other)
    in_order = "".join(f"{note}\n" for note in match.notes)
    names = f"{reference.name} and {other.name}"
    rules: list[type[BrokenLoop]] = []
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
            rules = _rules(to_run, match, difference)
    if difference is not None:
        kind, hint = SchedulesDiffer, ""
        if miniloop in (reference.module, other.module):
            asks = not is_program and asks_asyncio(difference)
            kind = NeedsAsyncio if asks else SchedulesDiffer
            hint = HINT if asks or lacks_something(difference) else ""
        differ = kind(
            f"{in_order}the schedules on {names} differ:\n\n"
            + difference.text(context=None if is_program else CONTEXT)
            + ends
            + ("\n\n" if rules else "")
            + "\n".join(f"{remark}: {text}" for remark, text in named(rules))
            + hint
        )
        differ.rules = tuple(loop.name for loop in rules)
        raise differ
    found.not_further += match.notes
    return found


def _rules(
    to_run: Program | Written, match: Match, difference: Difference
) -> list[type[BrokenLoop]]:
    """Return the loops of the lab that run a program as the second side does."""
    program = difference.program
    code = program.code() if program is not None else None

    if match.right is side("miniloop"):  # of which each loop of the lab is a broken one
        return []

    def run(one: Side) -> Schedule:
        if code is not None:
            return match.seen(one.run(code))
        assert not isinstance(to_run, Program)
        found = run_written(one, to_run).schedule
        return order(found, match.steps) if isinstance(difference.left, Order) else found

    return rules_broken(difference.left, difference.right, run, LONGEST_DIAGNOSIS)


class Bad(Exception):
    """Why a program cannot be compared, in a sentence."""


def _held(to_run: Written, match: Match, found: Findings) -> tuple[Difference | None, str]:
    """Return how the runs of a script or function differ, and what else to say.

    That is what ended only one of the sides, or up to where they are compared.
    """
    reference, other = match.left, match.right
    for _ in range(1 if match.exact else TIMES):
        one = run_written(reference, to_run)
        if not match.exact and (reason := would_block(one)):
            raise Bad(f"on {reference.name} the program {reason}")
        another = run_written(other, to_run)
        for run in (one, another):
            if not run.status:  # otherwise the error shows it
                sys.stderr.write(run.said)
        for text in one.schedule.reports + another.schedule.reports:
            if text.endswith(NEVER_AWAITED):
                found.never_awaited.append(text.removeprefix("RuntimeWarning: "))
        left, right = seen(match, one, another)
        if one_hangs(left, right):
            slow = reference if left.cut == HANGS else other
            raise Bad(f"on {slow.name} the program {takes_too_long()}, or find what blocks it")
        difference = difference_of(None, reference, other, left, right)
        if difference is None:
            break
    else:
        if until := up_to_known(match, one, another):
            return None, until
        for name, run in ((reference.name, one), (other.name, another)):
            if run.status and not (one.status and another.status):  # else they may well end alike
                return difference, f"\n\n{name} ends with\n\n{run.said}"
        return difference, ""
    if reason := too_little(left, right) or bad_end(one, another, match.exact):
        how = f"\n\n{one.said}" if reason.startswith(ENDS_WITH) else ""
        raise Bad(
            f"the schedules on {reference.name} and {other.name} are equal, but the program "
            f"{reason}{how}"
        )
    if one_recurses(left, right):
        return Difference(None, reference.name, other.name, left, right), ""
    return None, not_further(left, right)


def seen(match: Match, *runs: Run) -> list[Schedule]:
    """Return what is compared of these runs: only the order of events if real time passed."""
    exact = match.exact and not any(run.order_only for run in runs)
    return [run.schedule if exact else order(run.schedule, match.steps) for run in runs]


def up_to_known(match: Match, one: Run, another: Run) -> str:
    """Return up to where two runs are alike that differ after a known difference; empty if not."""
    met = [(run.known[0], run) for run in (one, another) if run.known]
    if not met:
        return ""
    (events, ticks, name), run = min(met, key=lambda pair: pair[0][:2])
    whole = run.schedule
    run.schedule = Schedule(whole.rows[:events], whole.timeouts[:ticks], cut=name)
    both = seen(match, one, another)
    run.schedule = whole
    return not_further(*both) if agree(*both) else ""


TIMES = 3
"""In real time, runs must differ so many times in a row."""

LONGEST_DIAGNOSIS = 5.0
"""Seconds after which no further loop of the lab is tried."""

CONTEXT = 50
"""Lines shown before and after the first difference of a script or function."""


def _made_runnable(program: Any) -> Written:
    """Return a compiled script, or a function that can be called."""
    if isinstance(program, str):
        code: CodeType = compile(program, FILE_NAME, "exec", dont_inherit=True)
        return code
    if not callable(program):
        raise TypeError(
            f"program: give a Program, the text of a script or an async function, not {program!r}"
        )
    try:
        inspect.signature(program).bind()
    except TypeError as error:
        raise TypeError(
            f"program: give an async function without parameters, not {program!r}: {error}"
        ) from None
    return program  # type: ignore[no-any-return]


def would_block(run: Run) -> str:
    """Return why a run is not tried in real time, where it would block; empty if it can be."""
    schedule = run.schedule
    if any(who == "main" and what == written.WAITS for _, _, who, what in schedule.rows):
        return WAITS_FOR_EVER
    if schedule.cut == HANGS:
        return takes_too_long()
    return too_many_ticks() if len(schedule.timeouts) > written.TICK_LIMIT else ""


def too_many_ticks() -> str:
    """Return the message for a program that runs for too many ticks."""
    return f"runs for more than {written.TICK_LIMIT:,} ticks: make it shorter"


WAITS_FOR_EVER = (
    "waits for ever: nothing is ready, no timer is set, and no thread, socket or signal can wake it"
)


def takes_too_long() -> str:
    """Return the message for a program that runs for too long."""
    return f"takes more than {surroundings.LONGEST:g} seconds of real time: make it shorter"


def too_little(one: Schedule, other: Schedule) -> str:
    """Return why two runs that agree were ended, if the user can mend that; empty if not."""
    end = min(comparable(one), comparable(other))  # which is that of a schedule that counts here
    hang = any(each.cut == HANGS and comparable(each) == end for each in (one, other))
    return takes_too_long() if hang else ""


def bad_end(run: Run, other: Run, exact: bool) -> str:
    """Return why two runs that are alike did not come to a good end; empty if they did."""
    one = run.schedule
    if one.cut or other.schedule.cut:
        return ""
    if len(one.timeouts) > written.TICK_LIMIT:
        return too_many_ticks()
    ends = [what for _, _, who, what in one.rows if who in ("main", "process")]
    if written.WAITS in ends:
        return WAITS_FOR_EVER
    if not run.complete:
        return ends[-1]
    if run.status:
        how = next(what for what in reversed(ends) if what.startswith(ENDS_WITH))
        return f"{how}: if the exception is expected, catch it in the program"
    if exact and not one.timeouts:
        return "runs no event loop that is recorded: use asyncio.run() or asyncio.new_event_loop()"
    return ""


def one_recurses(one: Schedule, other: Schedule) -> bool:
    """Return whether only one of two runs, both recorded to their end, has a recursion."""
    return not (one.cut or other.cut) and recursion(one) != recursion(other)


def not_further(one: Schedule, other: Schedule) -> str:
    """Return up to where two runs are compared, and why; empty if they are to their end."""
    # Within one tick either may have come first.
    first = min(one, other, key=lambda schedule: (comparable(schedule)[1], not schedule.cut))
    if one == other and not first.cut:
        return ""
    _, tick = comparable(first)
    if comparable(first) == (len(first.rows), len(first.timeouts)):
        if first.cut in WATCHES:
            known = f"this Python's asyncio is known to differ there ({first.cut})"
            return f"only up to tick {tick}: {known}"
        return f"only up to tick {tick}: {first.cut}"
    return f"only before tick {tick}, in which a recursion went too deep"


def asks_asyncio(found: Difference) -> bool:
    """Return whether one side, and only one, has asked a library for the loop of the other."""
    one, other = (
        any("RuntimeError(no running event" in what for _, _, _, what in schedule.rows)
        for schedule in (found.left, found.right)
    )
    return one != other


def lacks_something(found: Difference) -> bool:
    """Return whether an attribute was missing, which may exist on the other library only."""
    rows = [*found.left.rows, *found.right.rows]
    return any(what.endswith("AttributeError()") for _, _, _, what in rows)


HINT = (
    "\n\n(Only the program's own module gets the loop's library as its asyncio. A function that "
    "imports asyncio itself, another module that imports it, and objects that were made before "
    "have the real asyncio. If the program awaits a library that imports asyncio, compare it with "
    "loops=('asyncio', 'interop').)"
)
