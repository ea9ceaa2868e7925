"""Callbacks: handles, contexts, futures."""

# ruff: noqa: D101, D102, D106

from __future__ import annotations

from contextvars import Context
from typing import Any

import miniloop
from miniloop.core.loop import BaseEventLoop

from .broken import BrokenLoop, rewired


class CancelledHandlesRun(BrokenLoop, rule="cancelled-handles"):
    class Handle(miniloop.Handle):
        def cancel(self) -> None:
            self._cancelled = True

        def _run(self) -> None:
            self._cancelled = False
            super()._run()

    class EventLoop(miniloop.EventLoop):
        pass

    EventLoop.call_soon = rewired(BaseEventLoop.call_soon, Handle=Handle)  # type: ignore[method-assign]


class DueTimersRun(BrokenLoop, rule="due-timers-cancelled"):
    class TimerHandle(miniloop.TimerHandle):
        def cancel(self) -> None:
            if self._scheduled:
                super().cancel()

    class EventLoop(miniloop.EventLoop):
        pass

    EventLoop.call_at = rewired(BaseEventLoop.call_at, TimerHandle=TimerHandle)  # type: ignore[method-assign]


class InterruptsSwallowed(BrokenLoop, rule="interrupts-pass"):
    class Handle(miniloop.Handle):
        def _run(self) -> None:
            try:
                super()._run()
            except (KeyboardInterrupt, SystemExit):
                pass

    class EventLoop(miniloop.EventLoop):
        pass

    EventLoop.call_soon = rewired(BaseEventLoop.call_soon, Handle=Handle)  # type: ignore[method-assign]


class ForgetfulCallbacks(BrokenLoop, rule="context-of-callbacks"):
    class EventLoop(miniloop.EventLoop):
        def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
            return super().call_soon(callback, *args, context=context or Context())


class ForgetfulThreads(BrokenLoop, rule="context-from-threads"):
    class EventLoop(miniloop.EventLoop):
        def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
            return super().call_soon_threadsafe(callback, *args, context=context or Context())


class CallbacksInReverse(BrokenLoop, rule="done-callbacks-in-order"):
    class Future(miniloop.Future[Any]):
        def _schedule_waiting(self) -> None:
            self._waiting = self._all_waiting()[::-1] or None
            super()._schedule_waiting()


class CallbacksAtOnce(BrokenLoop, rule="done-callbacks-later"):
    class Future(miniloop.Future[Any]):
        def _schedule_waiting(self) -> None:
            waiting, self._waiting = self._all_waiting(), None
            for entry in waiting:
                entry._args = (self,)  # type: ignore[union-attr]
                entry._run()


class LateWakeups(BrokenLoop, rule="future-one-tick"):
    class Future(miniloop.Future[Any]):
        def _schedule_waiting(self) -> None:
            self._loop.call_soon(super()._schedule_waiting)


class LateCallbacksAtOnce(BrokenLoop, rule="late-callbacks-later"):
    class Future(miniloop.Future[Any]):
        def add_done_callback(self, fn: Any, *, context: Any = None) -> None:
            if self.done():
                fn(self)
            else:
                super().add_done_callback(fn, context=context)


class OneCallbackRemoved(BrokenLoop, rule="callbacks-removed"):
    class Future(miniloop.Future[Any]):
        def remove_done_callback(self, fn: Any) -> int:
            callbacks = [entry._callback for entry in self._all_waiting()]  # type: ignore[union-attr]
            if fn not in callbacks:
                return 0
            del self._all_waiting()[callbacks.index(fn)]
            return 1


class ForgetfulDoneCallbacks(BrokenLoop, rule="context-of-done-callbacks"):
    class Future(miniloop.Future[Any]):
        def add_done_callback(self, fn: Any, *, context: Any = None) -> None:
            super().add_done_callback(fn, context=context or Context())


class DoneFuturesYield(BrokenLoop, rule="done-future-no-tick"):
    class Future(miniloop.Future[Any]):
        def __await__(self) -> Any:
            if self.done():
                yield
            return (yield from super().__await__())

        __iter__ = __await__


class FirstResultStays(BrokenLoop, rule="futures-end-once"):
    class Future(miniloop.Future[Any]):
        def set_result(self, result: Any) -> None:
            if not self.done():
                super().set_result(result)
