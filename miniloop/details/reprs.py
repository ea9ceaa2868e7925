"""How handles, futures and tasks print themselves.

Nothing here schedules anything. The formats are asyncio's, because programs' tests compare them.

CPython's counterparts are ``asyncio/format_helpers.py``, ``base_futures.py``, ``base_tasks.py`` and
the ``_repr_info`` methods in ``events.py``.
"""

from __future__ import annotations

import functools
import inspect
import reprlib
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..core.futures import Future
    from ..core.handles import Handle
    from ..core.tasks import Task

__all__: list[str] = []


def _created_at(stack: traceback.StackSummary) -> str:
    """Return the line in which an object was created, for its repr in debug mode."""
    return f"created at {stack[-1].filename}:{stack[-1].lineno}"


# -- callbacks ---------------------------------------------------------------------------------


def _format_callback_source(func: Any, args: tuple[Any, ...], *, debug: bool = False) -> str:
    """Return ``name() at file:line`` of a callback; arguments only in debug mode."""
    text = _format_callback(func, args, {}, debug, "")
    source = _get_function_source(func)
    return f"{text} at {source[0]}:{source[1]}" if source else text


def _get_function_source(func: Any) -> tuple[str, int] | None:
    """Return the file and first line of the Python function behind *func*, if there is one."""
    func = inspect.unwrap(func)
    if inspect.isfunction(func):
        return func.__code__.co_filename, func.__code__.co_firstlineno
    if isinstance(func, functools.partial | functools.partialmethod):
        return _get_function_source(func.func)
    return None


def _format_callback(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], debug: bool, suffix: str
) -> str:
    """Return ``name(args)suffix``; of a partial, ``name(bound args)(args)suffix``."""
    shown = []
    if debug:  # arguments may be secrets, so only debug mode shows them
        shown += [reprlib.repr(arg) for arg in args]
        shown += [f"{key}={reprlib.repr(value)}" for key, value in kwargs.items()]
    suffix = f"({', '.join(shown)}){suffix}"
    if isinstance(func, functools.partial):
        return _format_callback(func.func, func.args, func.keywords, debug, suffix)
    name = getattr(func, "__qualname__", None) or getattr(func, "__name__", None) or repr(func)
    return f"{name}{suffix}"


def _handle_repr_info(handle: Handle) -> list[str]:
    info = [type(handle).__name__]
    if handle._cancelled:
        info.append("cancelled")
    if handle._callback is not None:
        debug = handle._loop.get_debug()
        info.append(_format_callback_source(handle._callback, handle._args or (), debug=debug))
    if handle._source_traceback:
        info.append(_created_at(handle._source_traceback))
    return info


# -- coroutines --------------------------------------------------------------------------------


def _format_coroutine(coro: Any) -> str:
    """Return where a coroutine stands: ``name() running at file:line``."""
    name = getattr(coro, "__qualname__", None) or getattr(coro, "__name__", None)
    if not name:  # compiled coroutines may have none
        name = f"<{type(coro).__name__} without __name__>"
    code = getattr(coro, "cr_code", None) or getattr(coro, "gi_code", None)
    if not code:
        running = getattr(coro, "cr_running", False) or getattr(coro, "gi_running", False)
        return f"{name}() running" if running else f"{name}()"
    filename = code.co_filename or "<empty co_filename>"
    frame = getattr(coro, "gi_frame", None) or getattr(coro, "cr_frame", None)
    if frame is not None:
        return f"{name}() running at {filename}:{frame.f_lineno}"
    return f"{name}() done, defined at {filename}:{code.co_firstlineno}"


# -- futures and tasks -------------------------------------------------------------------------


def _format_callbacks(callbacks: list[tuple[Callable[..., Any], Any]]) -> str:
    shown = [_format_callback_source(callback, ()) for callback, _ in callbacks]
    if len(shown) > 2:
        shown = [shown[0], f"<{len(shown) - 2} more>", shown[-1]]
    return f"cb=[{', '.join(shown)}]"


def _future_repr_info(future: Future[Any]) -> list[str]:
    info = [future._state.lower()]
    if future._state == "FINISHED":
        if future._exception is not None:
            info.append(f"exception={future._exception!r}")
        else:
            info.append(f"result={reprlib.repr(future._result)}")
    if future._callbacks:
        info.append(_format_callbacks(future._callbacks))
    if future._source_traceback:
        info.append(_created_at(future._source_traceback))
    return info


@reprlib.recursive_repr()  # a future may be inside its own result
def _future_repr(future: Future[Any]) -> str:
    """Return ``<Future state result cb=[...]>``."""
    return f"<{type(future).__name__} {' '.join(_future_repr_info(future))}>"


@reprlib.recursive_repr()
def _task_repr(task: Task[Any]) -> str:
    """Return ``<Task state name=... coro=<...> wait_for=... cb=[...]>``."""
    info = _future_repr_info(task)
    if task.cancelling() and not task.done():
        info[0] = "cancelling"
    info.insert(1, f"name={task.get_name()!r}")
    if task._fut_waiter is not None:
        info.insert(2, f"wait_for={task._fut_waiter!r}")
    if task._coro is not None:
        info.insert(2, f"coro=<{_format_coroutine(task._coro)}>")
    return f"<{type(task).__name__} {' '.join(info)}>"
