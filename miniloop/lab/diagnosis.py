"""Diagnose a loop: find the broken loops of the lab that behave as it does.

A difference between a loop and asyncio shows on a small program. Each broken loop of the lab runs
that program, too. If its schedule is that of the diagnosed loop, then the diagnosed loop may break
the same rule. One small program can leave several rules to choose from, so a broken loop is tried
on all programs that differ. The diagnosis is the rule that explains most of them, then the one that
explains most of the rest, and so on.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..difftest import Side, agree, side
from ..difftest.fuzz import Finding, Hunt, group, hunt, size
from ..difftest.surroundings import HANGS
from ..trace import Schedule
from .broken import LOOPS, BrokenLoop, broken

BEHIND = 40
"""How many programs are searched for rules that hide behind those found before."""
PATIENCE = 60.0
"""Seconds after which that search ends."""
MOST_NAMED = 3
"""The most broken loops that are named for one program."""


def rules_broken(
    left: Schedule,
    right: Schedule,
    run: Callable[[Side], Schedule],
    seconds: float = 1e9,
) -> list[type[BrokenLoop]]:
    """Return the broken loops that run a program as the right side does, and not as the left one.

    `run` returns the schedule of the same program on one more side, in the form of the other two.
    It is called for each loop of the lab whose rule this Python's asyncio keeps, and for miniloop
    itself. If that runs the program otherwise than the left side, the lab can tell nothing. Loops
    that have not had their turn after so many `seconds` are left out. Call this function inside
    `quiet()`, which ends loops that hang.
    """
    deadline = time.monotonic() + seconds
    if not agree(run(side("miniloop")), left):
        return []
    found = []
    for name, loop in LOOPS.items():
        if sys.version_info >= loop.since and time.monotonic() < deadline:
            schedule = run(broken_side(name))
            if alike(schedule, right) and not agree(schedule, left):
                found.append(loop)
    return found


def named(loops: Sequence[type[BrokenLoop]]) -> list[tuple[str, str]]:
    """Return these loops in words, the first few at least: pairs of a kind of remark and a text."""
    found = [
        ("or" if number else "rule broken", f"{loop.name}: {loop.breaks}")
        for number, loop in enumerate(loops[:MOST_NAMED])
    ]
    if more := loops[MOST_NAMED:]:
        found.append(("or", f"one of {len(more)} more, which do the same on this program"))
    return found


def diagnosis(left: Schedule, right: Schedule, run: Callable[[Side], Schedule]) -> list[Side]:
    """Return the sides of these loops, which `hunt()` asks for."""
    return [broken_side(loop.name) for loop in rules_broken(left, right, run)]


@functools.cache
def broken_side(name: str) -> Side:
    """Return the side of a broken loop. Making it takes longer than running a program."""
    return broken(name).side()


def alike(schedule: Schedule, right: Schedule) -> bool:
    """Return whether two runs agree. Of a foreign loop that hangs, nothing else is known."""
    events = right.events
    if events and events[0].who == "process":
        return events[0].what == HANGS == schedule.cut
    return agree(schedule, right)


@dataclass
class Group:
    """The findings that have one explanation."""

    name: str
    """The name of a broken loop, or what both sides do at the first difference."""
    loop: type[BrokenLoop] | None
    """The broken loop that runs these programs as the diagnosed loop does. None if none does."""
    programs: int = 0
    """How many random programs it explains."""
    whole: int = 0
    """How many of these the broken loop runs to their end as the diagnosed loop does. The others
    begin to differ as one of the findings does, and may have more than one difference."""
    behind: bool = False
    """Whether it explains what other rules had hidden. Then its programs are also counted there."""
    findings: list[Finding] = field(default_factory=list)
    """Some of these programs, made smaller. The smallest comes first."""
    others: list[type[BrokenLoop]] = field(default_factory=list)
    """More broken loops, which explain all of these programs as well."""


@dataclass(frozen=True)
class Clue:
    """Programs that the same broken loops explain."""

    names: tuple[str, ...]
    programs: int
    whole: bool
    """Whether the whole programs were tried on these loops, or a small one of their kind."""


def groups(total: Hunt) -> list[Group]:
    """Return the findings of a hunt, in groups.

    The broken loop that explains the most programs comes first, then the one that explains most of
    the rest, and so on. What no broken loop explains stands at the end, grouped by what both sides
    do at the first difference.
    """
    clues = [Clue(names, number, True) for names, number in total.explained.items()]
    clues += [
        Clue(total.findings[key].rules, number, False) for key, number in total.counts.items()
    ]
    found: list[Group] = []
    while clues:
        name = max(LOOPS, key=lambda name: _weight(name, clues))
        mine = [clue for clue in clues if name in clue.names]
        if not mine:
            break
        clues = [clue for clue in clues if name not in clue.names]
        one = Group(name, LOOPS[name], *_weight(name, mine))
        one.others = [
            other
            for other in LOOPS.values()
            if other.name != name and all(other.name in clue.names for clue in mine)
        ]
        before = {other.name for other in found}
        one.findings = sorted(
            (finding for finding in total.findings.values() if name in finding.rules),
            key=lambda finding: (not before.isdisjoint(finding.rules), size(finding)),
        )
        found.append(one)
    return found + _unexplained(total)


def _weight(name: str, clues: Iterable[Clue]) -> tuple[int, int]:
    """Return how many programs a broken loop explains, and how many of them as a whole."""
    mine = [clue for clue in clues if name in clue.names]
    return sum(clue.programs for clue in mine), sum(clue.programs for clue in mine if clue.whole)


def _unexplained(total: Hunt) -> list[Group]:
    found: dict[str, Group] = {}
    for key, number in total.counts.items():
        finding = total.findings[key]
        if not finding.rules:
            one = found.setdefault(group(finding), Group(group(finding), None))
            one.programs += number
            one.findings = sorted([*one.findings, finding], key=size)
    return sorted(found.values(), key=lambda one: -one.programs)


def diagnose(
    total: Hunt,
    left: str,
    right: str,
    seed: int = 0,
    without: frozenset[str] = frozenset(),
    excused: tuple[str, ...] = (),
) -> list[Group]:
    """Return the findings of a hunt in groups, with the rules that hide behind the first ones.

    Where a loop breaks two rules, one difference can hide another behind it. So the programs that
    no broken loop explains as a whole are compared once more, and this time the loop may also do as
    the broken loops found before. The arguments are those of the hunt.
    """
    found = groups(total)
    numbers = total.differing[:BEHIND]
    deadline = time.monotonic() + PATIENCE
    while numbers and time.monotonic() < deadline:
        names = [one.name for one in found if one.loop is not None]
        if not names:
            break
        again = hunt(
            left,
            right,
            seed,
            numbers=numbers,
            without=without,
            seconds=deadline - time.monotonic(),
            shrink_budget=100,
            diagnosis=diagnosis,
            excused=[*excused, *map(place, names)],
            agreeing=total.agreeing,
        )
        new = [one for one in groups(again) if one.loop is not None and one.name not in names]
        if not new:
            break
        new[0].behind = True
        found.insert(len(names), new[0])
    return found


def place(name: str) -> str:
    """Return `module:name` of a broken loop."""
    return f"{LOOPS[name].__module__}:{LOOPS[name].__qualname__}"
