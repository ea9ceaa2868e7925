"""Handles: callbacks that wait for their turn.

``call_soon(callback, *args)`` does not call anything. It puts a Handle into the loop's ready
queue and the loop calls ``_run()`` on it in the next tick. ``call_later`` and ``call_at`` put a
TimerHandle into a heap; when its time has come the loop moves it to the ready queue. Whoever
holds a handle can ``cancel()`` it as long as it has not run.

Mirrors ``Handle`` and ``TimerHandle`` in ``asyncio/events.py``.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from .reprs import _created_at, _format_callback_source, extract_stack

if TYPE_CHECKING:
    from .loop import BaseEventLoop

__all__ = ["Handle", "TimerHandle"]


class Handle:
    """A callback with its arguments and its contextvars context, as ``call_soon`` returns it.

    Mirrors ``asyncio.events.Handle``.
    """

    _callback: Callable[..., object] | None
    _args: tuple[Any, ...] | None
    _repr: str | None = None
    _source_traceback: traceback.StackSummary | None = None

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: BaseEventLoop,
        context: Context | None = None,
    ) -> None:
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False
        # The attribute is quick, the method is what counts (a subclass may override it).
        try:
            in_debug = loop._debug and loop.get_debug()
        except AttributeError:  # a loop that somebody else wrote
            in_debug = loop.get_debug()
        if in_debug:
            self._source_traceback = extract_stack(sys._getframe(1))

    def _run(self) -> None:
        """Call the callback in its context. Called by the loop, once.

        An exception does not stop the loop, it goes to the loop's exception handler (see
        ``loop.call_exception_handler()``); only SystemExit and KeyboardInterrupt pass through.
        """
        if self._cancelled:
            return
        try:
            # Thrice the same, since *args costs more than all the rest.
            if not self._args:
                self._context.run(self._callback)  # type: ignore[arg-type]
            elif len(self._args) == 1:
                self._context.run(self._callback, self._args[0])  # type: ignore[arg-type]
            else:
                self._context.run(self._callback, *self._args)  # type: ignore[arg-type]
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            debug = self._loop.get_debug()
            # A callback may cancel its own handle and then raise: nothing is left to format.
            source = _format_callback_source(self._callback, self._args or (), debug=debug)
            context = {
                "message": f"Exception in callback {source}",
                "exception": exc,
                "handle": self,
            }
            if self._source_traceback:
                context["source_traceback"] = self._source_traceback
            self._loop.call_exception_handler(context)
        # Break the cycle: exception, traceback, this frame, self.
        self = None  # type: ignore[assignment]

    def cancel(self) -> None:
        """Forget the callback. It will not be called; a second cancel does nothing."""
        if not self._cancelled:
            self._cancelled = True
            if self._loop.get_debug():
                self._repr = repr(self)  # keep what it was, for the report of a slow callback
            self._callback = None
            self._args = None

    def cancelled(self) -> bool:
        """Return True if the handle was cancelled."""
        return self._cancelled

    def get_context(self) -> Context:
        """Return the context that the callback runs in."""
        return self._context

    def _repr_info(self) -> list[str]:
        info = [type(self).__name__]
        if self._cancelled:
            info.append("cancelled")
        if self._callback is not None:
            debug = self._loop.get_debug()
            info.append(_format_callback_source(self._callback, self._args or (), debug=debug))
        if self._source_traceback:
            info.append(_created_at(self._source_traceback))
        return info

    def __repr__(self) -> str:
        return self._repr if self._repr is not None else f"<{' '.join(self._repr_info())}>"


class _ThreadSafeHandle(Handle):
    """A Handle that other threads may cancel, as ``call_soon_threadsafe`` returns it.

    A cancel from another thread comes before the callback begins, or waits until it has ended.
    """

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: BaseEventLoop,
        context: Context | None = None,
    ) -> None:
        super().__init__(callback, args, loop, context)
        self._lock = threading.RLock()

    def _run(self) -> None:
        with self._lock:
            super()._run()

    def cancel(self) -> None:
        """Forget the callback, as ``Handle.cancel()`` does."""
        with self._lock:
            super().cancel()

    def cancelled(self) -> bool:
        """Return True if the handle was cancelled."""
        with self._lock:
            return super().cancelled()


class TimerHandle(Handle):
    """A Handle with a deadline, as ``call_later`` and ``call_at`` return it.

    Timer handles compare by deadline, for programs that compare them; the loop's heap compares
    the ``_Deadline`` below. Equal deadlines are left as they come out of the heap, which is not
    first in, first out; asyncio's do the same.

    Mirrors ``asyncio.events.TimerHandle``.
    """

    _scheduled = False  # True while it is in the loop's heap

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: BaseEventLoop,
        context: Context | None = None,
    ) -> None:
        self._when = when
        self._callback = callback  # as Handle.__init__ does, which would be one more call
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False
        try:
            in_debug = loop._debug and loop.get_debug()
        except AttributeError:
            in_debug = loop.get_debug()
        if in_debug:
            self._source_traceback = extract_stack(sys._getframe(1))

    def when(self) -> float:
        """Return the deadline in seconds on the clock of ``loop.time()``."""
        return self._when

    def cancel(self) -> None:
        """Forget the callback. The loop drops the handle from its heap when it sees fit."""
        if not self._cancelled:
            self._loop._timer_handle_cancelled(self)
            self._cancelled = True  # as Handle.cancel does, which would be one more call
            if self._loop._debug and self._loop.get_debug():
                self._repr = repr(self)
            self._callback = None
            self._args = None

    def _repr_info(self) -> list[str]:
        info = Handle._repr_info(self)
        info.insert(2 if self._cancelled else 1, f"when={self._when}")
        return info

    def __hash__(self) -> int:
        return hash(self._when)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TimerHandle):
            return (
                self._when == other._when
                and self._callback == other._callback
                and self._args == other._args
                and self._cancelled == other._cancelled
            )
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, TimerHandle):
            return self._when < other._when
        return NotImplemented

    def __gt__(self, other: object) -> bool:
        if isinstance(other, TimerHandle):
            return self._when > other._when
        return NotImplemented

    def __le__(self, other: object) -> bool:
        if isinstance(other, TimerHandle):
            return self._when < other._when or self == other
        return NotImplemented

    def __ge__(self, other: object) -> bool:
        if isinstance(other, TimerHandle):
            return self._when > other._when or self == other
        return NotImplemented


class _Deadline(float):
    """A timer handle's place in the loop's heap: its deadline, which also knows its timer.

    asyncio's heap holds the timer handles themselves. Both compare by deadline and by nothing
    else, so both heaps have the same shape; but floats compare in C. (Deadlines are floats here:
    a ``time()`` that counts nanoseconds in ints would be rounded.)
    """

    __slots__ = ("timer",)
    timer: TimerHandle
