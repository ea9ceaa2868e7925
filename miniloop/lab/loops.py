"""Faults of the loop itself: the ready queue, timers, stop, threads, readiness."""
# ruff: noqa: D101, D102, N801 - the decorator says what each class is and is for

from __future__ import annotations

import itertools
from collections import deque
from contextvars import Context
from typing import Any

from miniloop import EventLoop, Handle

from .fault import broken


class Stack(deque[Any]):
    def popleft(self) -> Any:
        return self.pop()


class Nothing:
    """Takes a place in the ready queue and does nothing."""

    def _run(self) -> None:
        pass


@broken("The ready queue is first in, first out.")
class last_in_first_out(EventLoop):
    def __init__(self, selector: Any = None) -> None:
        super().__init__(selector)
        self._ready = Stack()


@broken("What a batch adds to the ready queue waits for the next tick.")
class same_batch(EventLoop):
    def _run_once(self) -> None:
        super()._run_once()
        for _ in range(1000):
            if not self._ready:
                break
            self._ready.popleft()._run()


@broken("Equal deadlines come out in the order of the heap, which compares deadlines only.")
class timers_in_order(EventLoop):
    _numbers = itertools.count()

    def call_at(self, *args: Any, **options: Any) -> Any:
        timer = super().call_at(*args, **options)
        place = next(n for n, entry in enumerate(self._scheduled) if entry[2] is timer)
        self._scheduled[place] = (timer.when(), next(self._numbers), timer)
        return timer


@broken("Due timers go behind what is ready already.")
class timers_first(EventLoop):
    def _process_events(self, events: Any) -> None:
        super()._process_events(events)
        before, self._ready_before = len(self._ready), list(self._ready)
        scheduled, now = self._scheduled, self.time()
        if scheduled and scheduled[0][0] <= now and before:
            # Behind now, in front by a turn of the queue: what was ready is put in again.
            self._ready.clear()
            for entry in self._ready_before:
                self.call_soon(entry._run, context=Context())


@broken("A deadline is due when it is reached, to the clock's resolution.")
class timers_early(EventLoop):
    def __init__(self, selector: Any = None) -> None:
        super().__init__(selector)
        self._clock_resolution = 0.002


@broken("call_later(0) is a timer: it runs behind what is ready.")
class no_timer_for_zero(EventLoop):
    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        if delay <= 0:
            return self.call_soon(callback, *args, context=context)
        return super().call_later(delay, callback, *args, context=context)


@broken("A deadline in the past keeps its place before later ones.")
class past_is_now(EventLoop):
    def call_at(self, when: float, *args: Any, **options: Any) -> Any:
        return super().call_at(max(when, self.time()), *args, **options)


@broken("The timeout passed to select reaches to the next deadline.")
class wakes_too_often(EventLoop):
    def _run_once(self) -> None:
        scheduled = self._scheduled
        if scheduled and not self._ready and scheduled[0][0] - self.time() > 0.015:
            self._ready.append(Nothing())  # type: ignore[arg-type]
        super()._run_once()


@broken("stop() ends the loop after the current batch.")
class stops_late(EventLoop):
    def stop(self) -> None:
        self.call_soon(super().stop)


@broken("stop() lets the current batch run out.")
class stops_at_once(EventLoop):
    _held: tuple[Any, ...] = ()

    def stop(self) -> None:
        super().stop()
        if self.is_running() and not self._held:
            self._held = tuple(self._ready)
            self._ready.clear()
            self._ready.extend(Nothing() for _ in self._held)  # type: ignore[misc]

    def _run_once(self) -> None:
        self._ready.extendleft(reversed(self._held))
        self._held = ()
        super()._run_once()


@broken("After a KeyboardInterrupt the rest of the batch is still queued.")
class interrupt_drops_the_batch(EventLoop):
    def _run_once(self) -> None:
        try:
            super()._run_once()
        except (KeyboardInterrupt, SystemExit):
            self._ready.clear()
            raise


@broken("A callback runs in a copy of the context in which it was scheduled.")
class context_lost(EventLoop):
    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
        return super().call_soon(callback, *args, context=context or Context())


@broken("call_soon_threadsafe, too, copies the context.")
class context_lost_between_threads(EventLoop):
    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        return super().call_soon_threadsafe(callback, *args, context=context or Context())


@broken("A cancelled handle does not run, whatever its arguments.")
class one_argument_is_not_cancelled(EventLoop):
    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
        handle = super().call_soon(callback, *args, context=context)
        return Handle(callback, args, self) if len(args) == 1 else handle


@broken("What a callback raises goes to the exception handler.")
class errors_are_lost(EventLoop):
    def call_exception_handler(self, context: dict[str, Any]) -> None:
        pass


@broken("Callbacks of descriptors run in the tick in which select saw them.")
class readiness_late(EventLoop):
    def _process_events(self, events: Any) -> None:
        if events:
            self.call_soon(super()._process_events, events)


@broken("Callbacks of descriptors go behind what is ready already.")
class readiness_first(EventLoop):
    def _process_events(self, events: Any) -> None:
        before = len(self._ready)
        super()._process_events(events)
        self._ready.rotate(len(self._ready) - before)


@broken("An async generator that is left is closed by a task.")
class generators_left_open(EventLoop):
    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        self._asyncgens.discard(agen)
