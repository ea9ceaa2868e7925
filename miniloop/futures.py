"""Future: a result that is not there yet.

Whoever will have the result calls ``set_result()``, once. Whoever wants it says ``await future``.
In between stands this protocol, which is all that the word ``await`` means to a loop:

1. ``await future`` runs ``Future.__await__``. If the future is not done, it marks itself as
   awaited (``_asyncio_future_blocking``) and yields itself. The mark tells ``await future`` from a
   bare ``yield future``, which is an error; and that a class has it at all makes it a future, for
   us and for other libraries (``isfuture()``).
2. The yield goes down through all the coroutines that await each other to the Task that drives
   them. The task notes itself in the future's list of those who wait, and is not resumed.
3. ``set_result()`` moves that list to the end of the loop's ready queue. It calls nobody: those
   who waited run in the *next* tick, in the order in which they came.
4. The task is resumed, ``__await__`` goes on after its yield and returns the result.

The list holds what can run: tasks, which know how to take their next step, and handles, which
hold a callback given to ``add_done_callback()``. Mostly there is only one, so ``_waiting`` is None,
that one, or a list; which makes setting a result a third faster than a list alone.

Mirrors ``asyncio/futures.py`` and ``asyncio/base_futures.py``; where the C implementation in
``Modules/_asynciomodule.c`` behaves otherwise than the Python one, this follows C, as that is what
runs. (Messages and reprs are those of the Python one, which say more.)
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Generator
from contextvars import Context
from types import GenericAlias, TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .exceptions import CancelledError, InvalidStateError
from .foreign_loops import ForeignLoop, adapted
from .handles import Handle
from .reprs import _awaiting_tasks, _future_repr, extract_stack
from .running import get_event_loop

if TYPE_CHECKING:
    from .loop import BaseEventLoop
    from .tasks import Task

__all__ = ["Future", "isfuture"]

_T = TypeVar("_T")

_PENDING = "PENDING"
_CANCELLED = "CANCELLED"
_FINISHED = "FINISHED"


def isfuture(obj: object) -> bool:
    """Return True if *obj* speaks the await protocol, be it a Future of ours or another's.

    Mirrors ``asyncio.base_futures.isfuture``.
    """
    # __class__, not type(): that of unittest's Mock(spec=Future) is Future.
    return (
        hasattr(obj.__class__, "_asyncio_future_blocking")
        and getattr(obj, "_asyncio_future_blocking", None) is not None
    )


class Future(Generic[_T]):
    """A result that is not there yet. Not thread-safe: use it in its loop's thread only.

    ``loop`` is the loop whose ready queue the callbacks go to; by default that of
    ``get_event_loop()``. Mirrors ``asyncio.Future``.
    """

    __slots__ = (
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
    _never_retrieved: _NeverRetrieved | bool

    # Few futures need these; those that do keep them in their __dict__.
    _exception_tb: TracebackType | None = None
    _cancel_message: Any = None
    _cancelled_exc: BaseException | None = None  # of a task: how it ended
    _source_traceback: traceback.StackSummary | None = None
    _noted_awaited_by: dict[Future[Any], None] | None = None

    def __init__(self, *, loop: BaseEventLoop | None = None) -> None:
        self._check_not_initialized()
        self._init(get_event_loop() if loop is None else adapted(loop))

    def _check_not_initialized(self) -> None:
        """Raise RuntimeError if ``__init__`` is called a second time."""
        if hasattr(self, "_loop"):
            raise RuntimeError(f"{type(self).__name__} object is already initialized")

    # A class called with keywords takes twice the time of all that follows here. Loops make their
    # futures with __new__() and _init() instead, and their tasks with __new__() and _init_task().
    def _init(self, loop: BaseEventLoop) -> None:
        self._loop = loop
        self._state = _PENDING
        self._result: Any = None
        self._exception = None
        self._never_retrieved = False  # true: an exception was set that nobody has asked for
        self._waiting = None  # those who wait, in the order in which they came
        self._asyncio_future_blocking = False  # True between `await` and the task's taking note
        if loop._debug:
            self._source_traceback = extract_stack(sys._getframe(2))

    # -- asking --------------------------------------------------------------------------------

    def get_loop(self) -> BaseEventLoop:
        """Return the loop that the future belongs to."""
        try:
            loop: Any = self._loop
        except AttributeError:  # a subclass has not called our __init__
            raise RuntimeError("Future object is not initialized.") from None
        return loop.loop if isinstance(loop, ForeignLoop) else loop  # type: ignore[no-any-return]

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
        if self._state is _FINISHED:
            if self._exception is None:
                return self._result  # type: ignore[no-any-return]
        elif self._state is _PENDING:
            raise InvalidStateError("Result is not set.")
        try:
            raise self._failure()
        finally:
            self = None  # type: ignore[assignment]  # see __await__

    def exception(self) -> BaseException | None:
        """Return the exception that was set, or None if there is a result.

        Raises CancelledError if the future was cancelled, InvalidStateError if it is not done.
        """
        if self._state is _CANCELLED:
            raise self._make_cancelled_error()
        if self._state is not _FINISHED:
            raise InvalidStateError("Exception is not set.")
        if self._never_retrieved:
            self._log_traceback = False  # now somebody has asked: no report
        return self._exception

    def _failure(self) -> BaseException:
        """Return what ``result()`` raises; the exception counts as asked for."""
        if self._exception is None:
            return self._make_cancelled_error()
        if self._never_retrieved:
            self._log_traceback = False  # now somebody has asked: no report
        return self._exception.with_traceback(self._exception_tb)

    # -- ending --------------------------------------------------------------------------------

    def set_result(self, result: _T) -> None:
        """End the future with *result*. Raises InvalidStateError if it has ended already."""
        if self._state is not _PENDING:
            raise InvalidStateError(f"{self._state}: {self!r}")
        self._result = result
        self._state = _FINISHED
        if self._waiting is not None:
            self._schedule_waiting()

    def set_exception(self, exception: BaseException | type[BaseException]) -> None:
        """End the future with *exception*, an instance or a class.

        Raises InvalidStateError if it has ended already, TypeError for what is no exception.
        An exception that nobody asks for before the future is destroyed goes to the loop's
        exception handler (see ``loop.call_exception_handler()``).
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
        """End the future as cancelled. Return False if it had ended already.

        ``msg`` becomes the argument of the CancelledError that those who wait receive.
        """
        if self._never_retrieved:
            self._log_traceback = False
        if self._state is not _PENDING:
            return False
        self._state = _CANCELLED
        if self._cancel_message is not msg:
            self._cancel_message = msg
        if self._waiting is not None:
            self._schedule_waiting()
        return True

    def _make_cancelled_error(self) -> BaseException:
        """Return the CancelledError to raise: the task's own, but only once, else a new one."""
        exc = self._cancelled_exc
        if exc is not None:
            self._cancelled_exc = None
            return exc
        if self._cancel_message is None:
            return CancelledError()
        return CancelledError(self._cancel_message)

    # -- waiting -------------------------------------------------------------------------------

    def add_done_callback(
        self, fn: Callable[[Future[_T]], object], *, context: Context | None = None
    ) -> None:
        """Have ``fn(future)`` called by the loop in the tick after the future has ended.

        If it has ended already, that is the next tick.

        ``context`` is the contextvars context to call it in, by default a copy of the present.
        """
        if self._state is not _PENDING:
            self._loop.call_soon(fn, self, context=context)
            return
        # The argument, the future itself, is filled in at the end: a handle that held it now
        # would make a cycle, and only the garbage collector could free a forgotten future.
        handle = Handle(fn, (), self._loop, context)
        handle._source_traceback = None  # noted when the future ends: asyncio makes it then
        self._add_waiting(handle)

    def remove_done_callback(self, fn: Callable[[Future[_T]], object]) -> int:
        """Take *fn* off the list, as often as it is there; return how often that was."""
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
        """Put what shall run when the future has ended at the end of the list."""
        waiting = self._waiting
        if waiting is None:
            self._waiting = entry
        elif isinstance(waiting, list):
            waiting.append(entry)
        else:
            self._waiting = [waiting, entry]

    def _all_waiting(self) -> list[Handle | Task[Any]]:
        waiting = self._waiting
        if waiting is None:
            return []
        return waiting if isinstance(waiting, list) else [waiting]

    def _schedule_waiting(self) -> None:
        """Move those who wait to the ready queue. asyncio calls this __schedule_callbacks."""
        waiting = self._waiting
        if waiting is None:
            return
        self._waiting = None
        loop = self._loop
        if loop._closed or loop._debug:
            loop._check_closed()
            loop._check_thread()
            for entry in waiting if type(waiting) is list else [waiting]:
                if type(entry) is Handle:
                    entry._source_traceback = extract_stack(sys._getframe(1))
        if type(waiting) is list:
            for entry in waiting:
                if type(entry) is Handle:
                    entry._args = (self,)
                loop._ready.append(entry)
        else:
            if type(waiting) is Handle:
                waiting._args = (self,)
            loop._ready.append(waiting)  # type: ignore[arg-type]

    def __await__(self) -> Generator[Future[_T], None, _T]:
        try:
            while self._state is _PENDING:  # who is resumed too early waits again
                if self._asyncio_future_blocking:
                    raise RuntimeError("await wasn't used with future")
                self._asyncio_future_blocking = True
                yield self  # the task sees this, and resumes us when we are done
            if self._exception is None and self._state is _FINISHED:
                return self._result  # type: ignore[no-any-return]
            raise self._failure()
        except BaseException:
            # A traceback leads to this frame; if the frame led to the future, and that to its
            # exception, only the garbage collector could free them.
            self = None  # type: ignore[assignment]
            raise

    __iter__ = __await__  # for `yield from` in generators

    # -- the rest ------------------------------------------------------------------------------

    __class_getitem__ = classmethod(GenericAlias)  # type: ignore[var-annotated]

    @property
    def _callbacks(self) -> list[tuple[Callable[..., object], Context]]:
        """The list of those who wait in asyncio's form, for libraries that look at it.

        A task is shown as asyncio would show it; its ``_wakeup`` is not really called.
        """
        return [
            (entry._callback, entry._context)  # type: ignore[misc]
            if isinstance(entry, Handle)
            else (entry._wakeup, entry._context)
            for entry in self._all_waiting()
        ]

    @property
    def _asyncio_awaited_by(self) -> frozenset[Future[Any]] | None:
        """The tasks that await this future, or None, for call graphs (``graph.py``)."""
        return frozenset(_awaiting_tasks(self)) or None

    def __repr__(self) -> str:
        return _future_repr(self)

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    # -- exceptions that nobody asks for (nothing of this schedules; skip it at first) ----------

    # `_never_retrieved` is False, or else there is an exception that nobody has asked for. Who
    # reports it if the future is destroyed now? Of a plain Future, a companion (_NeverRetrieved,
    # below); of a Task, its own __del__; of any other subclass, a __del__ that it gets here.

    @property
    def _log_traceback(self) -> bool:
        """True if an exception was set that nobody has asked for; can only be set to False."""
        return self._never_retrieved is not False

    @_log_traceback.setter
    def _log_traceback(self, value: bool) -> None:
        if value:
            raise ValueError("_log_traceback can only be set to False")
        if isinstance(self._never_retrieved, _NeverRetrieved):
            self._never_retrieved.future = None
        self._never_retrieved = False

    def _report_if_never_retrieved(self) -> _NeverRetrieved | bool:
        return _NeverRetrieved(self) if type(self) is Future else True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not hasattr(cls, "__del__"):  # those who inherit can afford one, see _NeverRetrieved
            cls.__del__ = _report_never_retrieved  # type: ignore[attr-defined]


