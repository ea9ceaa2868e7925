"""How handles, futures and tasks print themselves, the stacks they show, and who awaits them.

Nothing here schedules anything; skip it at the first reading. The formats are asyncio's, since
people and test suites read them.

Mirrors ``asyncio/format_helpers.py``, ``base_futures.py``, ``base_tasks.py`` and
``coroutines._format_coroutine``.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import reprlib
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from .futures import Future
    from .tasks import Task

__all__: list[str] = []

# How many frames of the creating stack debug mode keeps, as asyncio.constants has it.
DEBUG_STACK_DEPTH = 10


def extract_stack(frame: FrameType | None) -> traceback.StackSummary:
    """Return the newest frames of the stack that ends in *frame*, oldest first."""
    stack = traceback.StackSummary.extract(
        traceback.walk_stack(frame), limit=DEBUG_STACK_DEPTH, lookup_lines=False
    )
    stack.reverse()
    return stack


def _created_at(stack: traceback.StackSummary) -> str:
    """Say in which line an object was created, for its repr in debug mode."""
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
    shown = []
    if debug:  # arguments may be secrets, so they are shown in debug mode only
        shown += [reprlib.repr(arg) for arg in args]
        shown += [f"{key}={reprlib.repr(value)}" for key, value in kwargs.items()]
    suffix = f"({', '.join(shown)}){suffix}"
    if isinstance(func, functools.partial):
        return _format_callback(func.func, func.args, func.keywords, debug, suffix)
    name = getattr(func, "__qualname__", None) or getattr(func, "__name__", None) or repr(func)
    return f"{name}{suffix}"


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


@reprlib.recursive_repr()
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


# -- stacks of tasks ---------------------------------------------------------------------------


def _task_get_stack(task: Task[Any], limit: int | None) -> list[FrameType]:
    """Return the frames of a task, oldest first: where it waits, or where it failed."""
    for attribute in ("cr_frame", "gi_frame", "ag_frame"):
        if hasattr(task._coro, attribute):
            frame = getattr(task._coro, attribute)
            break
    else:
        frame = None
    if frame is not None:  # limit keeps the newest frames of a stack
        frames = [frame for frame, _ in _first(limit, traceback.walk_stack(frame))]
        return frames[::-1]
    if task._exception is not None:  # and the oldest frames of a traceback
        walk = traceback.walk_tb(task._exception.__traceback__)
        return [frame for frame, _ in _first(limit, walk)]
    return []


def _first(
    limit: int | None, frames: Iterator[tuple[FrameType, int]]
) -> Iterator[tuple[FrameType, int]]:
    for count, item in enumerate(frames):
        if limit is not None and count >= limit:
            return
        yield item


def _task_print_stack(task: Task[Any], limit: int | None, file: TextIO | None) -> None:
    """Print what ``_task_get_stack`` returns in the form of a traceback."""
    lines = []
    for frame in task.get_stack(limit=limit):
        code = frame.f_code
        linecache.checkcache(code.co_filename)
        source = linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals)
        lines.append((code.co_filename, frame.f_lineno, code.co_name, source))
    exc = task._exception
    if not lines:
        print(f"No stack for {task!r}", file=file)
    elif exc is not None:
        print(f"Traceback for {task!r} (most recent call last):", file=file)
    else:
        print(f"Stack for {task!r} (most recent call last):", file=file)
    traceback.print_list(lines, file=file)
    if exc is not None:
        print("".join(traceback.format_exception_only(exc)), file=file, end="")


# -- who awaits a future -----------------------------------------------------------------------


def _awaiting_tasks(future: Future[Any]) -> list[Task[Any]]:
    """Return the tasks that await a future, in the order in which they began to.

    asyncio keeps this set up to date with every ``await``. Here it is found when somebody asks:
    a future knows what it has to run when it is done.
    """
    tasks: dict[Any, None] = dict.fromkeys(future._noted_awaited_by or ())
    for entry in _entries_of(future):
        task = _task_behind(entry, future)
        if task is not None and not _is_left_out(entry, future):
            tasks[task] = None
    return list(tasks)


def _entries_of(future: Future[Any]) -> list[Any]:
    """Return the tasks and handles that a future runs when it is done."""
    if future._state == "PENDING":
        return future._all_waiting()
    # They stand in the ready queue until their turn comes. (A mock of a loop may have no queue.)
    ready = getattr(future._loop, "_ready", None)
    return [
        entry
        for entry in (list(ready) if isinstance(ready, deque) else ())
        if getattr(entry, "_fut_waiter", None) is future
        or (getattr(entry, "_args", None) or (None,))[0] is future
    ]


def _task_behind(entry: Any, future: Future[Any]) -> Any:
    """Return the task on whose behalf an entry waits for a future, or None.

    The entry is the task itself, or a handle. Who makes a callback on a task's behalf names the
    task in an attribute ``_parent_task``, of the function or of the object whose method it is.
    """
    if getattr(entry, "_fut_waiter", None) is future:
        return entry
    callback = getattr(entry, "_callback", None)
    owner = getattr(callback, "__self__", callback)
    if getattr(owner, "_fut_waiter", None) is future:  # a task's _wakeup()
        return owner
    for find_parent in _ways_to_find_parents:
        parent = find_parent(owner)
        if hasattr(type(parent), "_fut_waiter"):
            return parent
    return None


# interop adds how asyncio's own callbacks tell.
_ways_to_find_parents: list[Callable[[Any], Any]] = [
    lambda owner: getattr(owner, "_parent_task", None),
]


def _leave_out(task: Any, future: Future[Any]) -> None:
    """Leave a task out of those that await a future, for all that waits on its behalf now."""
    if future._noted_awaited_by:
        future._noted_awaited_by.pop(task, None)
    if future._state == "PENDING":  # else the task is out with the next tick
        for entry in future._all_waiting():
            if _task_behind(entry, future) is task:
                vars(entry)["_left_out_of"] = weakref.ref(future)


def _is_left_out(entry: Any, future: Future[Any]) -> bool:
    left_out_of = getattr(entry, "_left_out_of", None)
    return left_out_of is not None and left_out_of() is future
