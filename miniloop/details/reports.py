"""Errors that no caller can catch, and how the loop reports them.

An exception usually goes to the caller. Three kinds of errors have none:

* a callback raises: the loop called it, and goes on with the next one,
* a future or task fails, and is destroyed before anybody has asked for its exception,
* a task is destroyed while it still waits.

All of them become a report, a dict with a "message", and go to ``loop.call_exception_handler()``.
It gives them to the handler that the program has set, or writes them to the log.

**Exceptions that are never retrieved.** A future that fails must notice its own destruction. With a
``__del__``, every future would pay for that, and a loop makes and destroys many. So Future has no
``__del__``. Instead a future that fails makes a companion (``_NeverRetrieved``), which has one and
dies with the future. By then nothing can reach the future any more, so the companion reports a copy
of it. Tasks, and a program's subclasses of Future, have a ``__del__`` and report themselves.

CPython's counterparts are the methods of the same names in ``asyncio/base_events.py``, and
``Future.__del__`` and ``Task.__del__``.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .current import _register_destroyed_task
from .debug import logger
from .reprs import _format_callback_source

if TYPE_CHECKING:
    from ..core.futures import Future
    from ..core.handles import Handle
    from ..core.tasks import Task

Loop = Any  # means BaseEventLoop, but mypy accepts no subclass as the type of `self`


class ErrorReports:
    """What an event loop does about errors that no caller can catch."""

    __slots__ = ()

    _exception_handler: Callable[[Any, dict[str, Any]], object] | None = None

    def set_exception_handler(
        self: Loop, handler: Callable[[Any, dict[str, Any]], object] | None
    ) -> None:
        """Give reports to ``handler(loop, context)`` from now on; None restores the log.

        ``context`` is a dict with "message" and, where they apply, "exception", "future", "task",
        "handle", "asyncgen" and "source_traceback". Raises TypeError if *handler* is neither None
        nor callable.
        """
        if handler is not None and not callable(handler):
            raise TypeError(f"A callable object or None is expected, got {handler!r}")
        self._exception_handler = handler

    def get_exception_handler(
        self: Loop,
    ) -> Callable[[Any, dict[str, Any]], object] | None:
        """Return the exception handler, or None if reports go to the log."""
        handler: Callable[[Any, dict[str, Any]], object] | None = self._exception_handler
        return handler

    def call_exception_handler(self: Loop, context: dict[str, Any]) -> None:
        """Report an error that no caller can catch.

        The handler runs in the contextvars context of the task or handle at fault. An error of the
        handler itself is logged; only SystemExit and KeyboardInterrupt pass through.
        """
        handler = self._exception_handler
        if handler is None:
            self._log_exception_context(context, "Exception in default exception handler")
            return
        try:
            sources = [context.get(key) for key in ("task", "future", "handle")]
            source: Any = next((source for source in sources if source is not None), None)
            source_context: Any = source.get_context() if hasattr(source, "get_context") else None
            if hasattr(source_context, "run"):
                source_context.run(handler, self, context)
            else:
                handler(self, context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._log_exception_context(
                {
                    "message": "Unhandled error in exception handler",
                    "exception": exc,
                    "context": context,
                },
                "Exception in default exception handler while handling an unexpected error "
                "in custom exception handler",
            )

    def _log_exception_context(self: Loop, context: dict[str, Any], if_that_fails: str) -> None:
        """Call the default handler. If a subclass's own one raises, log ``if_that_fails``."""
        try:
            self.default_exception_handler(context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            logger.error(if_that_fails, exc_info=True)

    def default_exception_handler(self: Loop, context: dict[str, Any]) -> None:
        """Write a report to the logger ``asyncio``, at level ERROR."""
        exception = context.get("exception")
        if (
            "source_traceback" not in context
            and self._current_handle is not None
            and self._current_handle._source_traceback
        ):
            context["handle_traceback"] = self._current_handle._source_traceback
        lines = [context.get("message") or "Unhandled exception in event loop"]
        for key in sorted(context.keys() - {"message", "exception"}):
            value = context[key]
            if key in ("source_traceback", "handle_traceback"):
                what = "Object" if key == "source_traceback" else "Handle"
                stack = "".join(traceback.format_list(value)).rstrip()
                lines.append(f"{key}: {what} created at (most recent call last):\n{stack}")
            else:
                lines.append(f"{key}: {value!r}")
        exc_info = exception and (type(exception), exception, exception.__traceback__)
        logger.error("\n".join(lines), exc_info=exc_info or False)


def report(loop: Any, maker: Any, context: dict[str, Any]) -> None:
    """Report an error, with the stack in which *maker* was made if debug mode noted it."""
    if maker._source_traceback:
        context["source_traceback"] = maker._source_traceback
    loop.call_exception_handler(context)


def of_callback(handle: Handle, exc: BaseException) -> dict[str, Any]:
    """Return the report of an exception that a callback has raised."""
    # A callback may cancel its own handle and then raise: nothing is left to format.
    debug = handle._loop.get_debug()
    source = _format_callback_source(handle._callback, handle._args or (), debug=debug)
    message = f"Exception in callback {source}"
    context: dict[str, Any] = {"message": message, "exception": exc, "handle": handle}
    if handle._source_traceback:
        context["source_traceback"] = handle._source_traceback
    return context


# -- exceptions that are never retrieved -------------------------------------------------------


class FutureReports:
    """How a future reports that nobody has retrieved its exception."""

    __slots__ = ()

    _never_retrieved: _NeverRetrieved | bool

    @property
    def _log_traceback(self: Any) -> bool:
        """asyncio's name for ``_never_retrieved``. It can only be set to False."""
        return self._never_retrieved is not False

    @_log_traceback.setter
    def _log_traceback(self: Any, value: bool) -> None:
        if value:
            raise ValueError("_log_traceback can only be set to False")
        if isinstance(self._never_retrieved, _NeverRetrieved):
            self._never_retrieved.future = None
        self._never_retrieved = False

    def _report_if_never_retrieved(self: Any) -> _NeverRetrieved | bool:
        """Return a companion that makes the report, or True if ``__del__`` makes it."""
        return True if hasattr(type(self), "__del__") else _NeverRetrieved(self)


class _NeverRetrieved:
    """The companion of a Future that has failed: reports it when both are destroyed."""

    __slots__ = ("future",)

    def __init__(self, future: Future[Any]) -> None:
        double: Future[Any] = object.__new__(type(future))
        double._init(future._loop)
        double._state = future._state
        double._exception = future._exception
        double._never_retrieved = True
        double.__dict__ = future.__dict__
        self.future: Future[Any] | None = double  # None once the exception was retrieved

    def __del__(self) -> None:
        if self.future is not None:
            report_never_retrieved(self.future)


def report_never_retrieved(future: Future[Any]) -> None:
    """Report a future whose exception was never retrieved. Subclasses have it as ``__del__``."""
    if getattr(future, "_never_retrieved", False):  # it is missing if __init__ has failed
        context: dict[str, Any] = {
            "message": f"{type(future).__name__} exception was never retrieved",
            "exception": future._exception,
            "future": future,
        }
        report(future._loop, future, context)


def task_destroyed(task: Task[Any]) -> None:
    """Report a task that is destroyed while it waits, or before anybody asked for its exception."""
    if task._state == "PENDING" and task._log_destroy_pending:
        _register_destroyed_task(task)
        context = {"task": task, "message": "Task was destroyed but it is pending!"}
        report(task._loop, task, context)
    report_never_retrieved(task)
