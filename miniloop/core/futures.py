"""Futures: results that are not there yet.

One side of a program will have a result and calls ``future.set_result()``, once. Another side wants
it and says ``await future``. This is what happens in between, and it is all that ``await`` means to
a loop:

1. ``await future`` runs ``Future.__await__()``. If the future is not done, it **yields itself**.
   The yield passes up through the chain of coroutines, each awaiting the next, to the task that
   drives them.
2. The task appends itself to the future's list of waiters, and its step ends.
3. ``set_result()`` moves the waiters to the end of the loop's ready queue. It calls nobody. They
   run in the **next** tick, in the order in which they came.
4. The task's next step resumes ``__await__()`` behind its yield, and that returns the result. If
   the future has failed, the step throws its exception in at the yield instead.

A waiter is a task, or a handle with a callback that ``add_done_callback()`` was given. Most futures
have one waiter, so ``_waiting`` is None, or that one waiter, or a list of them.

Why does ``set_result()`` not resume the waiters at once? The code of all waiting tasks would run in
the middle of its caller, and might call ``set_result()`` in turn. The order of steps would depend
on how these calls nest. So every step begins from the loop.

CPython's counterpart is ``asyncio/futures.py``; where the C implementation of Future in
``Modules/_asynciomodule.c`` does something else, this follows C, because that is what runs.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator
from contextvars import Context
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..details import debug, reports
from ..details.accessors import FutureAccessors
from ..details.current import get_event_loop
from ..details.other_loops import ForeignLoop, adapted
from ..details.reports import FutureReports
from .exceptions import CancelledError, InvalidStateError
from .handles import Handle

if TYPE_CHECKING:
    from .loop import BaseEventLoop
    from .tasks import Task

__all__ = ["Future", "isfuture"]

_T = TypeVar("_T")

# The states. Each is one object, so that the code may compare with `is`.  # fast
_PENDING = "PENDING"
_CANCELLED = "CANCELLED"
_FINISHED = "FINISHED"


class Future(FutureAccessors, FutureReports, Generic[_T]):
    """A result that is not there yet. Use it in the thread of its loop only.

    ``loop`` is the loop whose ready queue the waiters go to, by default ``get_event_loop()``.
    """

    __slots__ = (  # fast: a __dict__ is made only for what few futures need
        "__dict__",
        "__weakref__",
        "_asyncio_future_blocking",
        "_exception",
        "_loop",
        "_never_retrieved",
        "_result",
        "_state",
        "_waiting",
    )

    _exception: BaseException | None
    _waiting: Handle | Task[Any] | list[Handle | Task[Any]] | None

    # Few futures need these.
    _exception_tb: TracebackType | None = None
    _cancel_message: Any = None
    _cancelled_exc: BaseException | None = None  # the CancelledError that has ended a task
    _source_traceback: traceback.StackSummary | None = None  # see details/debug.py
    _noted_awaited_by: dict[Future[Any], None] | None = None  # see details/graph.py

    def __init__(self, *, loop: BaseEventLoop | None = None) -> None:
        self._check_not_initialized()
        # adapted() wraps a third-party loop, see details/other_loops.py.
        self._init(get_event_loop() if loop is None else adapted(loop))

    def _init(self, loop: BaseEventLoop) -> None:
        self._loop = loop
        self._state = _PENDING
        self._result: Any = None
        self._exception = None
        self._waiting = None
        # True from the yield in __await__() until the task has seen it. It tells `await future`
        # from a bare `yield future`, which is an error.
        self._asyncio_future_blocking = False
        # True, or an object, if there is an exception that nobody has asked for. `_log_traceback`
        # is asyncio's name for the same: to assign False to it takes this back.
        self._never_retrieved = False
        if loop._debug:
            self._source_traceback = debug.stack_of_maker()

    # -- waiting -------------------------------------------------------------------------------

    def __await__(self) -> Generator[Future[_T], None, _T]:
        try:
            while self._state is _PENDING:  # again, if something resumes the coroutine too early
                if self._asyncio_future_blocking:  # no task has seen the last yield
                    raise RuntimeError("await wasn't used with future")
                self._asyncio_future_blocking = True
                yield self
            if self._exception is None and self._state is _FINISHED:
                return self._result  # type: ignore[no-any-return]
            raise self._failure()  # it was done before the await: there was no yield, and no tick
        except BaseException:
            self = None  # type: ignore[assignment]  # a cycle, see miniloop/__init__.py
            raise

    __iter__ = __await__  # for `yield from` in generators

    def add_done_callback(
        self, fn: Callable[[Future[_T]], object], *, context: Context | None = None
    ) -> None:
        """Schedule ``fn(future)`` for the tick after the future is done.

        If it is done already, that is the next tick. ``context`` is the contextvars context to run
        it in, by default a copy of the present one.
        """
        if self._state is not _PENDING:
            self._loop.call_soon(fn, self, context=context)
            return
        # The callback's argument, this future, is filled in by _schedule_waiting(). The future
        # holds the handle, so if the handle held the future now, that would be a cycle.
        handle = Handle(fn, (), self._loop, context)
        handle._source_traceback = None  # asyncio: it makes the handle when the future is done
        if self._waiting is None:  # fast: as _add_waiting() does, without the call
            self._waiting = handle
        else:
            self._add_waiting(handle)

    def remove_done_callback(self, fn: Callable[[Future[_T]], object]) -> int:
        """Take *fn* off the list of waiters, as often as it is there; return how often that was."""
        before = self._all_waiting()
        after = [
            entry
            for entry in before
            if not (isinstance(entry, Handle) and (entry._callback is fn or entry._callback == fn))
        ]
        if len(after) < len(before):
            self._waiting = after or None
        return len(before) - len(after)

    def _add_waiting(self, entry: Handle | Task[Any]) -> None:
        """Append a waiter to the list."""
        waiting = self._waiting
        if waiting is None:  # fast: no list for one
            self._waiting = entry
        elif isinstance(waiting, list):
            waiting.append(entry)
        else:
            self._waiting = [waiting, entry]

    def _all_waiting(self) -> list[Handle | Task[Any]]:
        """Return all waiters as a list."""
        waiting = self._waiting
        if waiting is None:
            return []
        return waiting if isinstance(waiting, list) else [waiting]

    def _schedule_waiting(self) -> None:
        """Move the waiters to the end of the ready queue."""
        waiting, self._waiting = self._waiting, None
        loop = self._loop
        if loop._closed or loop._debug:  # fast: one test for two rare cases
            debug.check_waking(loop, waiting)
        if type(waiting) is not list:  # fast: no loop for one
            if type(waiting) is Handle:
                waiting._args = (self,)
            loop._ready.append(waiting)  # type: ignore[arg-type]
            return
        for entry in waiting:
            if type(entry) is Handle:
                entry._args = (self,)
            loop._ready.append(entry)

    # -- ending --------------------------------------------------------------------------------

    def set_result(self, result: _T) -> None:
        """End the future with *result*. Raises InvalidStateError if it is done already."""
        if self._state is not _PENDING:
            raise InvalidStateError(f"{self._state}: {self!r}")
        self._result = result
        self._state = _FINISHED
        if self._waiting is not None:
            self._schedule_waiting()

    def set_exception(self, exception: BaseException | type[BaseException]) -> None:
        """End the future with *exception*, an instance or a class.

        Raises InvalidStateError if it is done already, TypeError if *exception* is no exception.
        If nobody asks for the exception before the future is destroyed, the loop reports it.
        """
        if self._state is not _PENDING:
            raise InvalidStateError(f"{self._state}: {self!r}")
        if isinstance(exception, type):
            exception = exception()
        if not isinstance(exception, BaseException):
            raise TypeError("invalid exception object")
        if isinstance(exception, StopIteration):  # it would end the coroutine that awaits it
            error = RuntimeError(
                "StopIteration interacts badly with generators and cannot be raised into a Future"
            )
            error.__cause__ = error.__context__ = exception
            exception = error
        self._exception = exception
        self._exception_tb = exception.__traceback__
        self._state = _FINISHED
        if self._waiting is not None:
            self._schedule_waiting()
        self._never_retrieved = self._report_if_never_retrieved()

    def cancel(self, msg: Any | None = None) -> bool:
        """End the future as cancelled; return False if it is done already.

        ``msg`` becomes the argument of the CancelledError that awaiting the future raises.
        """
        if self._never_retrieved:
            self._log_traceback = False
        if self._state is not _PENDING:
            return False
        self._state = _CANCELLED
        if self._cancel_message is not msg:  # fast: mostly both are None, and need no __dict__
            self._cancel_message = msg
        if self._waiting is not None:
            self._schedule_waiting()
        return True

    # -- asking --------------------------------------------------------------------------------

    def done(self) -> bool:
        """Return True if there is a result or an exception, or the future was cancelled."""
        return self._state is not _PENDING

    def cancelled(self) -> bool:
        """Return True if the future was cancelled."""
        return self._state is _CANCELLED

    def result(self) -> _T:
        """Return the result or raise the exception that was set.

        Raises CancelledError if the future was cancelled, InvalidStateError if it is not done.
        """
        if self._state is _PENDING:
            raise InvalidStateError("Result is not set.")
        if self._exception is None and self._state is _FINISHED:
            return self._result  # type: ignore[no-any-return]
        try:
            raise self._failure()
        finally:
            self = None  # type: ignore[assignment]  # a cycle

    def exception(self) -> BaseException | None:
        """Return the exception that was set, or None if there is a result.

        Raises CancelledError if the future was cancelled, InvalidStateError if it is not done.
        """
        if self._state is _CANCELLED:
            raise self._make_cancelled_error()
        if self._state is _PENDING:
            raise InvalidStateError("Exception is not set.")
        if self._never_retrieved:
            self._log_traceback = False
        return self._exception

    def _failure(self) -> BaseException:
        """Return what ``result()`` raises. The exception counts as retrieved."""
        if self._exception is None:
            return self._make_cancelled_error()
        if self._never_retrieved:
            self._log_traceback = False
        return self._exception.with_traceback(self._exception_tb)

    def _make_cancelled_error(self) -> BaseException:
        """Return the CancelledError to raise: the first time the one that has ended a task."""
        exc = self._cancelled_exc
        if exc is not None:
            self._cancelled_exc = None
            return exc
        message = self._cancel_message
        return CancelledError() if message is None else CancelledError(message)

    def get_loop(self) -> BaseEventLoop:
        """Return the loop that the future belongs to.

        Raises RuntimeError if a subclass has not called ``Future.__init__()``.
        """
        try:
            loop: Any = self._loop
        except AttributeError:  # a subclass has not called our __init__
            raise RuntimeError("Future object is not initialized.") from None
        return loop.loop if isinstance(loop, ForeignLoop) else loop  # type: ignore[no-any-return]

    def _check_not_initialized(self) -> None:
        if hasattr(self, "_loop"):
            raise RuntimeError(f"{type(self).__name__} object is already initialized")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not hasattr(cls, "__del__"):  # see details/reports.py
            cls.__del__ = reports.report_never_retrieved  # type: ignore[attr-defined]


# The classes that override nothing which waiting uses (__await__, add_done_callback, result), so
# that a task may become their waiter directly. Other classes go through details/other_futures.py.
# tasks.py and combinators.py add theirs.
_plain_types: set[type] = {Future}


def isfuture(obj: object) -> bool:
    """Return True if *obj* is a Future, of miniloop or of a library with the same protocol."""
    # __class__, not type(), so that unittest's Mock(spec=Future) passes.
    return (
        hasattr(obj.__class__, "_asyncio_future_blocking")
        and getattr(obj, "_asyncio_future_blocking", None) is not None
    )


def _set_result_unless_cancelled(future: Future[Any], result: Any) -> None:
    """Set the result of a future, unless the future was cancelled in the meantime."""
    if not future.cancelled():
        future.set_result(result)
