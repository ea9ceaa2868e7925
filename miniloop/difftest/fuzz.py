"""Run random programs on two loops, find differences, make them small and group them.

Program number `n` of seed `s` is always the same program, so these two numbers reproduce a finding.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..trace import Schedule
from .compare import Difference, agree, first_words, one_hangs
from .foreign import ForeignLoop, Match, is_crash
from .generate import Generator
from .programs import Program
from .rules import rule_broken
from .shrink import shrink
from .sides import TICK_LIMIT
from .surroundings import HANGS, quiet

AT_ONCE = 32
"""How many programs are made, and then run first on one side and then on the other."""
BLOCKS = "blocks for ever"
ONCE = "differs, but not every time"


def numbered_program(seed: int, number: int, without: frozenset[str] = frozenset()) -> Program:
    """Return program `number` of a seed."""
    return Generator(random.Random(f"{seed}/{number}"), without).program()


@dataclass(frozen=True)
class Finding:
    """A difference on a small program, and the numbers of the program that showed it first."""

    difference: Difference
    seed: int
    number: int

    @property
    def kind(self) -> str:
        """What each side does at the first difference, without numbers."""
        return kind_of(self.difference)

    def reproduce(self) -> str:
        """Return the command that finds this again."""
        return (
            f"python -m miniloop fuzz --loop {self.difference.right_name} "
            f"--against {self.difference.left_name} --seed {self.seed} "
            f"--start {self.number} --examples 1"
        )

    def __str__(self) -> str:
        return f"{self.difference}\n\nreproduce: {self.reproduce()}"


@dataclass
class Hunt:
    """The results of some programs."""

    programs: int = 0
    seconds: float = 0.0
    """Processor time, summed over processes. With a foreign loop, which waits most of the time and
    uses the processor in another process, it is real time."""
    rates: list[float] = field(default_factory=list)
    """Programs a second, for each piece of work."""
    events: list[int] = field(default_factory=list)
    findings: dict[str, Finding] = field(default_factory=dict)
    """The smallest finding of each kind."""
    counts: dict[str, int] = field(default_factory=dict)
    """How many programs differed, by kind."""
    cut: dict[str, int] = field(default_factory=dict)
    """How many comparisons ended early, by reason."""

    def add(self, other: Hunt) -> None:
        """Add the results of another hunt."""
        self.programs += other.programs
        self.seconds += other.seconds
        self.rates += other.rates
        self.events += other.events
        for kind, count in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
            self._keep(other.findings[kind])
        for reason, count in other.cut.items():
            self.cut[reason] = self.cut.get(reason, 0) + count

    def found(self, finding: Finding) -> None:
        """Note a program that differs."""
        self.counts[finding.kind] = self.counts.get(finding.kind, 0) + 1
        self._keep(finding)

    def ended_early(self, reason: str) -> None:
        """Note a comparison that ended early."""
        self.cut[reason] = self.cut.get(reason, 0) + 1

    def _keep(self, finding: Finding) -> None:
        best = self.findings.get(finding.kind)
        if best is None or size(finding) < size(best):
            self.findings[finding.kind] = finding


def size(finding: Finding) -> int:
    """Return the length of the program's text."""
    program = finding.difference.program
    return len(str(program)) if program else 0


def kind_of(difference: Difference) -> str:
    """Return what each side does at the first difference, without numbers."""
    if one_hangs(difference.left, difference.right):
        return f"one {HANGS}, the other does not"
    left, right = first_words(difference).split(" / ", 1)
    if left == "nothing":
        return "goes on where the other has ended"
    if right == "nothing":
        return "ends where the other goes on"
    return f"{left} / {right}"


def group(finding: Finding) -> str:
    """Return the group of a finding: the rule that it breaks, or else its kind."""
    events = finding.difference.right.events
    if events and events[0].who == "process":
        return f"process {events[0].what}"
    if HANGS in finding.kind:
        return finding.kind
    return rule_broken(finding.difference) or finding.kind


def short_id(kind: str) -> str:
    """Return a name of six characters for a group of findings."""
    return hashlib.sha1(kind.encode()).hexdigest()[:6]


