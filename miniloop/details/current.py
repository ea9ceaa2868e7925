"""The running loop, the current task, and the register of all tasks.

A thread runs at most one loop at a time, and a loop at most one task. ``sleep()``, ``Lock`` and
``create_task()`` take no loop as an argument, so they ask here.

CPython's counterparts are the end of ``asyncio/events.py`` (running loop, current loop) and the end
of ``asyncio/tasks.py`` (current task, register of tasks).

asyncio keeps the current loop in an event loop *policy*, an object that a program can replace.
Python 3.14 deprecates policies, and miniloop has none.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..core.tasks import Task
    from ..io.event_loop import EventLoop

__all__ = [
    "all_tasks",
    "current_task",
    "get_event_loop",
    "get_running_loop",
    "set_event_loop",
]


class _Thread(threading.local):
    """The two loops of each thread."""

    running_loop: EventLoop | None = None  # the loop inside run_forever()
    event_loop: EventLoop | None = None  # the loop given to set_event_loop()


_thread = _Thread()

# -- the running loop --------------------------------------------------------------------------


def get_running_loop() -> EventLoop:
    """Return the loop that runs in this thread. Raises RuntimeError if there is none."""
    loop = _thread.running_loop
    if loop is None:
        raise RuntimeError("no running event loop")
    return loop


def _get_running_loop() -> EventLoop | None:
    """Return the loop that runs in this thread, or None."""
    return _thread.running_loop


def _set_running_loop(loop: Any) -> None:
    """Set the loop that runs in this thread, or None. Only loops call this."""
    _thread.running_loop = loop


def _forget_after_fork() -> None:
    """Forget the loops and the current task in a forked child: they run in the parent only."""
    global _thread
    if _is_ours(_thread.running_loop):
        _thread.running_loop._init_current_task()  # type: ignore[union-attr]
    _current_tasks.clear()
    _thread = _Thread()
    if threading.current_thread() is threading.main_thread():
        signal.set_wakeup_fd(-1)  # or the child's signals would go to the parent's self-pipe


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)

# -- the current loop, running or not ----------------------------------------------------------


def set_event_loop(loop: EventLoop | None) -> None:
    """Set what ``get_event_loop()`` returns in this thread while no loop runs.

    Raises TypeError if *loop* is neither None nor an event loop.
    """
    if loop is not None and not _is_loop(loop):
        raise TypeError(f"loop must be an EventLoop or None, not {type(loop).__name__!r}")
    _thread.event_loop = loop


def get_event_loop() -> EventLoop:
    """Return the running loop, or else the loop that ``set_event_loop()`` has set.

    Raises RuntimeError if there is neither. New code calls ``get_running_loop()`` or ``run()``.
    """
    thread = _thread
    if thread.running_loop is not None:
        return thread.running_loop
    if thread.event_loop is None:
        name = threading.current_thread().name
        raise RuntimeError(f"There is no current event loop in thread {name!r}.")
    return thread.event_loop


def _get_loop(future: Any) -> Any:
    """Return the loop of a future or task, of other libraries' without ``get_loop()`` as well."""
    try:
        get_loop = future.get_loop
    except AttributeError:
        return future._loop
    return get_loop()


# -- the current task --------------------------------------------------------------------------


def current_task(loop: EventLoop | None = None) -> Task[Any] | None:
    """Return the task whose step *loop* (default: the running loop) is running.

    Returns None inside a callback. Raises RuntimeError if no loop is given and none runs.
    """
    return _current_task_of(get_running_loop() if loop is None else loop)


# Loops of other libraries have their current task here. A loop of miniloop has it in an attribute,
# so that a step sets it with one cheap store. For CPython to keep that store cheap, the attribute
# has no default in the class, and no code looks into vars(loop).
_current_tasks: dict[Any, Task[Any]] = {}


