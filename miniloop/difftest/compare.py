"""Two schedules against each other: whether they agree, and where they part."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from ..trace import Schedule
from ..trace.recorder import TOO_MANY
from .known import WATCHES
from .linked import Linked
from .programs import FILE_NAME, Program
from .sides import (
    DEEPEST,
    HANGS,
    LONG_EVENT_LIMIT,
    LONG_TICK_LIMIT,
    LONGEST,
    Side,
    quiet,
    side,
)

# How deep a recursion may go differs between C and Python code, and what comes after one that went
# too deep is nobody's promise: schedules are compared up to the tick in which that happens.
INCOMPARABLE = "RecursionError()"


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
    for number, event in enumerate(schedule.events):
        if INCOMPARABLE in event.what:
            # A recursion takes place in one tick, and may have been caught before without a word.
            # Where ticks are not known they are all 0.
            before = sum(one.tick < event.tick for one in schedule.events)
            return before if event.tick else number, event.tick
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
        from .rules import rule_broken  # which reads differences

        parts = [self.side_by_side()]
        if self.program is not None:
            parts.insert(0, str(self.program) + "\n")
        rule = rule_broken(self)
        if rule is not None:
            parts.append(f"\nrule broken: {rule}")
        return "\n".join(parts)


def compare(program: Program | CodeType, left: Side, right: Side) -> Difference | None:
    """Run a program on two sides: None if they agree."""
    code = program if isinstance(program, CodeType) else program.code()
    return _difference(program, left, right, *schedules(code, left, right))


def schedules(code: CodeType | Linked, left: Side, right: Side) -> tuple[Schedule, Schedule]:
    """What two sides make of a program."""
    return left.run(code), right.run(code)


def _difference(
    program: object, left: Side, right: Side, one: Schedule, other: Schedule
) -> Difference | None:
    if agree(one, other):
        return None
    known = program if isinstance(program, Program) else None
    return Difference(known, left.name, right.name, one, other)


class NotComparedFurther(UserWarning):
    """Two runs are alike up to a place after which nothing can be said of them."""


def assert_same_schedule(
    program: Program | str | Callable[..., Coroutine[Any, Any, Any]],
    loops: Sequence[str | Side] = ("asyncio", "miniloop"),
) -> None:
    """Fail, with both schedules side by side, unless the program runs alike on all loops.

    `program` is a `Program`, the source text of a script, or an async function without parameters.
    In a function, and all that its module defines, the names `asyncio`, `print` and `time` stand
    for the loop's own library, for the recorder's log and for virtual time while it runs; in a
    script they are what it imports.

    `loops` are names (see `sides.KNOWN`) or `Side` objects; the first is what the others are held
    against. Raises AssertionError, also where a script or function runs for more than 10,000
    ticks, 1,000,000 events or 5 seconds of real time: what comes after is not compared. Nor is what
    comes after a recursion without end, or after a known difference of this Python's asyncio; that
    is warned of, with `NotComparedFurther`. (A `Program` ends after 60 ticks or 64 events, and
    nothing is said of it.)
    """
    if isinstance(program, str):
        program = compile(program, FILE_NAME, "exec")  # type: ignore[assignment]
    reference, *others = [loop if isinstance(loop, Side) else side(loop) for loop in loops]
    is_program = isinstance(program, Program)
    not_said: list[str] = []
    with quiet(DEEPEST if is_program else max(DEEPEST, sys.getrecursionlimit())):
        for other in others:
            one, another = [_run(program, loop) for loop in (reference, other)]
            found = _difference(program, reference, other, one, another)
            if found is not None:
                raise AssertionError(
                    f"{other.name} does not run this as {reference.name} does:\n\n{found}"
                )
            if not is_program and (reason := too_long(one) or too_long(another)):
                raise AssertionError(
                    f"{reference.name} and {other.name} run this alike up to where comparing ends, "
                    f"but it {reason}; hold something shorter against them"
                )
            if not is_program and (reason := not_further(one) or not_further(another)):
                _, tick = min(comparable(one), comparable(another))
                not_said.append(
                    f"{reference.name} and {other.name} are compared up to tick {tick} only: "
                    + reason
                )
    for text in not_said:  # not above: `quiet` lets no warning through
        warnings.warn(text, NotComparedFurther, stacklevel=2)


def _run(program: Any, loop: Side) -> Schedule:
    if isinstance(program, Program):
        return loop.run(program.code())
    if isinstance(program, CodeType):
        return loop.run(program, LONG_TICK_LIMIT, LONG_EVENT_LIMIT)
    return loop.run_function(program)


def too_long(schedule: Schedule) -> str:
    """Why a run was ended by the recorder, in words; empty if it was not."""
    if schedule.cut.startswith(HANGS):
        return f"takes more than {LONGEST:.0f} seconds of real time"
    if schedule.cut.startswith(TOO_MANY):
        return f"has more than {LONG_EVENT_LIMIT:,} events"
    if len(schedule.timeouts) > LONG_TICK_LIMIT:
        return f"runs for more than {LONG_TICK_LIMIT:,} ticks"
    return ""


def not_further(schedule: Schedule) -> str:
    """Why a run cannot be compared from some place on; empty if it can."""
    if schedule.cut in WATCHES:
        return f"this Python's asyncio is known to differ there ({schedule.cut})"
    if schedule.cut:
        return schedule.cut
    return "" if comparable(schedule) is NEVER else "a recursion went too deep"


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
