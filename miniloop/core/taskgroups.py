"""TaskGroup: tasks that end together.

``async with TaskGroup() as group:`` does not leave its block before all tasks of the group have
ended: ``__aexit__()``, at the end of the block's *body*, waits for them. If one fails, the group
cancels the rest, and also its *parent*, the task that runs the block, which may be waiting for
something else. When the parent comes to the end of the block, the group takes that cancellation
back (``uncancel()``) and raises the tasks' errors instead.

CPython's counterpart is ``asyncio/taskgroups.py``.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..details.current import current_task, get_running_loop
from .exceptions import CancelledError
from .futures import Future
from .tasks import Task

if TYPE_CHECKING:
    from .loop import BaseEventLoop

__all__ = ["TaskGroup"]

_T = TypeVar("_T")


class TaskGroup:
    """An ``async with`` block that waits for its tasks.

    If tasks or the block fail, the block raises their errors as a BaseExceptionGroup, or as an
    ExceptionGroup if all are Exceptions. It raises KeyboardInterrupt and SystemExit as they are.
    """

    _loop: BaseEventLoop
    _parent_task: Task[Any]

    def __init__(self) -> None:
        self._entered = False
        self._exiting = False  # the body has ended; tasks may still run
        self._aborting = False  # the group has cancelled its tasks
        self._cancel_on_enter = False  # cancel() was called before the block was entered
        self._parent_cancel_requested = False
        # The tasks that have not ended. A dict, not a set, so that the group cancels them in the
        # order in which it made them (in asyncio in any order).
        self._tasks: dict[Task[Any], None] = {}
        self._errors: list[BaseException] = []
        self._base_error: BaseException | None = None  # KeyboardInterrupt or SystemExit
        self._on_completed_fut: Future[bool] | None = None  # __aexit__() awaits it

    async def __aenter__(self) -> TaskGroup:
        if self._entered:
            raise RuntimeError(f"TaskGroup {self!r} has already been entered")
        self._loop = get_running_loop()
        parent = current_task(self._loop)
        if parent is None:
            raise RuntimeError(f"TaskGroup {self!r} cannot determine the parent task")
        self._parent_task = parent
        self._entered = True
        if self._cancel_on_enter:
            self.cancel()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        # Who has cancelled the parent? Only the group: the errors of its tasks are raised. Only the
        # program: CancelledError. Both: the errors, and the parent's next step throws
        # CancelledError.
        self._exiting = True
        if exc is not None and self._base_error is None and _is_base_error(exc):
            self._base_error = exc
        cancelled = exc if isinstance(exc, CancelledError) else None
        last_cancelled = None  # the last CancelledError during the wait for the tasks
        if exc is not None and not self._aborting:
            self._abort()
        try:
            while self._tasks:
                # A new future each time: a cancelled one would end the next wait at once.
                self._on_completed_fut = self._loop.create_future()
                try:
                    await self._on_completed_fut
                except CancelledError as error:
                    last_cancelled = error
                    if not self._aborting:  # not the group's own request: the program's
                        cancelled = error
                        self._abort()
                self._on_completed_fut = None

            if self._base_error is not None:
                raise self._base_error
            if self._parent_cancel_requested:
                # asyncio: compared with 0, not, as in Timeout, with the count when the block began
                if self._parent_task.uncancel() == 0:
                    cancelled = None  # the group's own request was the only one
                elif cancelled is None:
                    cancelled = last_cancelled  # a request that is not the group's is left
            if cancelled is not None and not self._errors:
                raise cancelled
            if exc is not None and not isinstance(exc, CancelledError):
                self._errors.append(exc)
            if self._errors:
                if self._parent_task.cancelling():
                    # The program has cancelled the parent, too, but the errors go first. This pair
                    # keeps the count, and makes the parent's next step throw CancelledError.
                    self._parent_task.uncancel()
                    self._parent_task.cancel()
                if isinstance(exc, GeneratorExit) and len(self._errors) == 1:
                    raise exc  # aclose() of an async generator that has this block: no error
                raise BaseExceptionGroup("unhandled errors in a TaskGroup", self._errors) from None
            return True  # swallow `exc`, if any: it is the CancelledError that the group asked for
        finally:
            # Cycles: these errors lead to this frame, and it to the group.
            self._parent_task = self._errors = self._base_error = None  # type: ignore[assignment]
            exc = cancelled = last_cancelled = None

    def create_task(
        self, coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], **kwargs: Any
    ) -> Task[_T]:
        """Start *coro* as a task of the group and return the task.

        The keywords go to the loop's ``create_task()``. Before the block, after it, and while the
        group is being cancelled, this closes the coroutine and raises RuntimeError.
        """
        aborting = self._aborting  # a copy, or mypy takes the second test of it for unreachable
        if not self._entered or aborting or (self._exiting and not self._tasks):
            coro.close()
            if not self._entered:
                raise RuntimeError(f"TaskGroup {self!r} has not been entered")
            if self._exiting and not self._tasks:
                raise RuntimeError(f"TaskGroup {self!r} is finished")
            raise RuntimeError(f"TaskGroup {self!r} is shutting down")
        task = self._loop.create_task(coro, **kwargs)
        # An eager task may have failed already. The callback, not this call, looks at that: the
        # group must not cancel the parent in the middle of its step.
        self._tasks[task] = None
        task.add_done_callback(self._on_task_done)  # type: ignore[arg-type]
        if self._aborting and not task.done():  # an eager task has cancelled its own group
            task.cancel()
        try:
            return task
        finally:
            del task  # an eager task may have failed, and its traceback leads here

    def cancel(self) -> None:
        """Cancel the tasks that are not done, and the block, which then raises no CancelledError.

        If the program cancels the parent as well, the block does raise that. Before the block, the
        request waits until the group is entered. After it, or a second time, this does nothing.
        """
        if not self._entered:
            self._cancel_on_enter = True
        elif not self._aborting and not (self._exiting and not self._tasks):
            self._abort()
            self._cancel_parent()

    def _cancel_parent(self) -> None:
        """Cancel the parent, once, so that it leaves its block. ``__aexit__()`` takes it back."""
        if not self._parent_cancel_requested:
            self._parent_cancel_requested = True
            self._parent_task.cancel()

    def _abort(self) -> None:
        """Cancel the tasks that are not done."""
        self._aborting = True
        for task in self._tasks:
            if not task.done():
                task.cancel()

    def _on_task_done(self, task: Task[Any]) -> None:
        self._tasks.pop(task, None)
        if (
            not self._tasks
            and self._on_completed_fut is not None
            and not self._on_completed_fut.done()
        ):
            self._on_completed_fut.set_result(True)
        if task.cancelled():
            return
        exc = task.exception()
        if exc is None:
            return
        self._errors.append(exc)
        if self._base_error is None and _is_base_error(exc):
            self._base_error = exc
        if self._parent_task.done():
            self._loop.call_exception_handler(
                {
                    "message": f"Task {task!r} has errored out but its parent task "
                    f"{self._parent_task} is already completed",
                    "exception": exc,
                    "task": task,
                }
            )
        elif not self._aborting and not self._parent_cancel_requested:
            # The first failure. The parent may be waiting for something else: cancel it, too.
            self._abort()
            self._cancel_parent()

    def __repr__(self) -> str:
        info = [""]
        if self._tasks:
            info.append(f"tasks={len(self._tasks)}")
        if self._errors:
            info.append(f"errors={len(self._errors)}")
        if self._aborting:
            info.append("cancelling")
        elif self._entered:
            info.append("entered")
        return f"<TaskGroup{' '.join(info)}>"


def _is_base_error(exc: BaseException) -> bool:
    return isinstance(exc, SystemExit | KeyboardInterrupt)
