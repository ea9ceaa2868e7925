"""Compare two schedules: whether they agree, and where they differ first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import CodeType

from ..trace import Schedule
from .linked import Linked
from .programs import Program
from .sides import Side
from .surroundings import HANGS

# C code and Python code may recurse to different depths, and nothing is promised after a recursion
# that went too deep. So schedules are compared up to the tick in which that happens.
INCOMPARABLE = re.compile(r"\bRecursionError\(\)")


def agree(left: Schedule, right: Schedule) -> bool:
    """Return whether two runs had the same schedule, as far as they can be compared."""
    if left == right:
        return True
    cut = min(comparable(left), comparable(right))
    if cut is NEVER:
        return False
    events, ticks = cut
    return (
        left.rows[:events] == right.rows[:events]
        # The tick in which the comparison ends is not complete, but those before it are.
        and not any(row[0] < ticks for row in (*left.rows[events:], *right.rows[events:]))
        and left.timeouts[:ticks] == right.timeouts[:ticks]
        and not one_hangs(left, right)
    )


def one_hangs(left: Schedule, right: Schedule) -> bool:
    """Return whether two runs are alike until one hangs and the other goes on, or ends."""
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
    """Return how many events and how many ticks can be compared. `NEVER` means all."""
    for number, (tick, _, _, what) in enumerate(schedule.rows):
        if INCOMPARABLE.search(what):
            # A recursion stays within one tick. The program may have caught its error earlier in
            # that tick without a trace. If ticks are not known, all of them are 0.
            before = sum(row[0] < tick for row in schedule.rows)
            return before if tick else number, tick
    return (len(schedule.rows), len(schedule.timeouts)) if schedule.cut else NEVER


def recursion(schedule: Schedule) -> bool:
    """Return whether a recursion went too deep."""
    return any(INCOMPARABLE.search(row[3]) for row in schedule.rows)


@dataclass(frozen=True)
class Difference:
    """A program on which two loops do not agree."""

    program: Program | None
    """None if it was a source text or a function."""
    left_name: str
    right_name: str
    left: Schedule
    right: Schedule

    def first(self) -> int:
        """Return the number of the first line that differs, counted from 0."""
        left, right = self.left.lines(), self.right.lines()
        for number, (one, other) in enumerate(zip(left, right, strict=False)):
            if one != other:
                return number
        return min(len(left), len(right))

    def side_by_side(self, context: int | None = None) -> str:
        """Return both schedules in two columns, with an arrow at the first difference.

        With `context`, return only so many lines before and after it.
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
        """Return the program and both schedules (see `side_by_side`)."""
        parts = [self.side_by_side(context)]
        if self.program is not None:
            parts.insert(0, str(self.program) + "\n")
        return "\n".join(parts)


def compare(program: Program | CodeType, left: Side, right: Side) -> Difference | None:
    """Run a program on two sides. Return how they differ, or None if they agree."""
    if isinstance(program, CodeType):
        return difference_of(None, left, right, *schedules(program, left, right))
    return difference_of(program, left, right, *schedules(program.code(), left, right))


def schedules(code: CodeType | Linked, left: Side, right: Side) -> tuple[Schedule, Schedule]:
    """Return the schedules of a program on two sides."""
    return left.run(code), right.run(code)


def difference_of(
    program: Program | None, left: Side, right: Side, one: Schedule, other: Schedule
) -> Difference | None:
    """Return how two runs of a program differ, or None if they agree."""
    if agree(one, other):
        return None
    return Difference(program, left.name, right.name, one, other)


SUSPENDED = re.compile(r"^(\S+#\d+ (?:send|throw .*?) -> )(?!returned|raised).*")


def first_words(difference: Difference) -> str:
    """Return a short name for the kind of difference, without numbers and places, for grouping.

    A place is a label in a linked program, but a line in the same program as it is printed.
    """
    number = difference.first()
    sides = []
    for schedule in (difference.left, difference.right):
        lines = schedule.lines()
        words = lines[number].split()[2:] if number < len(lines) else ["nothing"]
        text = SUSPENDED.sub(r"\1waits", " ".join(words))
        sides.append("".join(c for c in text if not c.isdigit()))
    return " / ".join(sides)
