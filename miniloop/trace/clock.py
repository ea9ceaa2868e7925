"""A selector that counts ticks and drives a virtual clock.

A selector loop calls `select(timeout)` exactly once per tick, so a selector sees every tick and
every timeout. This one never blocks: it asks the real descriptors without waiting, and where the
loop would have slept it moves the clock instead.

The clock must not stand still between two ticks. On a standing clock deadlines tie that never tie
for real, and loops then differ where they do not. So each call of `time()` costs a tenth of a
microsecond, and a sleep ends on a whole millisecond later than asked, as `epoll` rounds.
"""

from __future__ import annotations

import itertools
import math
import selectors
from collections.abc import Mapping
from typing import Any

COST_OF_ASKING = 1e-7


class Stuck(Exception):
    """Raised out of `select` where the loop would block for ever, or has run for too many ticks."""

    for_ever = False
    """True if the loop would block for ever, False if it has run for too many ticks."""


class VirtualClock:
    """Seconds that pass only when someone sleeps, or asks for the time."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        """Return the seconds since the run began. Asking takes COST_OF_ASKING."""
        self.now += COST_OF_ASKING
        return self.now

    def move(self, when: float) -> None:
        """Let time pass until then, unless it is later already."""
        self.now = max(self.now, when)

    def sleep(self, seconds: float) -> None:
        """Let time pass in place of `time.sleep`: blocking the loop takes time, too."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.now += seconds


class CountingSelector(selectors.BaseSelector):
    """Counts calls of `select` and turns their timeouts into virtual time.

    Descriptors that are ready at once come out in the order in which they were registered: the
    order in which the kernel names them is undefined. The loop's self-pipe comes before all, since
    asyncio registers it at the start, and miniloop at the first need.
    """

    def __init__(self, clock: VirtualClock, tick_limit: int = 100_000) -> None:
        self.clock = clock
        self.timeouts: list[float | None] = []
        """The timeout of each tick, in seconds. None is without limit."""
        self.tick_limit = tick_limit
        # The quickest to make and to ask.
        self._real: Any = getattr(selectors, "PollSelector", selectors.SelectSelector)()
        self._registered: dict[int, int] = {}
        self._serial = itertools.count()

    @property
    def ticks(self) -> int:
        """The number of calls of `select()`."""
        return len(self.timeouts)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:  # noqa: D102
        # To the millisecond, see Event.time.
        self.timeouts.append(round(timeout, 3) if timeout else timeout)
        if len(self.timeouts) > self.tick_limit:
            raise Stuck(f"still running after {self.tick_limit} ticks")
        if self._registered:
            ready: list[tuple[selectors.SelectorKey, int]] = self._real.select(0)
            if ready:
                if len(ready) > 1:
                    ready.sort(key=self._turn)
                return ready
        if timeout is None or timeout > 0:
            return self.wait(timeout)
        return []

    def wait(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Move the clock to the end of the wait, since nothing is ready."""
        if timeout is None:
            return self.wait_for_ever()
        self.clock.now += math.ceil(timeout * 1e3) * 1e-3
        return []

    def _turn(self, event: tuple[selectors.SelectorKey, int]) -> tuple[bool, int]:
        key = event[0]
        reader = key.data[0] if isinstance(key.data, tuple) else None
        name = getattr(getattr(reader, "_callback", None), "__name__", "")
        return name != "_read_from_self", self._registered[key.fd]

    def wait_for_ever(self) -> list[tuple[selectors.SelectorKey, int]]:
        """Give up, since only a thread or a peer outside the loop could wake it."""
        stuck = Stuck("blocks for ever: nothing is ready and no timer is set")
        stuck.for_ever = True
        raise stuck

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: D102
        key: selectors.SelectorKey = self._real.register(fileobj, events, data)
        self._registered[key.fd] = next(self._serial)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: D102
        key: selectors.SelectorKey = self._real.unregister(fileobj)
        self._registered.pop(key.fd, None)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: D102
        key: selectors.SelectorKey = self._real.modify(fileobj, events, data)
        return key

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:  # noqa: D102
        mapping: Mapping[Any, selectors.SelectorKey] = self._real.get_map()
        return mapping

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: D102
        key: selectors.SelectorKey = self._real.get_key(fileobj)
        return key

    def close(self) -> None:  # noqa: D102
        self._real.close()
