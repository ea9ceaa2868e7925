"""A clock fitted to a loop from outside: `select()` moves it, and nothing else does.

This is all that is needed: a selector, and a subclass that overrides `time()`. It must work for
asyncio's loop and for miniloop's alike.
"""

import selectors
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any


class RecordingSelector(selectors.DefaultSelector):
    """Does not wait: notes how long it was to wait, and moves its clock so far."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.timeouts: list[float | None] = []  # one a tick
        self.idle = threading.Event()  # set when the loop has nothing to do

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.timeouts.append(timeout)
        if timeout is None:  # for another thread, or a signal
            self.idle.set()
            events = super().select(60)
            assert events, "nothing to do, and nobody woke the loop for a minute"
            return events
        events = super().select(0)
        if not events:
            self.now += timeout
        return events


def new_virtual_loop(aio: ModuleType) -> Any:
    """Return a loop of the library `aio` with a `RecordingSelector` as `.recorder`."""

    class VirtualLoop(aio.SelectorEventLoop):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            self.recorder = RecordingSelector()
            super().__init__(self.recorder)

        def time(self) -> float:
            return self.recorder.now

    return VirtualLoop()


def run_on_virtual_clock(aio: ModuleType, main: Any) -> tuple[Any, list[float | None]]:
    """Run `main(log)`; return what it logged as (tick, time, what), and all timeouts."""
    loop = new_virtual_loop(aio)
    logged: list[tuple[int, float, object]] = []

    def log(what: object) -> None:
        logged.append((len(loop.recorder.timeouts), loop.time(), what))

    try:
        loop.run_until_complete(main(log))
    finally:
        loop.close()
    return logged, loop.recorder.timeouts


def schedule(
    aio: ModuleType, program: Callable[[ModuleType, Callable[[object], None]], Any]
) -> dict[int, list[object]]:
    """Run `program(aio, log)`; return what it logged in each tick: {1: ["first", ...], ...}."""
    logged, _ = run_on_virtual_clock(aio, lambda log: program(aio, log))
    ticks: dict[int, list[object]] = {}
    for tick, _, what in logged:
        ticks.setdefault(tick, []).append(what)
    return ticks
