"""``test.test_asyncio.utils.TestLoop`` again, on nothing but the loop's public interface.

The tests' own TestLoop has a clock that stands still and is moved by a generator: after each tick,
every deadline that was set during it is sent to the generator, and what the generator yields is
added to the clock. It does so by overriding private methods. Here the same happens when the next
``select`` begins, which is the same moment, by a selector given to the loop and by overriding
``time`` and ``call_at``.
"""

import selectors
from collections.abc import Callable, Generator, Mapping
from typing import Any


class ClockSelector(selectors.BaseSelector):
    """Watches nothing, returns at once, and tells a test loop that a tick begins."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self._keys[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return self._keys[fileobj]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[Any]:
        self._tick()
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


def no_timers() -> Generator[float, float, None]:
    """The clock of a test loop that was given none: it must not set a timer."""
    yield 0


def make_test_loop_class(loop_class: Any) -> type:
    """A TestLoop that inherits from the loop class under test."""

    class TestLoop(loop_class):
        def __init__(self, gen: Callable[[], Generator[float, float, None]] | None = None) -> None:
            self._test_time = 0
            self._test_clock = (gen or no_timers)()
            self._check_on_close = gen is not None
            next(self._test_clock)
            # A deadline set before a run counts as set in the run's first tick.
            self._deadlines_before_run: list[float] = []
            self._deadlines: list[float] = []
            super().__init__(ClockSelector(self._start_tick))

        def time(self) -> float:
            return self._test_time

        def advance_time(self, advance: float | None) -> None:
            if advance:
                self._test_time += advance

        def call_at(self, when: float, *args: Any, **kwargs: Any) -> Any:
            noted = self._deadlines if self.is_running() else self._deadlines_before_run
            noted.append(when)
            return super().call_at(when, *args, **kwargs)

        def run_forever(self) -> None:
            super().run_forever()
            self._end_tick()

        def close(self) -> None:
            super().close()
            if self._check_on_close:
                try:
                    self._test_clock.send(0)
                except StopIteration:
                    return
                raise AssertionError("the test's clock has more to say than the test has asked")

        def _start_tick(self) -> None:
            self._end_tick()
            self._deadlines, self._deadlines_before_run = self._deadlines_before_run, []

        def _end_tick(self) -> None:
            deadlines, self._deadlines = self._deadlines, []
            for when in deadlines:
                self.advance_time(self._test_clock.send(when))

    return TestLoop
