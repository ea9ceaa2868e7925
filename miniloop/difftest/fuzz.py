"""Run random programs on two loops, find differences, make them small and group them.

On one Python, program number `n` of seed `s` is always the same program. A finding has a token
(see `tokens`), which stands for its small program on all Pythons.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ..trace import Schedule
from .compare import Difference, agree, first_words, one_hangs
from .foreign import ForeignLoop, Match, is_crash
from .generate import Generator
from .programs import Program
from .real_time import blocks
from .shrink import shrink, shrink_many
from .sides import TICK_LIMIT, Side, side
from .surroundings import HANGS, quiet
from .tokens import Drawn, token_of

AT_ONCE = 32
"""How many programs are made, and then run first on one side and then on the other."""
ONCE = "differs, but not every time"
AGREEING = 40
"""On so many programs on which the sides agree, a broken loop that is suspected must agree, too."""
SIDE_BY_SIDE = 4
"""How many smaller programs are tried at the same time if they wait in real time."""
ENOUGH = 3
"""For so many programs with one explanation, a small program is looked for. The smallest stays."""


def numbered_program(seed: int, number: int, without: frozenset[str] = frozenset()) -> Program:
    """Return program `number` of a seed."""
    return Generator(random.Random(f"{seed}/{number}"), without).program()


@dataclass(frozen=True)
class Finding:
    """A difference on a small program, and the numbers of the program that showed it first."""

    difference: Difference
    seed: int
    number: int
    rules: tuple[str, ...] = ()
    """The broken loops that run the small program as the right side does, by name."""
    without: frozenset[str] = frozenset()
    """The features that were left out when the program was drawn."""

    @property
    def kind(self) -> str:
        """What each side does at the first difference, without numbers."""
        return kind_of(self.difference)

    @property
    def key(self) -> str:
        """The kind, with the rules if there are any: what is counted together."""
        return f"{self.kind}: {', '.join(self.rules)}" if self.rules else self.kind

    @property
    def token(self) -> str:
        """The token of the small program."""
        drawn = Drawn(self.seed, self.number, self.without)
        return token_of(self.difference.program, drawn)

    def reproduce(self) -> str:
        """Return the command that finds this again."""
        return (
            f"python -m miniloop fuzz --loop {self.difference.right_name} "
            f"--against {self.difference.left_name} --replay {self.token}"
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
    """The smallest finding of each kind, by its key."""
    counts: dict[str, int] = field(default_factory=dict)
    """How many programs differed, by key, except those in `explained`."""
    explained: dict[tuple[str, ...], int] = field(default_factory=dict)
    """How many programs differed, and ran to their end as on these broken loops."""
    differing: list[int] = field(default_factory=list)
    """The numbers of the programs in `counts`."""
    cut: dict[str, int] = field(default_factory=dict)
    """How many comparisons ended early, by reason."""
    agreeing: list[tuple[Program, Schedule]] = field(default_factory=list)
    """A few programs on which the loops agree, and what both do."""

    def add(self, other: Hunt) -> None:
        """Add the results of another hunt."""
        self.programs += other.programs
        self.seconds += other.seconds
        self.rates += other.rates
        self.events += other.events
        self.differing += other.differing
        for finding in other.findings.values():
            self.keep(finding)
        for kind, count in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
        for names, count in other.explained.items():
            self.explained[names] = self.explained.get(names, 0) + count
        for reason, count in other.cut.items():
            self.cut[reason] = self.cut.get(reason, 0) + count
        self.agreeing = [*self.agreeing, *other.agreeing][:AGREEING]

    @property
    def differ(self) -> int:
        """How many programs differed."""
        return sum(self.counts.values()) + sum(self.explained.values())

    def count(self, key: str, number: int) -> None:
        """Note a program that differs as the finding of this key does."""
        self.counts[key] = self.counts.get(key, 0) + 1
        self.differing.append(number)

    def ended_early(self, reason: str) -> None:
        """Note a comparison that ended early."""
        self.cut[reason] = self.cut.get(reason, 0) + 1

    def keep(self, finding: Finding) -> None:
        """Note a finding, unless there is a smaller one of its kind."""
        best = self.findings.get(finding.key)
        if best is None or size(finding) < size(best):
            self.findings[finding.key] = finding


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
    """Return the group of a finding: how the process has ended, or else its kind."""
    events = finding.difference.right.events
    if events and events[0].who == "process":
        return f"process {events[0].what}"
    return finding.kind


def short_id(kind: str) -> str:
    """Return a name of six characters for a group of findings."""
    return hashlib.sha1(kind.encode()).hexdigest()[:6]


Diagnosis = Callable[[Schedule, Schedule, Callable[[Side], Schedule]], list[Side]]
"""Returns the broken loops that run a program as the right side does, and not as the left one. It
gets both schedules, and a function that runs the program on one more side."""


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
    diagnosis: Diagnosis | None = None,
    suspects: Sequence[str] = (),
    excused: Sequence[str] = (),
    numbers: Sequence[int] | None = None,
    given: Program | None = None,
    agreeing: Sequence[tuple[Program, Schedule]] = (),
) -> Hunt:
    """Compare `count` programs, or as many as `seconds` allow.

    For the first finding of each kind, look for a small program. Count the others. Groups whose
    short id is in `allow` are no findings, and are only counted. Neither are programs that the
    right side runs as one of the `excused` loops does. With a `diagnosis`, a program that runs to
    its end as on a broken loop found before needs no small program. Those in `suspects` are such
    loops from the beginning. With `numbers`, compare the programs of these numbers, and ignore
    `start` and `count`. With a `given` program, compare only that, as it is. Programs in `agreeing`
    are some on which the loops were found to agree before.
    """
    match = Match(left, right, excused)
    clock = time.process_time if match.own else time.perf_counter
    result = Hunt(agreeing=list(agreeing))
    if given is not None:
        shrink_budget = 0
    search = Search(match, seed, without, allow, shrink_budget, diagnosis, suspects, result)
    began = clock()
    try:
        with quiet():
            numbers = range(start, start + count) if numbers is None else numbers
            for number, program, both in compared(match, seed, numbers, without, given):
                if isinstance(both, str):
                    result.ended_early(both)
                    continue
                result.programs += 1
                result.events.append(len(both[0].rows))
                if agree(*both):
                    search.note_agreeing(program, both[0])
                    if reason := ends_early(*both):
                        result.ended_early(reason)
                else:
                    search.look_into(Difference(program, left, right, *both), number)
                if clock() - began > seconds:
                    break
    finally:
        match.close()
    result.seconds = clock() - began
    result.rates = [result.programs / result.seconds] if result.seconds else []
    return result


@dataclass
class Search:
    """Looks into the programs that differ, one after the other."""

    match: Match
    seed: int
    without: frozenset[str]
    allow: frozenset[str]
    budget: int
    diagnosis: Diagnosis | None
    suspects: Sequence[str]
    result: Hunt
    _suspects: dict[str, Side] = field(default_factory=dict)
    """The broken loops that ran a small program as the right side does."""
    _tried: dict[str, int] = field(default_factory=dict)
    """For how many programs of a kind a small program was looked for."""
    _small: dict[str, str] = field(default_factory=dict)
    """The key of a finding, by the kind of the program that was made smaller."""
    _allowed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._refuter = Refuter(self.match, self.result.agreeing)
        sides = [side(one) for one in self.suspects]
        self._suspects.update({one.name: one for one in sides})
        self._known = frozenset(one.name for one in sides)

    def look_into(self, seen: Difference, number: int) -> None:
        """Note a program that differs, and look for a small one if the difference is new."""
        result, match = self.result, self.match
        if match.is_late((seen.left, seen.right)):
            assert seen.program is not None
            alone = match.difference(seen.program)
            if alone is None:
                result.ended_early(ONCE)
                return
            seen = alone
        if names := self._alike(match.excused, seen):
            result.ended_early(f"runs as on {names[0]}, which is allowed")
            return
        names = self._alike(self._suspects.values(), seen)
        seen_before = result.explained.get(names, 0)
        if names and (seen_before >= ENOUGH or not self._known.isdisjoint(names)):
            result.explained[names] = seen_before + 1
            return
        kind = kind_of(seen)
        if kind in self._allowed:
            result.ended_early(self._allowed[kind])
            return
        # Behind one difference that is excused, there may be several others.
        most = ENOUGH if match.excused else 1
        if not names and self._tried.get(kind, 0) >= most:
            result.count(self._small[kind], number)
            return
        found = explained(match, seen, kind, self.budget)
        if found is None:
            result.ended_early(ONCE)
            return
        rules = self._diagnosed(found)
        finding = Finding(found, self.seed, number, rules, self.without)
        name = short_id(group(finding))
        if name in self.allow:
            self._allowed[kind] = f"begins as one of the group {name}, which is allowed"
            result.ended_early(self._allowed[kind])
            return
        self._tried[kind] = self._tried.get(kind, 0) + 1
        self._small[kind] = finding.key
        result.keep(finding)
        if names := self._alike(self._suspects.values(), seen):
            result.explained[names] = result.explained.get(names, 0) + 1
        else:
            result.count(finding.key, number)

    def note_agreeing(self, program: Program, seen: Schedule) -> None:
        """Note a program on which the sides agree."""
        if len(self.result.agreeing) < AGREEING and self.diagnosis is not None:
            self.result.agreeing.append((program, seen))

    def is_refuted(self, side: Side) -> bool:
        """Return whether a broken loop is refuted by the programs that agree up to now."""
        return self._refuter.refutes(side)

    def _diagnosed(self, found: Difference) -> tuple[str, ...]:
        if self.diagnosis is None or is_crash(found.right):
            return ()
        assert found.program is not None
        code, seen = found.program.code(), self.match.seen
        sides = self.diagnosis(found.left, found.right, lambda one: seen(one.run(code)))
        sides = [one for one in sides if not self.is_refuted(one)]
        self._suspects.update({one.name: one for one in sides})
        return tuple(one.name for one in sides)

    def _alike(self, sides: Collection[Side], seen: Difference) -> tuple[str, ...]:
        """Return which sides run a program as the right side does, by name."""
        assert seen.program is not None
        if not sides:
            return ()
        code = self.match.code(seen.program)
        return tuple(one.name for one in sides if agree(self.match.seen(one.run(code)), seen.right))


@dataclass
class Refuter:
    """Tells which broken loops the right side cannot be like, by programs on which it agrees."""

    match: Match
    programs: Sequence[tuple[Program, Schedule]]
    """Programs on which both sides agree, and what both do. There may be more later."""
    _tried: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each broken loop: how many of the programs it has run, and on how many it differs."""

    def refutes(self, side: Side) -> bool:
        """Return whether a broken loop differs on many programs on which the sides agree.

        Then the right side does not break its rule, but another one that shows in the same way.
        """
        tried, differ = self._tried.get(side.name, (0, 0))
        for program, schedule in self.programs[tried:]:
            differ += not agree(self.match.seen(side.run(self.match.code(program))), schedule)
        self._tried[side.name] = len(self.programs), differ
        return differ > 2 and differ > len(self.programs) / 5


