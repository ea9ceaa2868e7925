"""Call graphs: where a task stands, which tasks await it, where those stand, and so on.

A task's call stack ends at the task: the frames below its coroutine belong to the loop. No stack
shows which other tasks await the task. A call graph has both: for each future its call stack (if
the future is a task) and the graphs of the tasks that await it.

In asyncio every future has a set of the tasks that await it, and every ``await`` changes that set.
miniloop keeps no such set. A future has a list of its waiters anyway, and nearly always that shows
which tasks await it (``Future._asyncio_awaited_by``). miniloop stores only what a program tells it
with ``future_add_to_awaited_by()``.

CPython's counterparts are ``asyncio/graph.py``, new in Python 3.14, and of ``asyncio/futures.py``
the two functions ``future_add_to_awaited_by()`` and ``future_discard_from_awaited_by()``.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, TextIO

from ..core import futures  # the module: it imports this file before it has made Future
from .current import _current_task_of, _get_running_loop

if TYPE_CHECKING:
    from ..core.futures import Future
    from ..core.tasks import Task

__all__ = [
    "FrameCallGraphEntry",
    "FutureCallGraph",
    "capture_call_graph",
    "format_call_graph",
    "future_add_to_awaited_by",
    "future_discard_from_awaited_by",
    "print_call_graph",
]


@dataclasses.dataclass(frozen=True, slots=True)
class FrameCallGraphEntry:
    """One frame of a call stack."""

    frame: FrameType
    """The frame of the interpreter, with its code, line and variables."""


@dataclasses.dataclass(frozen=True, slots=True)
class FutureCallGraph:
    """A future, its call stack and the graphs of the tasks that await it."""

    future: Future[Any]
    """The future or task that the graph is about."""
    call_stack: tuple[FrameCallGraphEntry, ...]
    """Its frames, the newest first. Empty for a future that is no task."""
    awaited_by: tuple[FutureCallGraph, ...]
    """A graph for each task that awaits it."""


# -- who awaits whom ---------------------------------------------------------------------------


def future_add_to_awaited_by(fut: object, waiter: object, /) -> None:
    """Note that *waiter* awaits *fut*, for call graphs.

    A library calls this if its tasks wait for futures by other means than ``await``. It does
    nothing unless both are Futures of miniloop.
    """
    if isinstance(fut, futures.Future) and isinstance(waiter, futures.Future):
        if waiter in _awaiting_tasks(fut):
            return
        if fut._noted_awaited_by is None:
            fut._noted_awaited_by = {}
        fut._noted_awaited_by[waiter] = None


def future_discard_from_awaited_by(fut: object, waiter: object, /) -> None:
    """Note that *waiter* does not await *fut* any more, for call graphs.

    Call graphs then leave *waiter* out, even if it does await *fut*, until it awaits *fut* anew.
    It does nothing unless both are Futures of miniloop.
    """
    if isinstance(fut, futures.Future) and isinstance(waiter, futures.Future):
        _leave_out(waiter, fut)


def note_parent(callback: Any, loop: Any) -> Task[Any] | None:
    """Note that a callback waits for the sake of the current task of *loop*; return that task."""
    task = callback._parent_task = None if loop is None else _current_task_of(loop)
    return task


def wait_no_longer(task: Task[Any] | None, waited_for: Iterable[Any]) -> None:
    """Note that a task does not wait for these futures any more."""
    for future in waited_for:
        future_discard_from_awaited_by(future, task)


def _awaiting_tasks(future: Future[Any]) -> list[Task[Any]]:
    """Return the tasks that await a future, in the order in which they began to."""
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
    # They are in the ready queue until their turn comes. Only a loop of miniloop has that queue.
    ready = getattr(future._loop, "_ready", None)
    return [
        entry
        for entry in (list(ready) if isinstance(ready, deque) else ())
        if getattr(entry, "_fut_waiter", None) is future
        or (getattr(entry, "_args", None) or (None,))[0] is future
    ]


def _task_behind(entry: Any, future: Future[Any]) -> Any:
    """Return the task on whose behalf an entry waits for a future, or None.

    The entry is the task itself, or a handle. A handle's callback (or, if the callback is a method,
    its object) has the task as its attribute ``_parent_task``, which ``note_parent()`` sets.
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


# The interop package appends a function that finds the task behind asyncio's own callbacks.
_ways_to_find_parents: list[Callable[[Any], Any]] = [
    lambda owner: getattr(owner, "_parent_task", None),
]


def _leave_out(task: Any, future: Future[Any]) -> None:
    """Mark all entries by which a task waits for a future now: call graphs skip them."""
    if future._noted_awaited_by:
        future._noted_awaited_by.pop(task, None)
    if future._state == "PENDING":  # if it is done, the entries are gone after the next tick
        for entry in future._all_waiting():
            if _task_behind(entry, future) is task:
                vars(entry)["_left_out_of"] = weakref.ref(future)  # mypy knows no such attribute


def _is_left_out(entry: Any, future: Future[Any]) -> bool:
    left_out_of = getattr(entry, "_left_out_of", None)
    return left_out_of is not None and left_out_of() is future


