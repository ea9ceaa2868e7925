"""The tick: ready queue, timers, descriptors, stop()."""

# ruff: noqa: D101, D102, D106

from __future__ import annotations

import heapq
import itertools
from collections import deque
from typing import Any

import miniloop
from miniloop.core.loop import BaseEventLoop, _Deadline
from miniloop.io.threads import _copy_future_state

from .broken import BrokenLoop, rewired


class LastInFirstOut(BrokenLoop, rule="first-in-first-out"):
    class EventLoop(miniloop.EventLoop):
        def __init__(self, selector: Any = None) -> None:
            super().__init__(selector)
            self._ready = Stack()


class Stack(deque[Any]):
    """A deque whose popleft() gives the last entry."""

    popleft = deque.pop


class BatchInReverse(BrokenLoop, rule="batch-in-order"):
    class EventLoop(miniloop.EventLoop):
        def _run_once(self) -> None:
            self._ready.reverse()
            super()._run_once()


class SameTick(BrokenLoop, rule="added-for-the-next-tick"):
    class EventLoop(miniloop.EventLoop):
        def _run_once(self) -> None:
            super()._run_once()
            while self._ready and not self._stopping:
                self._ready.popleft()._run()


class OneAtATime(BrokenLoop, rule="whole-batch"):
    class EventLoop(miniloop.EventLoop):
        _run_once = rewired(BaseEventLoop._run_once, range=lambda count: range(min(count, 1)))


class ImpatientSelect(BrokenLoop, rule="select-timeout"):
    class EventLoop(miniloop.EventLoop):
        _run_once = rewired(BaseEventLoop._run_once, MAXIMUM_SELECT_TIMEOUT=0.025)


class StopAtOnce(BrokenLoop, rule="stop-ends-the-batch"):
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


class StopTooLate(BrokenLoop, rule="stop-begins-no-batch"):
    class EventLoop(miniloop.EventLoop):
        def stop(self) -> None:
            self.call_soon(super().stop)


class StopSticks(BrokenLoop, rule="stop-is-forgotten"):
    class EventLoop(miniloop.EventLoop):
        def _run_forever_cleanup(self) -> None:
            stopping = self._stopping
            super()._run_forever_cleanup()
            self._stopping = stopping


class LostBatch(BrokenLoop, rule="interrupted-batch-stays"):
    class EventLoop(miniloop.EventLoop):
        def _run_once(self) -> None:
            try:
                super()._run_once()
            except BaseException:
                self._ready.clear()
                raise


class FifoTimers(BrokenLoop, rule="timer-ties"):
    class EventLoop(miniloop.EventLoop):
        call_at = rewired(BaseEventLoop.call_at, _Deadline=lambda when: NumberedDeadline(when))


class NumberedDeadline(_Deadline):
    """A deadline that sorts before every equal one that is made later."""

    count = itertools.count(1)

    def __init__(self, when: float) -> None:
        self.number = next(self.count)

    def __lt__(self, other: Any) -> bool:
        return (float(self), self.number) < (float(other), getattr(other, "number", 0))


class ClampedDeadlines(BrokenLoop, rule="past-deadlines"):
    class EventLoop(miniloop.EventLoop):
        def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
            return super().call_at(max(when, self.time()), callback, *args, context=context)


class NoTimerForZero(BrokenLoop, rule="zero-delay-is-a-timer"):
    class EventLoop(miniloop.EventLoop):
        def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
            if delay == 0:
                return self.call_soon(callback, *args, context=context)
            return super().call_later(delay, callback, *args, context=context)


class TimersFirst(BrokenLoop, rule="timers-behind-callbacks"):
    class EventLoop(miniloop.EventLoop):
        def _run_once(self) -> None:
            self._ready.extendleft(reversed(due(self)))
            super()._run_once()


class TimersBeforeReaders(BrokenLoop, rule="readers-before-timers"):
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


class StarvedReaders(BrokenLoop, rule="readers-every-tick"):
    class EventLoop(miniloop.EventLoop):
        def _process_events(self, events: Any) -> None:
            if not self._ready:
                super()._process_events(events)


class ReadersCalledOnce(BrokenLoop, rule="readers-called-again"):
    class EventLoop(miniloop.EventLoop):
        def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
            def once() -> None:
                self.remove_reader(fd)
                callback(*args)

            super().add_reader(fd, once)


class CancelledTimersKept(BrokenLoop, rule="cancelled-timers-dropped"):
    class EventLoop(miniloop.EventLoop):
        def _drop_cancelled_timers(self) -> None:
            pass


class EagerSweep(BrokenLoop, rule="heap-is-swept"):
    class EventLoop(miniloop.EventLoop):
        _drop_cancelled_timers = rewired(
            BaseEventLoop._drop_cancelled_timers,
            _MIN_SCHEDULED_TIMER_HANDLES=2,
            _MIN_CANCELLED_TIMER_HANDLES_FRACTION=0,
        )


class ThreadsJumpTheQueue(BrokenLoop, rule="threads-append"):
    class EventLoop(miniloop.EventLoop):
        def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
            handle = super().call_soon_threadsafe(callback, *args, context=context)
            self._ready.rotate(1)
            return handle


class JobsPolled(BrokenLoop, rule="jobs-end-by-callback"):
    class EventLoop(miniloop.EventLoop):
        @staticmethod
        def _poll(job: Any, *, loop: Any) -> Any:
            future = loop.create_future()

            def look() -> None:
                if job.done():
                    _copy_future_state(job, future)
                elif not future.done() or not job.cancel():
                    loop.call_later(0.01, look)

            look()
            return future

        run_in_executor = rewired(miniloop.EventLoop.run_in_executor, wrap_future=_poll)


class GeneratorsForgotten(BrokenLoop, rule="generators-closed"):
    class EventLoop(miniloop.EventLoop):
        def _asyncgen_finalizer_hook(self, agen: Any) -> None:
            pass


class GeneratorsLeftOpen(BrokenLoop, rule="run-closes-generators"):
    class EventLoop(miniloop.EventLoop):
        async def shutdown_asyncgens(self) -> None:
            self._asyncgens_shutdown_called = True


class SilentErrors(BrokenLoop, rule="errors-reported"):
    class EventLoop(miniloop.EventLoop):
        def call_exception_handler(self, context: Any) -> None:
            pass
