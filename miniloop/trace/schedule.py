"""What one run of a program did: its events, each with the tick and the time it happened at."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import NamedTuple


class Event(NamedTuple):
    """One line of a schedule."""

    tick: int
    """How often the loop had called `select` by then; 0 is before the first call."""
    time: int
    """Virtual milliseconds since the run began. Finer differences are noise: each call of `time()`
    costs a tenth of a microsecond, and loops may ask for the time more or less often."""
    who: str
    """A task (`c1#2` runs `c1`, and is number 2 in the order of starting, from 0), `print`,
    `handler` (the exception handler was called), `logged`, `main` (the main program has ended with
    an exception, or left hooks behind), or `process` (that of a foreign loop has ended)."""
    what: str
    """What happened, in words: `send -> line 7`, `throw CancelledError() -> returned`, ..."""

    def __str__(self) -> str:
        return f"{self.tick:>4} {self.time / 1000:>7.3f}  {self.who:<9} {self.what}"


@dataclass
class Schedule:
    """All that two runs must share.

    They agree if it is equal, as far as it can be compared (see `difftest.agree`).
    """

    rows: list[tuple[int, int, str, str]] = field(default_factory=list)
    """What is in `events`, as it was recorded: plain tuples, most of which nobody ever reads."""
    timeouts: list[float | None] = field(default_factory=list)
    """The timeout passed to each `select`, to the millisecond: one entry a tick."""
    reports: list[str] = field(default_factory=list)
    """What destructors reported (exceptions never retrieved, tasks destroyed while pending), and
    what loops warned of, sorted: when an object dies is up to the garbage collector, whether it
    complains is not."""

    cut: str = ""
    """Why recording stopped before the end of the run, if it did; the rest is not comparable."""

    @functools.cached_property
    def events(self) -> list[Event]:
        """The steps of tasks, labelled events and calls of the exception handler, in order."""
        return [Event(*row) for row in self.rows]

    def lines(self) -> list[str]:
        """Return the schedule as text, one event a line, for reading side by side.

        A tick's timeout stands before what happened in that tick.
        """
        lines = []
        tick = 0
        for event in self.events:
            while tick < event.tick:
                lines.append(self._select(tick))
                tick += 1
            lines.append(str(event))
        while tick < len(self.timeouts):
            lines.append(self._select(tick))
            tick += 1
        if self.cut:
            return [*lines, f"{'':>12}  not compared further: {self.cut}"]
        return lines + [f"{'':>12}  at the end: {report}" for report in self.reports]

    def _select(self, tick: int) -> str:
        timeout = self.timeouts[tick]
        return f"{tick + 1:>4} {'':>7}  select({'no timeout' if timeout is None else timeout})"