def _current_task_of(loop: Any) -> Task[Any] | None:
    if _is_ours(loop):
        return loop._current_task  # type: ignore[no-any-return]
    return _current_tasks.get(loop)


def _set_current_task(loop: Any, task: Any) -> None:
    if _is_ours(loop):
        loop._current_task = task
    elif task is None:
        _current_tasks.pop(loop, None)
    else:
        _current_tasks[loop] = task


def _is_ours(loop: Any) -> bool:
    """Return True for a loop of miniloop. No isinstance(): core/loop.py imports this file."""
    return hasattr(type(loop), "_takes_tasks")


def _is_loop(loop: Any) -> bool:
    """Return True if *loop* has the methods of an event loop."""
    return hasattr(type(loop), "run_forever") and hasattr(type(loop), "call_soon")


def _enter_task(loop: Any, task: Any) -> None:
    """Make *task* the current task of *loop*, for task classes of other libraries.

    Raises RuntimeError if *loop* has a current task already.
    """
    current = _current_task_of(loop)
    if current is not None:
        raise RuntimeError(
            f"Cannot enter into task {task!r} while another task {current!r} is being executed."
        )
    _set_current_task(loop, task)


def _leave_task(loop: Any, task: Any) -> None:
    """Undo ``_enter_task()``. Raises RuntimeError if *task* is not the current task."""
    current = _current_task_of(loop)
    if current is not task:
        raise RuntimeError(f"Leaving task {task!r} does not match the current task {current!r}.")
    _set_current_task(loop, None)


def _swap_current_task(loop: Any, task: Any) -> Any:
    """Make *task* the current task of *loop* and return the previous one."""
    current = _current_task_of(loop)
    _set_current_task(loop, task)
    return current


# -- the register of tasks ---------------------------------------------------------------------

# Weak references to the tasks that all_tasks() may not find in a ready queue: those that have
# waited, and those that stand there inside a handle (the name is asyncio's). This is what a WeakSet
# has inside, at half the price: references that leave the set when their task is destroyed, and
# compare as their tasks do.
_scheduled_tasks: set[weakref.ref[Any]] = set()
_forget = _scheduled_tasks.discard


def _register_task(task: Any) -> None:
    """Make *task* known to ``all_tasks()``. Task classes of other libraries call this, too."""
    _scheduled_tasks.add(weakref.ref(task, _forget))


# References to tasks that were registered while they were being destroyed. The garbage collector
# ends such a reference without calling `_forget`. So each new one looks after two older ones.
_destroyed: deque[weakref.ref[Any]] = deque()


def _register_destroyed_task(task: Any) -> None:
    """Register a task that is being destroyed. It reports that, and a handler may keep it alive."""
    with contextlib.suppress(IndexError):  # there are fewer than two
        for _ in range(2):
            older = _destroyed.popleft()
            if older() is None:
                _forget(older)
            else:
                _destroyed.append(older)
    reference = weakref.ref(task, _forget)
    _scheduled_tasks.add(reference)
    _destroyed.append(reference)


def _unregister_task(task: Any) -> None:
    """Undo ``_register_task()``."""
    _scheduled_tasks.discard(weakref.ref(task))


def all_tasks(loop: EventLoop | None = None) -> set[Task[Any]]:
    """Return the set of the tasks of *loop* (default: the running loop) that are not done.

    The loop holds waiting tasks weakly: a task may vanish if only it refers to what it awaits.
    Raises RuntimeError if no loop is given and none runs.
    """
    if loop is None:
        loop = get_running_loop()
    # A task that does not wait stands in the ready queue, or runs right now. So only tasks that
    # wait need the register, and short-lived tasks never get there.
    found: list[Any] = [reference() for reference in list(_scheduled_tasks)]
    found.append(_current_task_of(loop))
    if _is_ours(loop):
        found += [entry for entry in list(loop._ready) if hasattr(entry, "get_coro")]
    return {
        task for task in found if task is not None and _get_loop(task) is loop and not task.done()
    }
