"""Which loop and which task are running in this thread.

A thread runs at most one loop at a time and a loop at most one task at a time. Everything that
is called without being told its loop (``sleep``, ``Lock``, ``create_task``) asks here.

Mirrors the end of ``asyncio/events.py`` (running loop, current loop) and of ``asyncio/tasks.py``
(current task, and the register of tasks that ``all_tasks()`` reads). asyncio keeps the current loop
in an event loop *policy*, an object that a program can replace to say which loop a thread gets;
there are none here, Python 3.14 deprecates them.
"""

from __future__ import annotations

import os
import signal
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .selector_events import EventLoop
    from .tasks import Task

__all__ = [
    "current_task",
    "get_event_loop",
    "get_running_loop",
    "new_event_loop",
    "set_event_loop",
]


class _Thread(threading.local):
    """What is known of each thread."""

    running_loop: EventLoop | None = None  # the loop inside run_forever()
    event_loop: EventLoop | None = None  # the loop given to set_event_loop()


_thread = _Thread()

# Makes a loop. Filled in by selector_events.py: this file knows that there are loops, a later file
# knows how to build one.
_loop_factory: Callable[[], EventLoop] | None = None

# -- the running loop --------------------------------------------------------------------------


def get_running_loop() -> EventLoop:
    """Return the loop that runs in this thread; raise RuntimeError if there is none.

    Mirrors ``asyncio.events.get_running_loop``.
    """
    loop = _thread.running_loop
    if loop is None:
        raise RuntimeError("no running event loop")
    return loop


def _get_running_loop() -> EventLoop | None:
    """Return the loop that runs in this thread, or None."""
    return _thread.running_loop


def _set_running_loop(loop: Any) -> None:
    """Say which loop runs in this thread from now on. For loops only."""
    _thread.running_loop = loop


def _forget_after_fork() -> None:
    """Start anew in a forked child: the loop and its task go on running in the parent only."""
    global _thread
    if _is_ours(_thread.running_loop):
        _thread.running_loop._init_current_task()  # type: ignore[union-attr]
    _current_tasks.clear()
    _thread = _Thread()
    if threading.current_thread() is threading.main_thread():
        signal.set_wakeup_fd(-1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)

# -- the current loop, running or not ----------------------------------------------------------


def new_event_loop() -> EventLoop:
    """Return a new ``EventLoop``. Mirrors ``asyncio.events.new_event_loop``."""
    assert _loop_factory is not None
    return _loop_factory()


def set_event_loop(loop: EventLoop | None) -> None:
    """Set what ``get_event_loop()`` returns in this thread while no loop runs.

    Raises TypeError for what is no loop. Mirrors ``asyncio.events.set_event_loop``.
    """
    if loop is not None and not _is_loop(loop):
        raise TypeError(f"loop must be an EventLoop or None, not {type(loop).__name__!r}")
    _thread.event_loop = loop


def get_event_loop() -> EventLoop:
    """Return the running loop, else the one that was set for this thread.

    Raises RuntimeError if there is neither. New code says ``get_running_loop()`` or ``run()``.

    Mirrors ``asyncio.events.get_event_loop`` and the default policy's method of that name.
    """
    thread = _thread
    if thread.running_loop is not None:
        return thread.running_loop
    if thread.event_loop is None:
        name = threading.current_thread().name
        raise RuntimeError(f"There is no current event loop in thread {name!r}.")
    return thread.event_loop


def _get_loop(future: Any) -> Any:
    """Return the loop of any future or task, old ones without ``get_loop()`` included."""
    try:
        get_loop = future.get_loop
    except AttributeError:
        return future._loop
    return get_loop()


# -- the current task --------------------------------------------------------------------------


def current_task(loop: EventLoop | None = None) -> Task[Any] | None:
    """Return the task that *loop* (default: the running loop) is stepping, or None.

    None is the answer inside a plain callback. Raises RuntimeError if no loop is given and
    none runs. Mirrors ``asyncio.tasks.current_task``.
    """
    return _current_task_of(get_running_loop() if loop is None else loop)


# The current task is an attribute of the loop: a step then sets it with one cheap store. It must
# not have a class attribute as its default, and nobody may look into vars(loop): either makes
# CPython store it through a dict (a task switch took 589 ns instead of 509). Of loops that somebody
# else wrote it stands here.
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
    """Return True for a loop that takes tasks in its ready queue: see ``foreign_loops.py``."""
    return hasattr(type(loop), "_takes_tasks")


def _is_loop(loop: Any) -> bool:
    """Tell a loop from what is none."""
    return hasattr(type(loop), "run_forever") and hasattr(type(loop), "call_soon")


def _enter_task(loop: Any, task: Any) -> None:
    """Make *task* the current task of *loop*. For other implementations of tasks."""
    current = _current_task_of(loop)
    if current is not None:
        raise RuntimeError(
            f"Cannot enter into task {task!r} while another task {current!r} is being executed."
        )
    _set_current_task(loop, task)


def _leave_task(loop: Any, task: Any) -> None:
    """Undo ``_enter_task``. For implementations of tasks."""
    current = _current_task_of(loop)
    if current is not task:
        raise RuntimeError(f"Leaving task {task!r} does not match the current task {current!r}.")
    _set_current_task(loop, None)


def _swap_current_task(loop: Any, task: Any) -> Any:
    """Make *task* the current task of *loop* and return the one before it."""
    current = _current_task_of(loop)
    _set_current_task(loop, task)
    return current


# -- the register of tasks ---------------------------------------------------------------------

# Tasks that have waited at least once, weakly held; all_tasks() leaves out those that are done.
# This is what a WeakSet has inside, at half the price: references that take themselves out of the
# set when their task is destroyed, and that compare as their tasks do.
_scheduled_tasks: set[weakref.ref[Any]] = set()
_forget = _scheduled_tasks.discard


def _register_task(task: Any) -> None:
    """Make *task* known to ``all_tasks()``. For implementations of tasks."""
    _scheduled_tasks.add(weakref.ref(task, _forget))


def _unregister_task(task: Any) -> None:
    """Undo ``_register_task``. For implementations of tasks."""
    _scheduled_tasks.discard(weakref.ref(task))
