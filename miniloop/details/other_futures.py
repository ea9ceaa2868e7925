"""What a coroutine yields besides ``None`` and plain futures of miniloop.

``Task._run()`` handles the common case: the coroutine yields a plain future of the task's own loop,
which is not done. Everything else comes here:

* a future of another library, or of a subclass that may have overridden any method. The task uses
  only its public methods ``add_done_callback()`` and ``result()``.
* an error: a future of another loop, a ``yield`` in place of ``yield from``, anything that is no
  future at all. The task's next step throws RuntimeError into the coroutine.

Both may call code of the program or of another library, which may raise. So they run in a Handle,
which reports the exception.

CPython's counterparts are the branches of ``__step_run_and_handle_result`` and ``__wakeup`` in
``asyncio/tasks.py``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

from ..core.exceptions import InvalidStateError
from ..core.handles import Handle
from . import debug
from .current import _get_loop, _register_task

if TYPE_CHECKING:
    from ..core.tasks import Task


def wait_for(task: Task[Any], yielded: Any) -> None:
    """Let a task wait for what its coroutine yielded, or throw RuntimeError in its next step."""
    call_in_handle(task, task._context, _wait_for, task, yielded)


def _wait_for(task: Task[Any], yielded: Any) -> None:
    task._registered = True  # its wakeup is a handle, in which all_tasks() does not find the task
    _register_task(task)
    blocking = getattr(yielded, "_asyncio_future_blocking", None)
    if yielded is task:
        error = f"Task cannot await on itself: {task!r}"
    elif blocking is None:
        if inspect.isgenerator(yielded):
            error = (
                "yield was used instead of yield from for generator "
                f"in task {task!r} with {yielded!r}"
            )
        else:
            error = f"Task got bad yield: {yielded!r}"
    elif _get_loop(yielded) is not task.get_loop():
        error = f"Task {task!r} got Future {yielded!r} attached to a different loop"
    elif not blocking:
        error = f"yield was used instead of yield from in task {task!r} with {yielded!r}"
    else:
        yielded._asyncio_future_blocking = False
        # A context cannot be entered twice at once, and the step enters the task's own. So the
        # callback gets an empty one.
        yielded.add_done_callback(task._wakeup, context=Context())
        task._fut_waiter = yielded
        if task._must_cancel:
            task._cancel_awaited(yielded)
        return
    task._loop.call_soon(task._run, RuntimeError(error), context=Context())


def wake_up(task: Task[Any], future: Any) -> None:
    """Take the next step of a task that has waited for a future of another class or library."""
    task._fut_waiter = None
    error = None
    try:
        task._context.run(future.result)
    except BaseException as exc:
        error = exc
    try:
        task._run(error)  # not in the except clause, which would set __context__ in the coroutine
    finally:
        del task, future, error  # a cycle


def refuse_step(task: Task[Any], exc: BaseException | None) -> None:
    """Report a step of a task that is done."""
    call_in_handle(task, Context(), _refuse_step, task, exc)


def _refuse_step(task: Task[Any], exc: BaseException | None) -> None:
    raise InvalidStateError(f"__step(): already done: {task!r}, {exc!r}")


def call_in_handle(
    task: Task[Any], context: Context, callback: Callable[..., object], *args: Any
) -> None:
    """Call ``callback(*args)`` in a Handle, which reports what it raises.

    asyncio runs every step in a Handle. In debug mode a report shows the stack that made the
    handle. asyncio makes it when it schedules the step, so the mode at that time decides.
    """
    handle = Handle(callback, args, task._loop, context)
    in_debug = task._scheduled_in_debug
    if in_debug is None:
        in_debug = task._loop._current_handle is task  # it is set in debug mode only
    if not in_debug:
        handle._source_traceback = None
    elif handle._source_traceback is None:
        handle._source_traceback = debug.stack_of_maker()
    handle._run()