def ends_early(left: Schedule, right: Schedule) -> str:
    """Return why two runs that agree are not compared to their end; empty if they are."""
    if left.cut or right.cut:
        return left.cut or right.cut
    if len(left.timeouts) > TICK_LIMIT:
        return "too many ticks"
    return "" if left == right else "a recursion went too deep"


Compared = tuple[int, Program, tuple[Schedule, Schedule] | str]
"""The number of a program, the program, and both schedules, or why they cannot be compared."""


def compared(
    match: Match,
    seed: int,
    numbers: Sequence[int],
    without: frozenset[str],
    given: Program | None,
) -> Iterator[Compared]:
    """Yield each program with both its schedules. In real time they come as they end."""
    if given is not None and match.exact:
        yield numbers[0], given, next(match.each([given]))
    elif given is not None:
        yield from match.in_real_time([(numbers[0], given)])
    elif match.exact:
        for some in (numbers[n : n + AT_ONCE] for n in range(0, len(numbers), AT_ONCE)):
            programs = [numbered_program(seed, number, without) for number in some]
            yield from zip(some, programs, match.each(programs), strict=True)
    else:
        yield from match.in_real_time(
            (n, match.fit(numbered_program(seed, n, without), n)) for n in numbers
        )


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
        if not match.exact and blocks(left):
            return False
        for right in (match.right.run(code) for _ in range(runs)):
            if is_crash(right):
                crashed[candidate] = match.seen(left), match.seen(right)
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

    def still(found: Difference | None) -> bool:
        # What hides behind an excused difference is of another kind than this one.
        return found is not None and (bool(match.excused) or kind_of(found) == kind)

    if HANGS in kind:
        budget = min(budget, 30)  # each attempt takes as long as the watch lasts
    smallest = shrink_many(
        program,
        lambda some: match.first_differing(some, still),
        1 if match.exact else SIDE_BY_SIDE,
        budget,
    )
    small = match.difference(smallest, times)
    return small if still(small) else whole
