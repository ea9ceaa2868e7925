"""Find a small program that shows which rule a loop breaks."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..difftest import Difference, Program, Side, agree, compare, quiet, side
from ..difftest.fuzz import numbered_program
from ..difftest.linked import Linked
from ..difftest.shrink import shrink
from ..trace import Schedule
from .broken import BrokenLoop, broken

SHORT = 12
"""The most lines of a counterexample. If it has more, the search goes on."""
KEPT = 2500
"""How many programs are kept with their schedules on asyncio: about 20 kB each."""
BEHIND_NAMES = frozenset({"EventLoop", "Task", "Future"})
"""The stand-ins that every program meets, whatever names it uses."""


@dataclass(frozen=True)
class Counterexample:
    """A program that a broken loop and asyncio run differently."""

    broken: type[BrokenLoop]
    difference: Difference
    seed: int
    number: int
    """The number of the random program from which it was made smaller."""
    tried: int
    """How many programs were tried."""

    @property
    def program(self) -> Program:
        """The program."""
        assert self.difference.program is not None
        return self.difference.program

    def __str__(self) -> str:
        return f"{self.difference}\n\nreproduce: python -m miniloop lab {self.broken.name}"


def find(
    name: str,
    *,
    seed: int = 2026,
    budget: int = 20_000,
    progress: Callable[[int], None] | None = None,
    reports: bool = True,
) -> Counterexample | None:
    """Return the counterexample for a broken loop, or None if ``budget`` programs show nothing.

    The programs are those of the property suite. The first one that differs is made smaller. If
    more than 12 lines are left, others are tried until one is short enough. ``progress`` is called
    after every hundred programs, with the number of programs tried. Without ``reports``, a program
    counts only if it shows the breach before destructors report. Raises ValueError for a name
    that is not in ``LOOPS``, and RuntimeError if this Python's asyncio does not keep the rule,
    either.
    """
    loop = broken(name)
    if sys.version_info < loop.since:
        version = ".".join(map(str, loop.since))
        raise RuntimeError(f"asyncio itself keeps the rule of {name!r} only since Python {version}")
    # A program cannot show that a name is broken if it does not use the name.
    uses = () if loop.stand_ins().keys() & BEHIND_NAMES else tuple(loop.stand_ins())
    found = search(
        loop.side(), seed=seed, budget=budget, progress=progress, reports=reports, uses=uses
    )
    return None if found is None else Counterexample(loop, *found)


def search(
    suspect: Side,
    *,
    seed: int = 2026,
    budget: int = 20_000,
    progress: Callable[[int], None] | None = None,
    whole: Side | None = None,
    reports: bool = True,
    uses: Sequence[str] = (),
) -> tuple[Difference, int, int, int] | None:
    """Return how any loop differs from asyncio, or None if ``budget`` programs show nothing.

    The arguments are those of ``find()``. A program counts only if ``whole``, where it is given,
    agrees with asyncio on it. If there are names in ``uses``, programs that use none of these names
    of the module are not run. With the difference come the seed, the number of the program that was
    made smaller, and how many programs were tried.
    """
    reference = side("asyncio")

    def counts(program: Program) -> bool:
        return difference_on(program) is not None and not (
            whole is not None and differs(program, reference, whole)
        )

    def difference_on(program: Program) -> Difference | None:
        found = compare(program, reference, suspect)
        if found is None or reports:
            return found
        found.left.reports.clear()
        found.right.reports.clear()
        return None if agree(found.left, found.right) else found

    best: tuple[Difference, int, int, int] | None = None
    lines = 0
    with quiet():
        for number in range(budget):
            if progress is not None and number % 100 == 0:
                progress(number)
            if uses and not use(numbered_program(seed, number), uses):
                continue
            run = kept_run if number < KEPT else reference_run
            program, linked, expected = run(seed, number)
            if agree(expected, suspect.run(linked)):
                continue
            if (whole is not None or not reports) and not counts(program):
                continue
            small = shrink(program, counts)
            difference = difference_on(small)
            if difference is None:
                continue  # not the same twice
            if best is None or small.line_count() < lines:
                best, lines = (difference, seed, number, number + 1), small.line_count()
            if lines <= SHORT:
                break
    return best


def reference_run(seed: int, number: int) -> tuple[Program, Linked, Schedule]:
    """Return a numbered program, as data and linked, and its schedule on asyncio."""
    program = numbered_program(seed, number)
    linked = Linked(program)
    return program, linked, side("asyncio").run(linked)


kept_run = functools.cache(reference_run)
"""The same, with a cache, because all broken loops are tried on the same programs."""


def use(program: Program, names: Sequence[str]) -> bool:
    """Return whether a program uses one of these names of the module."""
    text = str(program)
    return any(f"asyncio.{name}(" in text for name in names)


def differs(program: Program, reference: Side, suspect: Side) -> bool:
    """Return whether the two run a program differently."""
    return compare(program, reference, suspect) is not None
