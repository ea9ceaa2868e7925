"""Diagnose a loop: find the broken loops of the lab that behave as it does.

A difference between a loop and asyncio shows on a small program. Each broken loop of the lab runs
that program, too. If its schedule is that of the diagnosed loop, then the diagnosed loop may break
the same rule. One small program can leave several rules to choose from, so a broken loop is tried
on all programs that differ. The diagnosis is the rule that explains most of them, then the one that
explains most of the rest, and so on.

A loop may break two rules at once. Then a program may show both, and no broken loop of the lab runs
it as that loop does. So each rule found is tried together with each other rule of the lab: loops
that break both run these programs, too.
"""

from __future__ import annotations

import functools
import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import CodeType

from ..difftest import Difference, Program, Side, agree, quiet, side
from ..difftest.foreign import Match
from ..difftest.fuzz import Finding, Hunt, Refuter, compared, group, hunt, size
from ..difftest.linked import Linked
from ..difftest.shrink import shrink
from ..difftest.surroundings import HANGS
from ..trace import Schedule
from .broken import LOOPS, BrokenLoop, broken, combined

BEHIND = 40
"""How many programs are searched for rules that hide behind those found before."""
PATIENCE = 60.0
"""Seconds after which that search ends, if the caller does not say."""
MOST_KNOWN = 3
"""The most rules found before that are tried together with others."""
SHRINKS = 300
"""How often a program that shows such a rule is made smaller, at most."""
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
    patience: float = PATIENCE,
) -> list[Group]:
    """Return the findings of a hunt in groups, with the rules that hide behind the first ones.

    Where a loop breaks two rules, one difference can hide another behind it. So the programs that
    no broken loop explains as a whole are tried on loops that break two rules, one of which was
    found before. What then is left is compared once more, and this time the loop may also do as the
    broken loops found before. After `patience` seconds the search ends. The other arguments are
    those of the hunt.
    """
    found = groups(total)
    deadline = time.monotonic() + patience
    allowed = [name for name in LOOPS if place(name) in excused]
    known = [*allowed, *(one.name for one in found if one.loop is not None)]
    numbers = total.differing[:BEHIND]
    if known and numbers:
        match = Match(left, right)
        refuter = Refuter(match, total.agreeing)
        search = Behind(match, known, seed, without, deadline, refuter)
        try:
            hidden, numbers = search.look(numbers)
        finally:
            match.close()
        for one in hidden:
            _put_behind(found, one)
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
        _put_behind(found, new[0])
    return found


def _put_behind(found: list[Group], one: Group) -> None:
    """Add a rule that hides behind those in `found`, in front of what no rule explains."""
    one.behind = True
    found.insert(sum(group.loop is not None for group in found), one)


@dataclass
class Behind:
    """Looks for rules that hide behind others, by loops that break two rules."""

    match: Match
    known: list[str]
    """The broken loops that were found before, the most frequent first."""
    seed: int
    without: frozenset[str]
    deadline: float
    refuter: Refuter | None = None
    """Knows programs on which the loop agrees, if there are any."""

    def look(self, numbers: Sequence[int]) -> tuple[list[Group], list[int]]:
        """Return the rules that hide behind the known ones, and the programs left unexplained."""
        seen: list[tuple[int, Program, tuple[Schedule, Schedule], dict[str, str]]] = []
        left_over: list[int] = []
        with quiet():
            for number, program, both in compared(
                self.match, self.seed, numbers, self.without, None
            ):
                if time.monotonic() > self.deadline:
                    left_over.append(number)
                elif not isinstance(both, str) and not agree(*both):
                    explains = self._explains(program, both[1])
                    if explains is None:
                        continue
                    if explains:
                        seen.append((number, program, both, explains))
                    else:
                        left_over.append(number)
            found = []
            while seen:
                votes = Counter(name for *_, explains in seen for name in explains)
                name = max(LOOPS, key=votes.__getitem__)
                mine = [one for one in seen if name in one[-1]]
                seen = [one for one in seen if name not in one[-1]]
                shortest = min(mine, key=lambda one: len(str(one[1])))
                hidden = Group(name, LOOPS[name], programs=len(mine), whole=len(mine))
                hidden.findings = [self._small(name, *shortest)]
                found.append(hidden)
        return found, left_over

    def _explains(self, program: Program, right: Schedule) -> dict[str, str] | None:
        """Return which rules explain a program together with a known one, and with which.

        Return None if the known rules explain it by themselves.
        """
        code = self.match.code(program)
        known = self.known[:MOST_KNOWN]
        for names in (*((one,) for one in known), *itertools.combinations(known, 2)):
            if self._does_as(names, code, right):
                return None
        for first in known:
            found = {
                other: first
                for other, loop in LOOPS.items()
                if other not in known
                and sys.version_info >= loop.since
                and self._does_as((first, other), code, right)
                and not (self.refuter and self.refuter.refutes(broken_side(other)))
            }
            if not found.keys().isdisjoint(self.known):
                return None
            if found:
                return found
        return {}

    def _does_as(self, names: tuple[str, ...], code: CodeType | Linked, right: Schedule) -> bool:
        """Return whether the loop that breaks these rules runs a program as the right side does."""
        return alike(self.match.seen(combined_side(names).run(code)), right)

    def _small(
        self,
        name: str,
        number: int,
        program: Program,
        both: tuple[Schedule, Schedule],
        explains: dict[str, str],
    ) -> Finding:
        """Return a small program that a rule explains and the known one alone does not."""
        first, match = explains[name], self.match

        def shown(candidate: Program) -> Difference | None:
            found = match.difference(candidate, 1 if match.exact else 3)
            code = candidate.code() if match.exact else match.code(candidate)
            if (
                found is None
                or self._does_as((first,), code, found.right)
                or not self._does_as((first, name), code, found.right)
            ):
                return None
            return found

        small = shrink(program, lambda one: shown(one) is not None, SHRINKS)
        # A linked program may show what the same program in print does not.
        found = shown(small) or Difference(program, match.left.name, match.right.name, *both)
        return Finding(found, self.seed, number, (name,), self.without)


@functools.cache
def combined_side(names: tuple[str, ...]) -> Side:
    """Return the side of a loop that breaks the rules of all these broken loops."""
    return broken_side(names[0]) if len(names) == 1 else combined([LOOPS[name] for name in names])


def place(name: str) -> str:
    """Return `module:name` of a broken loop."""
    return f"{LOOPS[name].__module__}:{LOOPS[name].__qualname__}"
