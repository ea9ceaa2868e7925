"""Eager tasks: they take their first step inside ``create_task()``, without waiting for a tick.

If the coroutine ends in that step, the task never sees the ready queue. The price: the task's code
interrupts the code that creates the task.

CPython's counterparts are ``Task.__eager_start`` and ``create_eager_task_factory`` in
``asyncio/tasks.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..core import tasks  # the module: it imports this file before it has made Task
from .current import _register_task, _swap_current_task

if TYPE_CHECKING:
    from ..core.loop import BaseEventLoop
    from ..core.tasks import Task

__all__ = ["create_eager_task_factory", "eager_task_factory"]


def start(task: Task[Any]) -> None:
    """Take the first step of a task now, inside the step or callback that is running.

    Raises RuntimeError if the task's context is entered already.
    """
    loop = task._loop
    try:
        task._context.run(_nothing)  # _run() would blame the coroutine for this error
    except RuntimeError:
        task._log_destroy_pending = False
        raise
    previous = _swap_current_task(loop, task)
    if previous is not None:  # it is not current for a while, but all_tasks() must find it
        _register_task(previous)
    try:
        task._run()
    finally:
        if previous is not None:  # otherwise _run() has left no current task, as it was before
            _swap_current_task(loop, previous)
        if task.done():
            task._coro = None
        del task  # a cycle


def _nothing() -> None:
    """Do nothing, in a context: to see whether it can be entered."""


def create_eager_task_factory(
    custom_task_constructor: Callable[..., Task[Any]],
) -> Callable[..., Task[Any]]:
    """Return a factory that calls ``custom_task_constructor(coro, loop=..., eager_start=True)``.

    ``create_task(coro, eager_start=False)`` still makes an ordinary task.
    """

    def factory(
        loop: BaseEventLoop, coro: Any, *, eager_start: bool = True, **kwargs: Any
    ) -> Task[Any]:
        return custom_task_constructor(coro, loop=loop, eager_start=eager_start, **kwargs)

    return factory


def eager_task_factory(
    loop: BaseEventLoop, coro: Any, *, eager_start: bool = True, **kwargs: Any
) -> Task[Any]:
    """Make an eager task: the factory for ``loop.set_task_factory()``."""
    return tasks.Task(coro, loop=loop, eager_start=eager_start, **kwargs)
