"""The tick: ready queue, timers, descriptors, stop()."""

# ruff: noqa: D102, D106

from __future__ import annotations

import heapq
import itertools
from collections import deque
from typing import Any

import miniloop
from miniloop.core.loop import BaseEventLoop, _Deadline

from .broken import BrokenLoop, rewired


class LastInFirstOut(BrokenLoop):
    """The ready queue is first in, first out."""

    class EventLoop(miniloop.EventLoop):
        def __init__(self, selector: Any = None) -> None:
            super().__init__(selector)
            self._ready = Stack()


class Stack(deque[Any]):
    """A deque whose popleft() gives the last entry."""

    popleft = deque.pop


class BatchInReverse(BrokenLoop):
    """What is ready when a tick begins runs in the order in which it became ready."""

    class EventLoop(miniloop.EventLoop):
        def _run_once(self) -> None:
            self._ready.reverse()
            super()._run_once()


class SameTick(BrokenLoop):
    """What a callback adds to the ready queue waits for the next tick."""

    class EventLoop(miniloop.EventLoop):
        def _run_once(self) -> None:
            super()._run_once()
            while self._ready and not self._stopping:
                self._ready.popleft()._run()


class OneAtATime(BrokenLoop):
    """A tick runs everything that is ready when its batch begins, not only the first entry."""

    class EventLoop(miniloop.EventLoop):
        _run_once = rewired(BaseEventLoop._run_once, range=lambda count: range(min(count, 1)))


class StopAtOnce(BrokenLoop):
    """After stop(), the rest of the batch still runs."""

    class EventLoop(miniloop.EventLoop):
        _stop_now = False

        def stop(self) -> None:
            super().stop()
            self._stop_now = True

        def _run_once(self) -> None:
            self._stop_now = False
            rewired(BaseEventLoop._run_once, range=self._until_stopped)(self)

        def _until_stopped(self, count: int) -> Any:
            return itertools.takewhile(lambda _: not self._stop_now, range(count))


class StopTooLate(BrokenLoop):
    """After stop(), the loop runs no further batch."""

    class EventLoop(miniloop.EventLoop):
        def stop(self) -> None:
            self.call_soon(super().stop)


class StopSticks(BrokenLoop):
    """A loop that was stopped can run again: it forgets the earlier stop()."""

    class EventLoop(miniloop.EventLoop):
        def _run_forever_cleanup(self) -> None:
            stopping = self._stopping
            super()._run_forever_cleanup()
            self._stopping = stopping


class LostBatch(BrokenLoop):
    """When a KeyboardInterrupt ends the loop, the rest of the batch stays in the queue."""

    class EventLoop(miniloop.EventLoop):
        def _run_once(self) -> None:
            try:
                super()._run_once()
            except BaseException:
                self._ready.clear()
                raise


class FifoTimers(BrokenLoop):
    """Timers with equal deadlines run in the order of the heap, not in the order of their calls."""

    class EventLoop(miniloop.EventLoop):
        call_at = rewired(BaseEventLoop.call_at, _Deadline=lambda when: NumberedDeadline(when))


class NumberedDeadline(_Deadline):
    """A deadline that sorts before every equal one that is made later."""

    count = itertools.count(1)

    def __init__(self, when: float) -> None:
        self.number = next(self.count)

    def __lt__(self, other: Any) -> bool:
        return (float(self), self.number) < (float(other), getattr(other, "number", 0))


class ClampedDeadlines(BrokenLoop):
    """A timer with a deadline in the past runs before one that is due just now."""

    class EventLoop(miniloop.EventLoop):
        def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
            return super().call_at(max(when, self.time()), callback, *args, context=context)


class NoTimerForZero(BrokenLoop):
    """call_later(0) makes a timer like any other: it runs behind callbacks that are ready."""

    class EventLoop(miniloop.EventLoop):
        def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
            if delay == 0:
                return self.call_soon(callback, *args, context=context)
            return super().call_later(delay, callback, *args, context=context)


class TimersFirst(BrokenLoop):
    """Due timers run behind the callbacks that were ready before."""

    class EventLoop(miniloop.EventLoop):
        def _process_events(self, events: Any) -> None:
            super()._process_events(events)
            self._ready.extendleft(reversed(due(self)))


class TimersBeforeReaders(BrokenLoop):
    """In one tick, callbacks of descriptors run before timers."""

    class EventLoop(miniloop.EventLoop):
        def _process_events(self, events: Any) -> None:
            self._ready.extend(due(self))
            super()._process_events(events)


def due(loop: miniloop.EventLoop) -> list[Any]:
    """Take the due timers out of the heap."""
    timers = []
    end_time = loop.time() + loop._clock_resolution
    while loop._scheduled and loop._scheduled[0] < end_time:
        timers.append(heapq.heappop(loop._scheduled).timer)
        timers[-1]._scheduled = False
    return timers


class StarvedReaders(BrokenLoop):
    """Descriptors get their turn in every tick, however many callbacks are ready."""

    class EventLoop(miniloop.EventLoop):
        def _process_events(self, events: Any) -> None:
            if not self._ready:
                super()._process_events(events)


class CancelledTimersKept(BrokenLoop):
    """The loop does not wake up for a cancelled timer: it drops the timer before it waits."""

    class EventLoop(miniloop.EventLoop):
        def _drop_cancelled_timers(self) -> None:
            pass


class EagerSweep(BrokenLoop):
    """Cancelled timers are removed from a heap of more than 100 only, which decides ties."""

    class EventLoop(miniloop.EventLoop):
        _drop_cancelled_timers = rewired(
            BaseEventLoop._drop_cancelled_timers,
            _MIN_SCHEDULED_TIMER_HANDLES=2,
            _MIN_CANCELLED_TIMER_HANDLES_FRACTION=0,
        )


class ThreadsJumpTheQueue(BrokenLoop):
    """call_soon_threadsafe() appends to the end of the queue, as call_soon() does."""

    class EventLoop(miniloop.EventLoop):
        def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
            handle = super().call_soon_threadsafe(callback, *args, context=context)
            self._ready.rotate(1)
            return handle


class GeneratorsForgotten(BrokenLoop):
    """The loop closes an async generator that is left in the middle."""

    class EventLoop(miniloop.EventLoop):
        def _asyncgen_finalizer_hook(self, agen: Any) -> None:
            pass


class SilentErrors(BrokenLoop):
    """An error in a callback goes to the exception handler."""

    class EventLoop(miniloop.EventLoop):
        def call_exception_handler(self, context: Any) -> None:
            pass
