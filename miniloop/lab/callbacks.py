"""Callbacks: handles, contexts, futures."""

# ruff: noqa: D102, D106

from __future__ import annotations

from contextvars import Context
from typing import Any

import miniloop
from miniloop.core.loop import BaseEventLoop

from .broken import BrokenLoop, rewired


class CancelledHandlesRun(BrokenLoop):
    """A cancelled handle does not run."""

    class Handle(miniloop.Handle):
        def cancel(self) -> None:
            self._cancelled = True

        def _run(self) -> None:
            self._cancelled = False
            super()._run()

    class EventLoop(miniloop.EventLoop):
        pass

    EventLoop.call_soon = rewired(BaseEventLoop.call_soon, Handle=Handle)  # type: ignore[method-assign]


class DueTimersRun(BrokenLoop):
    """A timer can be cancelled until it runs, even if it is due already."""

    class TimerHandle(miniloop.TimerHandle):
        def cancel(self) -> None:
            if self._scheduled:
                super().cancel()

    class EventLoop(miniloop.EventLoop):
        pass

    EventLoop.call_at = rewired(BaseEventLoop.call_at, TimerHandle=TimerHandle)  # type: ignore[method-assign]


class InterruptsSwallowed(BrokenLoop):
    """KeyboardInterrupt and SystemExit pass through the loop to the code that runs it."""

    class Handle(miniloop.Handle):
        def _run(self) -> None:
            try:
                super()._run()
            except (KeyboardInterrupt, SystemExit):
                pass

    class EventLoop(miniloop.EventLoop):
        pass

    EventLoop.call_soon = rewired(BaseEventLoop.call_soon, Handle=Handle)  # type: ignore[method-assign]


class ForgetfulCallbacks(BrokenLoop):
    """A callback sees the context variables of the code that scheduled it."""

    class EventLoop(miniloop.EventLoop):
        def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
            return super().call_soon(callback, *args, context=context or Context())


class ForgetfulThreads(BrokenLoop):
    """call_soon_threadsafe() runs the callback with the context variables of its caller."""

    class EventLoop(miniloop.EventLoop):
        def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
            return super().call_soon_threadsafe(callback, *args, context=context or Context())


class CallbacksInReverse(BrokenLoop):
    """Done-callbacks run in the order in which they were added."""

    class Future(miniloop.Future[Any]):
        def _schedule_waiting(self) -> None:
            self._waiting = self._all_waiting()[::-1] or None
            super()._schedule_waiting()


class CallbacksAtOnce(BrokenLoop):
    """Ending a future calls no callback at once: done-callbacks run a tick later."""

    class Future(miniloop.Future[Any]):
        def _schedule_waiting(self) -> None:
            waiting, self._waiting = self._all_waiting(), None
            for entry in waiting:
                entry._args = (self,)  # type: ignore[union-attr]
                entry._run()


class LateCallbacksAtOnce(BrokenLoop):
    """A callback that is added to a done future runs a tick later, not at once."""

    class Future(miniloop.Future[Any]):
        def add_done_callback(self, fn: Any, *, context: Any = None) -> None:
            if self.done():
                fn(self)
            else:
                super().add_done_callback(fn, context=context)


class OneCallbackRemoved(BrokenLoop):
    """remove_done_callback() removes a callback that was added twice both times."""

    class Future(miniloop.Future[Any]):
        def remove_done_callback(self, fn: Any) -> int:
            callbacks = [entry._callback for entry in self._all_waiting()]  # type: ignore[union-attr]
            if fn not in callbacks:
                return 0
            del self._all_waiting()[callbacks.index(fn)]
            return 1


class ForgetfulDoneCallbacks(BrokenLoop):
    """A done-callback sees the context variables of the code that added it."""

    class Future(miniloop.Future[Any]):
        def add_done_callback(self, fn: Any, *, context: Any = None) -> None:
            super().add_done_callback(fn, context=context or Context())


class DoneFuturesYield(BrokenLoop):
    """A task that awaits a done future goes on in the same step."""

    class Future(miniloop.Future[Any]):
        def __await__(self) -> Any:
            if self.done():
                yield
            return (yield from super().__await__())

        __iter__ = __await__


class FirstResultStays(BrokenLoop):
    """A future ends once: a second set_result() raises InvalidStateError."""

    class Future(miniloop.Future[Any]):
        def set_result(self, result: Any) -> None:
            if not self.done():
                super().set_result(result)
