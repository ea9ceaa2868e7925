"""The list of work: what is measured, at which size, and what is asked of miniloop."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ASKED", "WORK", "Asked", "Work"]


@dataclass(frozen=True)
class Work:
    """One row of the table.

    ``name`` is also the name of the function in the programs files; ``title`` may speak of
    ``{size}``.
    """

    name: str
    title: str
    size: int
    quick: int  # the size with --quick
    tiny: int  # the size in the smoke test, and of the round that is thrown away
    unit: str  # what is counted by `size`
    measure: Literal["processor", "wall", "memory", "import"] = "processor"

    @property
    def fresh(self) -> bool:
        """True if each measurement needs a process that did nothing before."""
        return self.measure in ("memory", "import")


WORK = [
    Work("switching", "task switching, sleep(0)", 100_000, 20_000, 200, "switch"),
    Work("futures", "awaiting futures", 40_000, 10_000, 200, "await"),
    Work("spawning", "spawning and joining", 30_000, 10_000, 200, "task"),
    Work("call_soon_chain", "call_soon, each calls the next", 50_000, 10_000, 20, "callback"),
    Work("call_soon_batch", "call_soon, 1,000 at once", 100_000, 20_000, 2_000, "callback"),
    Work("timers_fired", "{size:,} timers set and fired", 100_000, 20_000, 50, "timer"),
    Work("timers_cancelled", "{size:,} timers set and cancelled", 100_000, 20_000, 200, "timer"),
    Work("gather", "gather of {size:,}", 10_000, 2_000, 10, "task"),
    Work("queue", "queue ping-pong", 20_000, 5_000, 10, "round trip"),
    Work("lock", "contended lock, 100 tasks", 20_000, 5_000, 200, "turn"),
    Work("executor", "executor round trips", 3_000, 1_000, 10, "round trip", "wall"),
    Work("echo", "echo over TCP, 10 connections", 10_000, 2_000, 20, "round trip"),
    Work("aiohttp", "aiohttp, 20 connections", 2_000, 400, 20, "request"),
    Work("memory", "memory of {size:,} parked tasks", 100_000, 20_000, 1_000, "task", "memory"),
    Work("importing", "import time", 1, 1, 1, "import", "import"),
]


@dataclass(frozen=True)
class Asked:
    """What is asked of miniloop in one kind of work, as a ratio to ``against``.

    ``least``: at least so many times as fast. ``most``: at most so many times as much, which is
    time, or memory where that is measured. ``of`` is the contender that is asked.
    """

    work: str
    of: str = "miniloop"
    against: str = "asyncio"
    least: float | None = None
    most: float | None = None

    def met(self, speed: float, memory: bool) -> bool:
        """Return whether ``speed`` (for memory: how many times as much) is enough."""
        if self.least is not None:
            return speed >= self.least
        if self.most is None:
            raise ValueError(f"nothing is asked of {self.work}: give `least` or `most`")
        return (speed if memory else 1 / speed) <= self.most

    def __str__(self) -> str:
        figure = f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"
        return figure if self.of == "miniloop" else f"{self.of} {figure}"


# As medians, on a release build of CPython 3.15.
ASKED = [
    Asked("switching", least=2.5),
    Asked("futures", least=1.5),
    Asked("spawning", least=1.4),
    Asked("call_soon_chain", least=1.7),
    Asked("call_soon_batch", least=1.5),
    Asked("timers_fired", least=1.3),
    Asked("timers_cancelled", least=1.3),
    Asked("gather", least=1.5),
    Asked("queue", least=1.3),
    Asked("lock", least=1.3),
    Asked("echo", of="interop", least=1.0),
    Asked("aiohttp", of="interop", least=1.0),
    Asked("memory", most=1.5),
    Asked("switching", against="uvloop", least=1.0),
    Asked("switching", against="bare", most=1.6),
    Asked("switching", against="bare-async", most=1.6),  # the same with the same kind of sleep
]