def _set_result_unless_cancelled(future: Future[Any], result: Any) -> None:
    """Set the result of a future that somebody may have cancelled meanwhile."""
    if not future.cancelled():
        future.set_result(result)


class _NeverRetrieved:
    """Reports a Future that is destroyed before anybody has asked for its exception.

    Python calls ``__del__`` on every object whose class has one. Loops make and destroy futures
    all day long, so Future has none. A future that fails gets one of these, which dies with it.
    By then the future cannot be reached any more, so the report has a copy of it.
    """

    __slots__ = ("future",)

    def __init__(self, future: Future[Any]) -> None:
        copy: Future[Any] = object.__new__(Future)
        copy._init(future._loop)
        copy._state = future._state
        copy._exception = future._exception
        copy._never_retrieved = True
        copy.__dict__ = future.__dict__
        self.future: Future[Any] | None = copy

    def __del__(self) -> None:
        if self.future is not None:
            _report_never_retrieved(self.future)


def _report_never_retrieved(future: Future[Any]) -> None:
    """Tell the exception handler if nobody has asked for the exception: Future's ``__del__``."""
    if getattr(future, "_never_retrieved", False):  # missing if __init__ has failed
        context: dict[str, object] = {
            "message": f"{type(future).__name__} exception was never retrieved",
            "exception": future._exception,
            "future": future,
        }
        if future._source_traceback:
            context["source_traceback"] = future._source_traceback
        future._loop.call_exception_handler(context)