# -- capturing ---------------------------------------------------------------------------------


def capture_call_graph(
    future: Future[Any] | None = None, /, *, depth: int = 1, limit: int | None = None
) -> FutureCallGraph | None:
    """Return the call graph of *future*, by default of the current task.

    The call stack of the current task begins with the caller of this function; each ``depth``
    above 1 leaves out one frame more. ``limit`` cuts all call stacks to so many frames: the
    oldest ones if it is positive, the newest ones if it is negative.

    Returns None if there is no current task. Raises RuntimeError if no *future* is given and no
    loop is running, TypeError if *future* is no Future.
    """
    loop = _get_running_loop()
    current = None if loop is None else _current_task_of(loop)
    if future is not None and future is not current:
        return _graph_of_waiting(future, limit)
    if loop is None:
        raise RuntimeError(
            "capture_call_graph() is called outside of a running event loop and no *future* "
            "to introspect was provided"
        )
    if current is None:
        return None
    _check_future(current)

    stack = []
    frame = sys._getframe(depth) if limit != 0 else None
    while frame is not None:
        stack.append(FrameCallGraphEntry(frame))
        caller = frame.f_back
        if _is_async(frame.f_code) and caller is not None and not _is_resumed(caller.f_code):
            break  # the task's coroutine: its caller is the task's own step
        frame = caller
    del frame  # a cycle: this frame is among those that it has been
    if limit is not None:  # the newest frame stands first
        stack = stack[-limit:] if limit > 0 else stack[:-limit]
    return FutureCallGraph(current, tuple(stack), _graphs_of_awaiting(current, limit))


def _graph_of_waiting(future: Future[Any], limit: int | None) -> FutureCallGraph:
    """Return the graph of a future that is not the current task."""
    _check_future(future)
    stack: list[FrameCallGraphEntry] = []
    coro: Any = future.get_coro() if limit != 0 and hasattr(future, "get_coro") else None
    while hasattr(coro, "cr_await"):
        if coro.cr_frame is not None:  # None once the coroutine has ended
            stack.append(FrameCallGraphEntry(coro.cr_frame))
        coro = coro.cr_await
    if limit is not None:  # the oldest frame stands first
        stack = stack[:limit] if limit > 0 else stack[limit:]
    return FutureCallGraph(future, tuple(reversed(stack)), _graphs_of_awaiting(future, limit))


def _graphs_of_awaiting(future: Future[Any], limit: int | None) -> tuple[FutureCallGraph, ...]:
    return tuple(_graph_of_waiting(task, limit) for task in _awaiting_tasks(future))


def _check_future(future: object) -> None:
    if not isinstance(future, futures.Future):
        raise TypeError(f"{future!r} object does not appear to be compatible with asyncio.Future")


def _is_async(code: CodeType) -> bool:
    return bool(code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR))


def _is_resumed(code: CodeType) -> bool:
    """Return True for code that Python can resume: a coroutine's or a generator's."""
    return _is_async(code) or bool(code.co_flags & inspect.CO_GENERATOR)


# -- printing ----------------------------------------------------------------------------------


def format_call_graph(
    future: Future[Any] | None = None, /, *, depth: int = 1, limit: int | None = None
) -> str:
    """Return the call graph of *future* as text, by default of the current task.

    The arguments and errors are those of ``capture_call_graph()``. Without a task the text is
    empty.
    """
    graph = capture_call_graph(future, depth=depth + 1, limit=limit)
    return "" if graph is None else "\n".join(_lines(graph, ""))


def print_call_graph(
    future: Future[Any] | None = None,
    /,
    *,
    file: TextIO | None = None,
    depth: int = 1,
    limit: int | None = None,
) -> None:
    """Print the call graph of *future*, by default of the current task, to ``file`` or stdout.

    The other arguments and the errors are those of ``capture_call_graph()``. The call stack of
    the current task begins with this very function, as in asyncio; ``depth=2`` leaves it out.
    """
    print(format_call_graph(future, depth=depth, limit=limit), file=file)


def _lines(graph: FutureCallGraph, indent: str) -> list[str]:
    future: Any = graph.future
    if hasattr(future, "get_coro"):
        lines = [f"{indent}* Task(name={future.get_name()!r}, id={id(future):#x})"]
    else:
        lines = [f"{indent}* Future(id={id(future):#x})"]
    if graph.call_stack:
        lines.append(f"{indent}  + Call stack:")
    for entry in graph.call_stack:
        code = entry.frame.f_code
        lines.append(
            f"{indent}  |   File {code.co_filename!r}, line {entry.frame.f_lineno}, "
            f"in {_kind(code)}{code.co_qualname}()"
        )
    if graph.awaited_by:
        lines.append(f"{indent}  + Awaited by:")
    for awaiting in graph.awaited_by:
        lines += _lines(awaiting, indent + "    ")
    return lines


def _kind(code: CodeType) -> str:
    if code.co_flags & inspect.CO_COROUTINE:
        return "async "
    if code.co_flags & inspect.CO_ASYNC_GENERATOR:
        return "async generator "
    return "generator " if code.co_flags & inspect.CO_GENERATOR else ""
