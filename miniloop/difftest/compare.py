"""Two schedules against each other: do they agree, and where do they part?"""

from __future__ import annotations

from dataclasses import dataclass

from ..trace import Schedule
from .programs import Program
from .sides import Side

# How deep a recursion may go differs between C and Python code, and what comes after one that went
# too deep is nobody's promise: schedules are compared up to there.
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
        left.events[:events] == right.events[:events]
        and left.timeouts[:ticks] == right.timeouts[:ticks]
    )


NEVER = (1 << 60, 1 << 60)


def comparable(schedule: Schedule) -> tuple[int, int]:
    """How many events and how many ticks of it can be compared; `NEVER` means all."""
    for number, event in enumerate(schedule.events):
        if INCOMPARABLE in event.what:
            return number, event.tick
    return (len(schedule.events), len(schedule.timeouts)) if schedule.cut else NEVER


@dataclass(frozen=True)
class Difference:
    """A program on which two loops do not agree."""

    program: Program | None
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
        parts = [self.side_by_side()]
        if self.program is not None:
            parts.insert(0, str(self.program) + "\n")
        return "\n".join(parts)


def compare(program: Program, left: Side, right: Side) -> Difference | None:
    """Run a program on two sides: None if they agree."""
    code = program.code()
    one, other = left.run(code), right.run(code)
    if agree(one, other):
        return None
    return Difference(program, left.name, right.name, one, other)


def first_words(difference: Difference) -> str:
    """A short name for the kind of difference, without its numbers: for grouping."""
    number = difference.first()
    sides = []
    for schedule in (difference.left, difference.right):
        lines = schedule.lines()
        words = lines[number].split()[2:] if number < len(lines) else ["nothing"]
        sides.append("".join(c for c in " ".join(words) if not c.isdigit()))
    return " / ".join(sides)


