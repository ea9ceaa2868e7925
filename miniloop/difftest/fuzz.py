"""Random programs by the thousand: hunts for differences, shrinks and groups what it finds.

Program number `n` of seed `s` is always the same program, so a finding is reproduced by its two
numbers.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..trace import Schedule
from .compare import Difference, agree, compare, first_words
from .generate import Generator
from .linked import Linked
from .programs import Program
from .shrink import shrink
from .sides import Side, quiet, side

# So many programs make one piece of work for a worker process.
PIECE = 500
# And so many are made before they are run.
AT_ONCE = 32


def numbered_program(seed: int, number: int, without: frozenset[str] = frozenset()) -> Program:
    """Program `number` of a seed."""
    return Generator(random.Random(f"{seed}/{number}"), without).program()


def in_turn(
    one: Side, other: Side, seed: int, numbers: range, without: frozenset[str]
) -> Iterator[tuple[int, Program, Schedule, Schedule]]:
    """These programs, and what each side makes of them.

    Several at a time are made, then run on one side, then on the other: the processor's caches are
    too small for all three together.
    """
    for some in (numbers[n : n + AT_ONCE] for n in range(0, len(numbers), AT_ONCE)):
        programs = [numbered_program(seed, number, without) for number in some]
        linked = [Linked(program) for program in programs]
        ours = [one.run(code) for code in linked]
        theirs = [other.run(code) for code in linked]
        yield from zip(some, programs, ours, theirs, strict=True)


@dataclass(frozen=True)
class Finding:
    """A difference, shrunk, and the numbers of the program that first showed it."""

    difference: Difference
    seed: int
    number: int

    @property
    def kind(self) -> str:
        """What findings are grouped by: what each side does at the first difference."""
        return first_words(self.difference)

    def reproduce(self) -> str:
        """The command that finds this again."""
        return (
            f"python -m miniloop fuzz --loop {self.difference.right_name} "
            f"--against {self.difference.left_name} --seed {self.seed} "
            f"--start {self.number} --examples 1"
        )

    def __str__(self) -> str:
        return f"{self.difference}\n\nreproduce: {self.reproduce()}"


@dataclass
class Hunt:
    """What came of some programs."""

    programs: int = 0
    seconds: float = 0.0
    """Of processor time, summed over processes."""
    events: list[int] = field(default_factory=list)
    findings: dict[str, Finding] = field(default_factory=dict)
    """The smallest finding of each kind."""
    counts: dict[str, int] = field(default_factory=dict)
    """How many programs differed, by kind."""
    cut: dict[str, int] = field(default_factory=dict)
    """How many comparisons ended early, by reason."""

    def add(self, other: Hunt) -> None:
        """Take in what another hunt found."""
        self.programs += other.programs
        self.seconds += other.seconds
        self.events += other.events
        for kind, count in other.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
            self._keep(other.findings[kind])
        for reason, count in other.cut.items():
            self.cut[reason] = self.cut.get(reason, 0) + count

    def found(self, finding: Finding) -> None:
        """Note one differing program."""
        self.counts[finding.kind] = self.counts.get(finding.kind, 0) + 1
        self._keep(finding)

    def _keep(self, finding: Finding) -> None:
        best = self.findings.get(finding.kind)
        if best is None or size(finding) < size(best):
            self.findings[finding.kind] = finding

    def summary(self) -> str:
        """One line: how many programs, how fast, how many differed."""
        rate = self.programs / self.seconds if self.seconds else 0.0
        median = statistics.median(self.events) if self.events else 0
        return (
            f"{self.programs} programs compared, {sum(self.counts.values())} differ in "
            f"{len(self.counts)} ways; median {median:.0f} events; "
            f"{rate:.0f} programs a second and core"
        )


def size(finding: Finding) -> int:
    """Length of the program's text."""
    program = finding.difference.program
    return len(str(program)) if program else 0


def hunt(
    left: str,
    right: str,
    seed: int = 0,
    start: int = 0,
    count: int = 1000,
    without: frozenset[str] = frozenset(),
    most: int = 10,
    shrink_budget: int = 1500,
) -> Hunt:
    """Compare `count` programs in this process; stop early after `most` findings."""
    one, other = side(left), side(right)
    result = Hunt()
    began = time.process_time()
    with quiet():
        numbers = range(start, start + count)
        for number, program, ours, theirs in in_turn(one, other, seed, numbers, without):
            result.programs += 1
            result.events.append(len(ours.rows))
            if ours.cut:
                result.cut[ours.cut] = result.cut.get(ours.cut, 0) + 1
            if agree(ours, theirs):
                continue
            small = shrink(program, lambda p: compare(p, one, other) is not None, shrink_budget)
            difference = compare(small, one, other)
            if difference is None:  # Not the same twice: the schedules as they came first.
                difference = Difference(program, left, right, ours, theirs)
            result.found(Finding(difference, seed, number))
            if sum(result.counts.values()) >= most:
                break
    result.seconds = time.process_time() - began
    return result


def hunt_many(
    left: str,
    right: str,
    seed: int,
    count: int,
    jobs: int,
    without: frozenset[str] = frozenset(),
    progress: Callable[[Hunt], None] | None = None,
    start: int = 0,
) -> Hunt:
    """The same on several processes; `progress` is called with the sum so far."""
    total = Hunt()
    pieces = [(n, min(PIECE, start + count - n)) for n in range(start, start + count, PIECE)]
    for result in _spread(left, right, seed, pieces, jobs, without):
        total.add(result)
        if progress is not None:
            progress(total)
    return total


def _spread(
    left: str,
    right: str,
    seed: int,
    pieces: list[tuple[int, int]],
    jobs: int,
    without: frozenset[str],
) -> Iterator[Hunt]:
    if jobs <= 1:
        with quiet():
            for start, count in pieces:
                yield hunt(left, right, seed, start, count, without)
        return
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context) as pool:
        futures = [
            pool.submit(hunt, left, right, seed, start, count, without) for start, count in pieces
        ]
        for future in concurrent.futures.as_completed(futures):
            yield future.result()
