"""Handles: callbacks that wait for their turn.

``call_soon(callback, *args)`` calls nothing. It puts a Handle into the loop's ready queue, and in
the next tick the loop calls the handle's ``_run()``. ``call_later()`` and ``call_at()`` put a
TimerHandle into the loop's heap; when its time has come, the loop moves it to the ready queue. A
program that keeps the handle can ``cancel()`` it as long as it has not run.

CPython's counterparts are the classes of the same names in ``asyncio/events.py``.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from ..details import debug, reports, reprs
from ..details.order import DeadlineOrder

if TYPE_CHECKING:
    from .loop import BaseEventLoop

__all__ = ["Handle", "TimerHandle"]


class Handle:
    """A callback with its arguments and its contextvars context, as ``call_soon`` returns it."""

    _is_timer = False
    _repr: str | None = None  # in debug mode: the repr from before the cancel
    _source_traceback: traceback.StackSummary | None = None

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: BaseEventLoop,
        context: Context | None = None,
    ) -> None:
        self._callback: Callable[..., object] | None = callback
        self._args: tuple[Any, ...] | None = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._cancelled = False
        try:
            if loop._debug:  # fast: mostly without a call
                debug.note_maker(self)
        except AttributeError:  # a third-party loop
            debug.note_maker(self)

    def _run(self) -> None:
        """Call the callback in its context. The loop does this once, when the handle's turn comes.

        An exception does not stop the loop: it is reported. Only SystemExit and KeyboardInterrupt
        pass through.
        """
        if self._cancelled:
            return
        try:
            if not self._args:  # fast: passes no *args
                self._context.run(self._callback)  # type: ignore[arg-type]
            elif len(self._args) == 1:  # fast: passes no *args for one
                self._context.run(self._callback, self._args[0])  # type: ignore[arg-type]
            else:
                self._context.run(self._callback, *self._args)  # type: ignore[arg-type]
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            report = reports.of_callback(self, exc)
            # asyncio: the exception leads to this frame, and `report` back to it. So all that the
            # report holds lives until the garbage collector comes.
            self._loop.call_exception_handler(report)
        self = None  # type: ignore[assignment]  # a cycle: exc, traceback, this frame, self

    def cancel(self) -> None:
        """Forget the callback: it will not be called. A second cancel does nothing."""
        if not self._cancelled:
            if self._is_timer:  # the loop drops it from its heap later
                self._loop._timer_handle_cancelled(self)  # type: ignore[arg-type]
            self._cancelled = True
            try:
                if self._loop._debug:  # fast: mostly without a call
                    debug.keep_repr(self)
            except AttributeError:
                debug.keep_repr(self)
            self._callback = None
            self._args = None

    def cancelled(self) -> bool:
        """Return True if the handle was cancelled."""
        return self._cancelled

    def get_context(self) -> Context:
        """Return the context that the callback runs in."""
        return self._context

    def _repr_info(self) -> list[str]:
        return reprs._handle_repr_info(self)

    def __repr__(self) -> str:
        return self._repr if self._repr is not None else f"<{' '.join(self._repr_info())}>"


class TimerHandle(DeadlineOrder, Handle):
    """A Handle with a deadline, as ``call_later`` and ``call_at`` return it.

    ``when`` is the deadline in seconds on the clock of ``loop.time()``.
    """

    # DeadlineOrder is for programs that compare timers. The heap compares _Deadline.

    _is_timer = True
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
        Handle.__init__(self, callback, args, loop, context)

    def when(self) -> float:
        """Return the deadline in seconds on the clock of ``loop.time()``."""
        return self._when

    def _repr_info(self) -> list[str]:
        info = Handle._repr_info(self)
        info.insert(2 if self._cancelled else 1, f"when={self._when}")
        return info
