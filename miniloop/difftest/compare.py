"""Two schedules against each other: whether they agree, and where they part."""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from .. import running
from ..trace import Schedule
from ..trace.recorder import TOO_MANY
from . import surroundings, written
from .known import WATCHES
from .linked import Linked
from .programs import FILE_NAME, Program
from .sides import Side, side
from .surroundings import DEEPEST, HANGS, quiet
from .written import run_written

# How deep a recursion may go differs between C and Python code, and what comes after one that went
# too deep is nobody's promise: schedules are compared up to the tick in which that happens.
INCOMPARABLE = re.compile(r"\bRecursionError\(\)")


def agree(left: Schedule, right: Schedule) -> bool:
    """Whether two runs had the same schedule, as far as they are comparable."""
    if left == right:
        return True
    cut = min(comparable(left), comparable(right))
    if cut is NEVER:
        return False
    events, ticks = cut
    return (
        left.rows[:events] == right.rows[:events]
        # The tick in which it ends is not complete; those before it are.
        and not any(row[0] < ticks for row in (*left.rows[events:], *right.rows[events:]))
        and left.timeouts[:ticks] == right.timeouts[:ticks]
        and not one_hangs(left, right)
    )


def one_hangs(left: Schedule, right: Schedule) -> bool:
    """Whether two runs are alike until one of them hangs where the other goes on, or ends."""
    for one, other in (left, right), (right, left):
        if one.cut == HANGS != other.cut:
            events, ticks = there = len(one.rows), len(one.timeouts)
            return (
                comparable(one) == there < comparable(other)
                and one.rows == other.rows[:events]
                and one.timeouts == other.timeouts[:ticks]
            )
    return False


NEVER = (1 << 60, 1 << 60)


def comparable(schedule: Schedule) -> tuple[int, int]:
    """How many events and how many ticks of it can be compared; `NEVER` means all."""
    for number, (tick, _, _, what) in enumerate(schedule.rows):
        if INCOMPARABLE.search(what):
            # A recursion takes place in one tick, and may have been caught before without a word.
            # Where ticks are not known they are all 0.
            before = sum(row[0] < tick for row in schedule.rows)
            return before if tick else number, tick
    return (len(schedule.rows), len(schedule.timeouts)) if schedule.cut else NEVER


@dataclass(frozen=True)
class Difference:
    """A program on which two loops do not agree."""

    program: Program | None
    """None where it was a source text or a function."""
    left_name: str
    right_name: str
    left: Schedule
    right: Schedule

    def first(self) -> int:
        """The number of the first line that differs, from 0."""
        left, right = self.left.lines(), self.right.lines()
        for number, (one, other) in enumerate(zip(left, right, strict=False)):
            if one != other:
                return number
        return min(len(left), len(right))

    def side_by_side(self, context: int | None = None) -> str:
        """Both schedules in two columns, the first difference marked by an arrow.

        With `context`, only so many lines before and after it.
        """
        left, right = self.left.lines(), self.right.lines()
        first = self.first()
        start, stop = 0, max(len(left), len(right))
        if context is not None:
            start, stop = max(0, first - context), min(stop, first + context + 1)
        width = max([len(self.left_name), *map(len, left[start:stop])], default=0)
        lines = [f"   {self.left_name:<{width}} | {self.right_name}"]
        lines.append(f"   {'-' * width}-+-{'-' * width}")
        if start:
            lines.append(f"   ({start} equal lines)")
        for number in range(start, stop):
            one = left[number] if number < len(left) else "(nothing)"
            other = right[number] if number < len(right) else "(nothing)"
            sign = "=> " if number == first else "   " if one == other else " ~ "
            lines.append(f"{sign}{one:<{width}} | {other}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    def text(self, context: int | None = None) -> str:
        """The program, both schedules (see `side_by_side`), and the rule that is broken."""
        from .rules import rule_broken  # which reads differences

        parts = [self.side_by_side(context)]
        if self.program is not None:
            parts.insert(0, str(self.program) + "\n")
        rule = rule_broken(self)
        if rule is not None:
            parts.append(f"\nrule broken: {rule}")
        return "\n".join(parts)


def compare(program: Program | CodeType, left: Side, right: Side) -> Difference | None:
    """Run a program on two sides: None if they agree."""
    if isinstance(program, CodeType):
        return _difference(None, left, right, *schedules(program, left, right))
    return _difference(program, left, right, *schedules(program.code(), left, right))


def schedules(code: CodeType | Linked, left: Side, right: Side) -> tuple[Schedule, Schedule]:
    """What two sides make of a program."""
    return left.run(code), right.run(code)


def _difference(
    program: Program | None, left: Side, right: Side, one: Schedule, other: Schedule
) -> Difference | None:
    if agree(one, other):
        return None
    return Difference(program, left.name, right.name, one, other)


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
    main thread, where there is SIGALRM) 5 seconds of real time. After a recursion that goes too
    deep, unless all that follows is alike, too, and after a known difference of this Python's
    asyncio nothing can be compared, and nobody can mend that: `NotComparedFurther` warns. Of a
    `Program`, which ends after 60 ticks or 64 events, nothing of this is said.

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
                found = _difference(None, reference, other, one, another)
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
    if one != other:
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
        return f"{of_main[-1]}: catch what is meant to be raised"
    if not one.timeouts:
        return "runs no event loop that is recorded: use asyncio.run() or asyncio.new_event_loop()"
    return ""


def recursion(schedule: Schedule) -> bool:
    """Whether a recursion went too deep."""
    return any(INCOMPARABLE.search(row[3]) for row in schedule.rows)


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


SUSPENDED = re.compile(r"^(\S+#\d+ (?:send|throw .*?) -> )(?!returned|raised).*")


def first_words(difference: Difference) -> str:
    """A short name for the kind of difference, for grouping: without numbers, and without places.

    A place is a label in a linked program, and a line in the same program as it is printed.
    """
    number = difference.first()
    sides = []
    for schedule in (difference.left, difference.right):
        lines = schedule.lines()
        words = lines[number].split()[2:] if number < len(lines) else ["nothing"]
        text = SUSPENDED.sub(r"\1waits", " ".join(words))
        sides.append("".join(c for c in text if not c.isdigit()))
    return " / ".join(sides)