def hunt(
    left: str,
    right: str,
    seed: int = 0,
    start: int = 0,
    count: int = 1000,
    without: frozenset[str] = frozenset(),
    allow: frozenset[str] = frozenset(),
    shrink_budget: int = 300,
    seconds: float = 1e9,
) -> Hunt:
    """Compare `count` programs, or as many as `seconds` allow.

    For the first finding of each kind, look for a small program. Count the others. Groups whose
    short id is in `allow` are no findings, and are only counted.
    """
    match = Match(left, right)
    clock = time.process_time if match.own else time.perf_counter
    result = Hunt()
    allowed: dict[str, str] = {}
    began = clock()
    try:
        with quiet():
            numbers = range(start, start + count)
            for number, program, both in in_turn(match, seed, numbers, without):
                if both is None:
                    result.ended_early(BLOCKS)
                    continue
                result.programs += 1
                result.events.append(len(both[0].rows))
                if agree(*both):
                    if reason := ends_early(*both):
                        result.ended_early(reason)
                else:
                    seen = Difference(program, left, right, *both)
                    kind = kind_of(seen)
                    if kind in result.counts:
                        result.counts[kind] += 1
                    elif kind in allowed:
                        result.ended_early(allowed[kind])
                    elif (found := explained(match, seen, kind, shrink_budget)) is None:
                        result.ended_early(ONCE)
                    else:
                        finding = Finding(found, seed, number)
                        name = short_id(group(finding))
                        if name in allow:
                            allowed[kind] = f"begins as one of the group {name}, which is allowed"
                            result.ended_early(allowed[kind])
                        else:
                            result.found(finding)
                if clock() - began > seconds:
                    break
    finally:
        match.close()
    result.seconds = clock() - began
    result.rates = [result.programs / result.seconds] if result.seconds else []
    return result


def ends_early(left: Schedule, right: Schedule) -> str:
    """Return why two runs that agree are not compared to their end; empty if they are."""
    if left.cut or right.cut:
        return left.cut or right.cut
    if len(left.timeouts) > TICK_LIMIT:
        return "too many ticks"
    return "" if left == right else "a recursion went too deep"


def in_turn(
    match: Match, seed: int, numbers: range, without: frozenset[str]
) -> Iterator[tuple[int, Program, tuple[Schedule, Schedule] | None]]:
    """Yield each program with both its schedules, or None if they cannot be compared."""
    for some in (numbers[n : n + AT_ONCE] for n in range(0, len(numbers), AT_ONCE)):
        programs = [match.fit(numbered_program(seed, number, without), number) for number in some]
        yield from zip(some, programs, match.each(programs), strict=True)


def explained(match: Match, seen: Difference, kind: str, budget: int) -> Difference | None:
    """Return the difference on a smaller program, or None if it does not show every time."""
    if is_crash(seen.right):
        return explain_crash(match, seen)
    assert seen.program is not None
    found = explain(match, seen.program, kind, 1 if match.exact else 3, budget)
    # On our own sides a difference counts even if only the linked program shows it, or not every
    # time. A hang does not: every program stands still while the machine does.
    return seen if found is None and match.own and HANGS not in kind else found


def explain_crash(
    match: Match, found: Difference, runs: int = 10, seconds: float = 30
) -> Difference:
    """Return a crash on a smaller program that crashes within some runs, if there is one.

    A program that corrupts memory need not crash at once, nor every time. So a crash is a finding
    even if it does not show again.
    """
    assert found.program is not None
    crashed: dict[Program, tuple[Schedule, Schedule]] = {}
    deadline = time.monotonic() + seconds

    def fails(candidate: Program) -> bool:
        if time.monotonic() > deadline:
            return False
        code = candidate.code()
        left = match.left.run(code)
        if match.blocks(left):
            return False
        for right in (match.right.run(code) for _ in range(runs)):
            if is_crash(right):
                crashed[candidate] = match.seen(left, right)
                return True
        return False

    if isinstance(match.right, ForeignLoop):
        match.right.close()
    if not fails(found.program):
        return found
    small = shrink(found.program, fails)
    return Difference(small, match.left.name, match.right.name, *crashed[small])


def explain(
    match: Match, program: Program, kind: str, times: int, budget: int
) -> Difference | None:
    """Return the difference on a smaller program, or None if it does not show again."""
    whole = match.difference(program, times)
    if whole is None or kind_of(whole) != kind:
        return None

    def fails(candidate: Program) -> bool:
        found = match.difference(candidate)
        return found is not None and kind_of(found) == kind

    if HANGS in kind:
        budget = min(budget, 30)  # each attempt takes as long as the watch lasts
    small = match.difference(shrink(program, fails, budget), times)
    return small if small is not None and kind_of(small) == kind else whole
