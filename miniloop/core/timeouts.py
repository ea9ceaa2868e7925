"""Timeouts: cancel the task when the time is up, and raise TimeoutError instead.

``async with timeout(5):`` starts a timer that cancels the task running the block. The block turns
the CancelledError into TimeoutError. But if something else has cancelled the task as well since the
block began, CancelledError passes: ``cancelling()`` counts the requests, and ``uncancel()`` takes
the timer's back.

If what the block awaits ends in the tick in which the timer is due, before the task's next step,
the timer wins: a cancellation outranks a result.

CPython's counterpart is ``asyncio/timeouts.py``.
"""

from __future__ import annotations

import enum
from types import TracebackType
from typing import Any, final

from ..details.current import current_task, get_running_loop
from .exceptions import CancelledError
from .handles import Handle
from .tasks import Task

__all__ = ["Timeout", "timeout", "timeout_at"]


class _State(enum.Enum):
    CREATED = "created"
    ENTERED = "active"
    EXPIRING = "expiring"  # the timer has cancelled the task; the block has not ended yet
    EXPIRED = "expired"
    EXITED = "finished"


@final
class Timeout:
    """The context manager that ``timeout()`` and ``timeout_at()`` return.

    ``when`` is the deadline in seconds on the clock of ``loop.time()``, or None for no deadline.
    Entering it outside a task, or a second time, raises RuntimeError.
    """

    _task: Task[Any]
    _cancelling: int

    def __init__(self, when: float | None) -> None:
        self._when = when
        self._state = _State.CREATED
        self._timeout_handler: Handle | None = None

    def when(self) -> float | None:
        """Return the deadline in seconds on the clock of ``loop.time()``, or None."""
        return self._when

    def reschedule(self, when: float | None) -> None:
        """Move the deadline to ``when``, in seconds on the clock of ``loop.time()``, or None.

        Raises RuntimeError outside the ``async with`` block, and once the timer has fired.
        """
        if self._state is _State.CREATED:
            raise RuntimeError("Timeout has not been entered")
        if self._state is not _State.ENTERED:
            raise RuntimeError(f"Cannot change state of {self._state.value} Timeout")
        self._when = when
        if self._timeout_handler is not None:
            self._timeout_handler.cancel()
        if when is None:
            self._timeout_handler = None
            return
        loop = get_running_loop()
        if when <= loop.time():
            self._timeout_handler = loop.call_soon(self._on_timeout)
        else:
            self._timeout_handler = loop.call_at(when, self._on_timeout)

    def expired(self) -> bool:
        """Return True if the timer has cancelled the block."""
        return self._state in (_State.EXPIRING, _State.EXPIRED)

    async def __aenter__(self) -> Timeout:
        if self._state is not _State.CREATED:
            raise RuntimeError("Timeout has already been entered")
        task = current_task()
        if task is None:
            raise RuntimeError("Timeout should be used inside a task")
        self._state = _State.ENTERED
        self._task = task
        self._cancelling = task.cancelling()
        self.reschedule(self._when)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._state in (_State.ENTERED, _State.EXPIRING)
        if self._timeout_handler is not None:
            self._timeout_handler.cancel()
            self._timeout_handler = None
        if self._state is _State.ENTERED:
            self._state = _State.EXITED
            return
        self._state = _State.EXPIRED
        # Take back the timer's request. If no other has come since __aenter__(), the CancelledError
        # is the timer's alone, and TimeoutError takes its place.
        if self._task.uncancel() <= self._cancelling and exc is not None:
            if isinstance(exc, CancelledError):
                raise TimeoutError from exc
            _insert_timeout_error(exc)
            if isinstance(exc, ExceptionGroup):  # the block may hold a TaskGroup
                for inner in exc.exceptions:
                    _insert_timeout_error(inner)

    def _on_timeout(self) -> None:
        assert self._state is _State.ENTERED
        self._task.cancel()
        self._state = _State.EXPIRING
        self._timeout_handler = None

    def __repr__(self) -> str:
        info = f"[{self._state.value}]"
        if self._state is _State.ENTERED:
            info += f" when={round(self._when, 3) if self._when is not None else None}"
        return f"<Timeout {info}>"


def _insert_timeout_error(exc: BaseException) -> None:
    """Put a TimeoutError before the first CancelledError among the contexts of *exc*.

    If a block answers the timer's CancelledError with an error of its own, the traceback should
    show that the time was up.
    """
    while exc.__context__ is not None:
        if isinstance(exc.__context__, CancelledError):
            error = TimeoutError()
            error.__context__ = error.__cause__ = exc.__context__
            exc.__context__ = error
            return
        exc = exc.__context__


def timeout(delay: float | None) -> Timeout:
    """Return a context manager for ``async with`` that raises TimeoutError after ``delay`` seconds.

    None means never. Raises RuntimeError if no loop is running.
    """
    loop = get_running_loop()
    return Timeout(loop.time() + delay if delay is not None else None)


def timeout_at(when: float | None) -> Timeout:
    """Return what ``timeout()`` does; ``when`` is in seconds on the clock of ``loop.time()``.

    Raises RuntimeError if no loop is running.
    """
    return Timeout(when)
