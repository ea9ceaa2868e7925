"""Compare a loop in real time, on the order of events alone.

A loop that takes no selector waits for real, and on a busy machine it wakes late. Then two runs of
one program on one loop may differ, which is nobody's fault. Three things keep such a difference
from counting:

- No two deadlines of a program are near each other. asyncio runs the program on virtual time first,
  where all deadlines are known (`Judge`). A program with two that are nearer than GAP gets other
  delays, and is left out if none of a few choices will do.
- Each event of a run has the time at which it happened. A run is on time if up to the first
  difference each event came at its time, within half of the gap (`on_time`). Such a run cannot have
  mistaken one deadline for another. A run that was late is repeated, with deadlines further apart.
- A difference counts only if it shows several times more when the program runs alone.

Two runs that agree need no such proof. So many programs may wait at the same time, and it does not
matter if some of them are late.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from ..trace import CountingSelector, Recorder, Schedule
from .grammar import OPERATIONS, domain_of
from .programs import FILE_NAME, Block, Op, Program
from .sides import TICK_LIMIT, Side

GAP = 0.004
"""Seconds that lie between two deadlines of a program, and between a deadline and the end of a
block, before deadlines are moved further apart. uvloop and others count whole milliseconds."""
SAME = 0.0001
"""Deadlines that are nearer than so many seconds are one: asking for the time takes some."""
CHOICES = 4
"""How many choices of delays are tried for a program."""
LONGEST = 3.0
"""Seconds. A program that takes longer, with its deadlines as they are printed, is left out."""

BLOCKS = "blocks for ever"
NEAR = "two deadlines are too near each other for real time"
TOGETHER = "several descriptors are ready at once, and their order is undefined"
LEFT_OUT = (BLOCKS, NEAR, TOGETHER)
"""Why a program is not compared at all."""

CLASSES = {
    "0.005": (5, 8),
    "0.01": (5, 19),
    "0.01001": (5, 19),
    "0.0105": (5, 19),
    "0.02": (20, 34),
    "0.03": (35, 49),
    "0.2": (50, 65),
    "0.3": (60, 90),
}
"""For each delay of the grammar, the least and the most milliseconds that may stand in its place.
So what is longer stays longer."""
DELAYS = tuple(f"{number / 1000:g}" for number in range(5, 91))
"""All delays that may come of it, as they are written."""

TELLS_TIME = ("ask_when",)
"""Operations that print a time of the clock."""

SECONDS = re.compile(r"\b0\.\d+\b")
"""Seconds in the text of a program."""
WORDED = re.compile(r"RuntimeError\([^)]*\)")
"""A RuntimeError with its first words, as `describe` writes it."""


def unhurried(program: Program) -> Program:
    """Return the program with a first task that outlasts the others.

    Loops differ most in when and how they stop, which would hide all other differences.
    """
    functions = ((n, (*b, ("sleep", "0.3")) if n == "c0" else b) for n, b in program.functions)
    return Program(program.phases, tuple(functions))


def with_delays(program: Program, rng: random.Random) -> Program:
    """Return the program with delays drawn anew, and without what prints the time."""

    def op(given: Op) -> Op:
        names = OPERATIONS[given[0]].fields
        out: list[Any] = [given[0]]
        for number, value in enumerate(given[1:]):
            if isinstance(value, tuple):
                out.append(block(value))
            elif value in CLASSES and domain_of(names[number]) in ("delay", "limit", "pause"):
                out.append(f"{rng.randint(*CLASSES[value]) / 1000:g}")
            else:
                out.append(value)
        return tuple(out)

    def block(given: Block) -> Block:
        return tuple(op(one) for one in given if one[0] not in TELLS_TIME)

    return Program(block(program.phases), tuple((n, block(b)) for n, b in program.functions))


def well_apart(program: Program, number: int = 0, scale: float = 1.0) -> Program:
    """Return the program with delays whose deadlines real time can tell apart, if any are found.

    The number chooses the delays. They are tried as they run, multiplied by `scale`.
    """
    for choice in range(CHOICES):
        found = with_delays(program, random.Random(f"{number}/{choice}"))
        if prepared(found, scale).why_not != NEAR:
            break
    return found


def slowed(program: Program, scale: float) -> CodeType:
    """Return the code of a program with its seconds multiplied, in whole milliseconds."""
    text = SECONDS.sub(lambda seconds: f"{float(seconds[0]) * scale:.3f}", str(program))
    return compile(text, FILE_NAME, "exec", dont_inherit=True)


@dataclass(frozen=True)
class Prepared:
    """A program that is to run in real time."""

    code: CodeType
    why_not: str
    """Why it is left out, one of LEFT_OUT; empty if it can be compared."""
    seconds: float
    """How long it takes."""


@functools.lru_cache(maxsize=16)
def prepared(program: Program, scale: float) -> Prepared:
    """Return the code of a program, its deadlines multiplied, and what asyncio does with it."""
    code = slowed(program, scale)
    return Prepared(code, *judge().verdict(code, GAP * scale, LONGEST * scale))


@functools.cache
def judge() -> Judge:
    """Return the side that looks at programs before they run in real time."""
    return Judge(
        "asyncio", asyncio, asyncio.SelectorEventLoop, task_class=asyncio.Task, watched=False
    )


class Deadlines(CountingSelector):
    """Looks at the deadlines and descriptors of a loop at each tick."""

    loop: Any = None
    gap = 0.0
    why_not = ""
    """Why the program cannot be compared in real time, one of LEFT_OUT."""
    _last = 0.0
    """When the last call ended."""

    def select(self, timeout: float | None = None) -> Any:
        """Do as `CountingSelector.select()` does, and look."""
        live = sorted(timer._when for timer in self.loop._scheduled if not timer._cancelled)
        tied = {one for one, other in itertools.pairwise(live) if one == other}
        before = self.clock.now
        ready = super().select(timeout)
        blocked, self._last = before - self._last > SAME, self.clock.now
        now = self._last
        if now - before > SAME:  # the loop was idle until the first deadline
            live = live[1:]
        elif not blocked:  # then those that are due just now have no delay, and are in no danger
            live = [when for when in live if abs(when - now) > SAME]
        if any(abs(when - now) < self.gap for when in live) or any(when <= now for when in tied):
            self.why_not = NEAR
        elif sum(self._turn(event)[0] for event in ready) > 1:  # the self-pipe does not count
            self.why_not = TOGETHER
        return ready


class Judge(Side):
    """asyncio on virtual time. Tells whether a program can be compared in real time."""

    def new_loop(
        self, program: str, tick_limit: int, event_limit: int, linked: bool = False
    ) -> tuple[Recorder, Any]:
        """Return a loop whose deadlines are looked at."""
        recorder, loop = super().new_loop(program, tick_limit, event_limit, linked)
        self._selector.loop = loop
        return recorder, loop

    def recorder_class(self, *args: Any) -> Recorder:
        """Return a recorder with such a selector."""
        recorder = Recorder(*args)
        recorder.selector = self._selector = Deadlines(recorder.clock, recorder.selector.tick_limit)
        self._selector.gap = self._gap
        return recorder

    def verdict(self, code: CodeType, gap: float, longest: float) -> tuple[str, float]:
        """Return why a program cannot be compared in real time, and how many seconds it takes."""
        self._gap = gap
        schedule = self.run(code)
        seconds = self._selector.clock.now
        self._selector.loop = self._loop = None  # let go of what the program left
        if blocks(schedule) or seconds > longest:
            return BLOCKS, seconds
        return self._selector.why_not, seconds


def blocks(schedule: Schedule) -> bool:
    """Return whether a program would block for ever in real time, or nearly so."""
    return bool(schedule.cut or None in schedule.timeouts or len(schedule.timeouts) >= TICK_LIMIT)


@dataclass
class Order(Schedule):
    """The order of a schedule: it has no ticks, and its times are not compared."""

    times: list[int] = field(default_factory=list, compare=False)
    """The milliseconds since the run began, of each row."""
    scale: float = field(default=1.0, compare=False)
    """By what its deadlines were multiplied."""


def order(schedule: Schedule, steps: bool = True, scale: float = 1.0) -> Order:
    """Return only the order of a schedule: no ticks, no times, and no steps if they are not seen.

    Logged messages are left out, because they have reprs and real durations in them. So is the text
    of a RuntimeError, because each library has its own.
    """
    kept = [row for row in schedule.rows if row[2] != "logged" and (steps or "#" not in row[2])]
    rows = [(0, 0, who, WORDED.sub("RuntimeError()", what)) for _, _, who, what in kept]
    return Order(rows, cut=schedule.cut, times=[row[1] for row in kept], scale=scale)


def lateness(left: Order, right: Order) -> float:
    """Return by how many seconds the times of two runs differ, up to the first difference."""
    return max((abs(one - other) for one, other in _times(left, right)), default=0) / 1000


def _times(left: Order, right: Order) -> Iterator[tuple[int, int]]:
    """Yield the times of each event on both sides, up to the first difference."""
    for number, times in enumerate(zip(left.times, right.times, strict=False)):
        yield times
        if left.rows[number] != right.rows[number]:
            return


def on_time(left: Order, right: Order) -> bool:
    """Return whether no event up to the first difference came so late that it shows nothing."""
    return lateness(left, right) <= GAP / 2 * right.scale
