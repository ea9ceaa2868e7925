"""Tasks: they drive coroutines.

A coroutine does nothing by itself. A task resumes it with ``send(None)``, and that is one **step**.
The coroutine runs until it has to wait, and then yields one of two things up to the task:

* ``None``, which is what ``await sleep(0)`` yields. The task goes to the end of the ready queue.
* a future, which is what ``await future`` yields. The task becomes a waiter of the future, and the
  future moves it to the ready queue when it is done.

When the coroutine returns or raises, the task ends with that: a task is a Future itself, so other
tasks can await it. ``_run()`` is the step.

A task is in one of four states, and these are the ways from one to another. No attribute holds the
state; ``_fut_waiter`` is asyncio's name for the future that the task waits for. (An eager task
begins as *running*. ``details/other_futures.py`` handles a task that awaits anything but a plain
future of its own loop.)

=========  ==========================================  =============================================
state      what that means                             what happens next
=========  ==========================================  =============================================
ready      it stands in the loop's ready queue;        its turn comes: *running*
           ``_fut_waiter`` may still be the future
           that has ended
running    the loop is inside ``_run()``               it yields None: *ready*; it yields a future:
                                                       *waiting*; it returns or raises: *done*
waiting    ``_fut_waiter`` is a future that has the    the future is done or cancelled: *ready*
           task among its waiters
done       the coroutine has ended                     nothing
=========  ==========================================  =============================================

**Cancelling** is asking. ``cancel()`` on a task that waits cancels the future that it waits for.
That wakes the task as any other end of the future would, and its next step throws CancelledError
into the coroutine. A task that is ready is marked (``_must_cancel``), and its next step throws the
error. A task that is running is marked, too: if it then waits, the future is cancelled at once, and
if it returns, it ends cancelled. The coroutine may clean up first, or go on and ignore the error.
(Of a coroutine that has not begun nothing runs, not even a ``finally``.) If the awaited future is
itself a task, the request goes down to the innermost future, and the error comes up again, one tick
a level. If the inner task ignores it, nothing comes up. A task that does not clean up ends so many
ticks after ``cancel()``:

* 0, if it is ready and its turn comes later in this batch
* 1, if it is ready for the next batch, or waits for a future
* 1 more than the task that it waits for
* 2 more than the last of the tasks that it waits for by ``gather()``

Where asyncio makes a Handle for every step, here the task itself stands in the ready queue: the
loop calls ``_run()`` of whatever stands there. So a step allocates nothing.

CPython's counterparts are ``Task`` in ``asyncio/tasks.py`` (whose ``__step`` and ``__wakeup`` are
``_run`` here; ``_wakeup`` is for futures of other classes), and ``task_step_impl`` in
``Modules/_asynciomodule.c``.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Awaitable, Coroutine, Generator
from contextvars import Context, copy_context
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar

from ..details import eager, other_futures, reports
from ..details.accessors import TaskAccessors
from ..details.coroutines import _can_be_driven
from ..details.current import _get_loop, _register_task, get_event_loop, get_running_loop
from ..details.other_loops import adapted
from .exceptions import CancelledError
from .futures import _CANCELLED, _FINISHED, _PENDING, Future, _plain_types, isfuture

if TYPE_CHECKING:
    from .loop import BaseEventLoop

__all__ = ["Task", "create_task", "ensure_future"]

_T = TypeVar("_T")

_task_numbers = itertools.count(1)


class Task(TaskAccessors[_T], Future[_T]):
    """A coroutine that runs by itself, in steps. ``create_task()`` makes one.

    ``coro`` is a coroutine or a generator. ``name`` is shown in reports. ``context`` is the
    contextvars context of the steps, by default a copy of the present one. With ``eager_start`` the
    first step is taken at once, inside the constructor, if the loop is running.

    Raises TypeError for a wrong ``coro`` or ``context``, RuntimeError if the loop is closed.
    """

    __slots__ = (
        "_context",
        "_coro",
        "_fut_waiter",
        "_log_destroy_pending",
        "_must_cancel",
        "_name",
        "_registered",
        "_send",
    )

    # Few tasks need these.
    _num_cancels_requested = 0
    _scheduled_in_debug: bool | None = None  # see details/debug.py

    def __init__(
        self,
        coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T],
        *,
        loop: BaseEventLoop | None = None,
        name: object = None,
        context: Context | None = None,
        eager_start: bool = False,
    ) -> None:
        self._check_not_initialized()
        loop = get_event_loop() if loop is None else adapted(loop)
        try:
            self._init_task(coro, loop, name, context, eager_start)
        finally:
            self = None  # type: ignore[assignment]  # a cycle, if an eager task has failed

    def _init_task(
        self,
        coro: Any,
        loop: BaseEventLoop,
        name: object = None,
        context: Context | None = None,
        eager_start: bool = False,
    ) -> None:
        if type(coro) is not CoroutineType and not _can_be_driven(coro):  # fast: mostly no call
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        if context is None:
            context = copy_context()
        elif not isinstance(context, Context):
            raise TypeError(f"a contextvars.Context was expected, got {type(context).__name__}")
        self._init(loop)
        self._coro: Any = coro
        self._send: Any = coro.send  # fast: bound once, called at every step
        self._context = context
        # fast: most names are never asked for, so a task takes only its number
        self._name = next(_task_numbers) if name is None else str(name)
        self._fut_waiter: Any = None  # the future that it waits for
        self._must_cancel = False  # the next step is to throw CancelledError
        self._log_destroy_pending = True  # if it is destroyed while it waits, report that
        self._registered = False  # in the register of all_tasks(), from its first wait on
        if eager_start and loop.is_running():
            try:
                eager.start(self)
            finally:
                self = None  # type: ignore[assignment]  # a cycle
        else:
            if loop._closed or loop._debug:  # fast: one test for two rare cases
                loop._check_closed()
                loop._check_thread()
            loop._ready.append(self)

    # -- the step ------------------------------------------------------------------------------

    def _run(self, exc: BaseException | None = None) -> None:
        """Take one step. The loop calls this when the task's turn in the ready queue comes.

        If there is *exc*, it is thrown into the coroutine; otherwise None is sent. (The loop gives
        none; ``details/other_futures.py`` does.)
        """
        if self._state is not _PENDING:  # a program has called what it has found in _callbacks
            other_futures.refuse_step(self, exc)
            return

        # If the future that has woken the task has failed, the step throws its exception.
        waited_for = self._fut_waiter
        if waited_for is not None:
            self._fut_waiter = None
            if waited_for._exception is not None or waited_for._state is _CANCELLED:
                exc = waited_for._failure()
        if self._must_cancel:  # a cancellation outranks what the future has brought
            self._must_cancel = False
            if not isinstance(exc, CancelledError):
                exc = self._make_cancelled_error()

        # Resume the coroutine. It runs until it yields, returns or raises.
        loop = self._loop
        loop._current_task = self
        try:
            if exc is None:
                yielded = self._context.run(self._send, None)
            else:
                try:
                    yielded = self._context.run(self._coro.throw, exc)
                finally:
                    exc = waited_for = None  # a cycle
        except StopIteration as stop:  # with this exception Python says: the coroutine has returned
            loop._current_task = None
            self._send = None  # it leads to the coroutine, and that to its variables
            if self._must_cancel:  # the task was cancelled in this very step
                self._must_cancel = False
                Future.cancel(self, msg=self._cancel_message)
            else:
                self._result = stop.value  # as Future.set_result() does
                self._state = _FINISHED
                if self._waiting is not None:
                    self._schedule_waiting()
        except BaseException as exc:
            loop._current_task = None
            self._raised(exc)
            self = None  # type: ignore[assignment]  # a cycle
            if isinstance(exc, KeyboardInterrupt | SystemExit):
                raise

        else:
            loop._current_task = None
            if yielded is None:  # sleep(0): the task is ready again
                loop._ready.append(self)
            elif (
                type(yielded) in _plain_types  # a future of ours,
                and yielded._asyncio_future_blocking  # awaited, not just yielded,
                and yielded._state is _PENDING  # which is not done,
                and yielded._loop is loop  # of this loop,
                and yielded is not self  # and not the task itself: the task waits for it
            ):
                yielded._asyncio_future_blocking = False
                if yielded._waiting is None:  # fast: as _add_waiting() does, without the call
                    yielded._waiting = self
                else:
                    yielded._add_waiting(self)
                self._fut_waiter = yielded
                if not self._registered:
                    self._registered = True
                    _register_task(self)
                if self._must_cancel:  # the coroutine has cancelled its own task in this step
                    # Now, but in a handle: it raises if tasks await each other in a ring.
                    other_futures.call_in_handle(self, self._context, self._cancel_awaited, yielded)
            else:  # a future of another kind, or an error that the next step throws
                other_futures.wait_for(self, yielded)

    def _raised(self, exc: BaseException) -> None:
        """End with what the coroutine has raised."""
        self._send = None
        if isinstance(exc, CancelledError):
            self._cancelled_exc = exc
            Future.cancel(self)
        else:
            Future.set_exception(self, exc)

    # -- cancelling ----------------------------------------------------------------------------

    def cancel(self, msg: Any | None = None) -> bool:
        """Ask the task to stop: its next step throws CancelledError into the coroutine.

        (It does not if the task awaits another one that ignores the request.)
        Return False if the task is done already. The coroutine may catch the error, clean up, even
        go on; ``cancelled()`` is True only if it lets the error through, or returns in the very
        step in which it was cancelled. ``msg`` becomes the error's argument. Each call counts: see
        ``cancelling()``. Raises RecursionError if tasks await each other in a ring.
        """
        if self._never_retrieved:
            self._log_traceback = False
        if self._state is not _PENDING:
            return False
        # Go down while the awaited future is a task that does not override this method. The chain
        # may be longer than the stack is deep, so this is a loop where asyncio recurses.
        task: Task[Any] = self
        task._num_cancels_requested += 1
        chain = {task}
        while (
            getattr(type(task._fut_waiter), "cancel", None) is Task.cancel
            and task._fut_waiter._state is _PENDING
        ):
            task = task._fut_waiter
            if task in chain:
                raise RecursionError(f"Tasks await each other in a ring, this is one: {task!r}")
            chain.add(task)
            task._num_cancels_requested += 1
        if task._fut_waiter is not None and task._fut_waiter.cancel(msg=msg):
            return True
        task._must_cancel = True  # it is running or ready, or its future refused
        task._cancel_message = msg
        return True

    def cancelling(self) -> int:
        """Return how many requests to cancel have not been taken back by ``uncancel()``."""
        return self._num_cancels_requested

    def uncancel(self) -> int:
        """Take back one request to cancel; return how many are left.

        This is for code that cancels a task to stop a part of it, as ``timeout()`` does. If none is
        left, an error that was not thrown yet is dropped.
        """
        if self._num_cancels_requested > 0:
            self._num_cancels_requested -= 1
            if self._num_cancels_requested == 0:
                self._must_cancel = False
        return self._num_cancels_requested

    def _cancel_awaited(self, awaited: Any) -> None:
        """Pass a cancellation on. This may raise, if tasks await each other in a ring."""
        if awaited.cancel(msg=self._cancel_message):
            self._must_cancel = False

    # -- ending: only the coroutine does that ---------------------------------------------------

    def set_result(self, result: object) -> None:
        """Raise RuntimeError: a task ends with its coroutine only."""
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, exception: object) -> None:
        """Raise RuntimeError: a task ends with its coroutine only."""
        raise RuntimeError("Task does not support set_exception operation")

    # -- one call each into details --------------------------------------------------------------

    def _wakeup(self, future: Any) -> None:
        """Take the next step, after waiting for a future of another class or library."""
        other_futures.wake_up(self, future)

    def _run_scheduled(self, in_debug: bool) -> None:
        """Take a step that was scheduled before ``set_debug()`` changed the mode."""
        self._scheduled_in_debug = in_debug
        try:
            self._run()
        finally:
            self._scheduled_in_debug = None

    def __del__(self) -> None:
        try:
            to_report = self._state is _PENDING or self._never_retrieved
        except AttributeError:
            return  # __init__ has raised, and its caller knows
        if to_report:
            reports.task_destroyed(self)


_plain_types.add(Task)


def create_task(coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], **kwargs: Any) -> Task[_T]:
    """Start *coro* as a task of the running loop and return the task.

    Its first step comes in the next tick, unless it is eager. The keywords go to the loop's
    ``create_task()``: ``name``, ``context`` and ``eager_start``, as ``Task`` describes them. Keep a
    reference to the task: while it waits, only the future that it awaits holds it, so it may vanish
    otherwise. Raises RuntimeError if no loop is running.
    """
    if not kwargs:  # fast: keywords cost even if there are none
        return get_running_loop().create_task(coro)
    return get_running_loop().create_task(coro, **kwargs)


def ensure_future(
    coro_or_future: Awaitable[_T] | Generator[Any, Any, _T], *, loop: BaseEventLoop | None = None
) -> Future[_T]:
    """Return a future as it is, and a new task for anything else that can be awaited.

    Raises TypeError if it cannot be awaited, ValueError if it is a future of another loop than
    ``loop``.
    """
    coro: Any = coro_or_future
    if type(coro) is not CoroutineType:  # fast: mostly no call
        if isfuture(coro):
            if loop is not None and loop is not _get_loop(coro):
                raise ValueError(
                    "The future belongs to a different loop than the one specified "
                    "as the loop argument"
                )
            return coro  # type: ignore[no-any-return]
        if not _can_be_driven(coro):
            if not inspect.isawaitable(coro):
                raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
            coro = _wrap_awaitable(coro)
    if loop is None:
        loop = get_event_loop()
    try:
        return loop.create_task(coro)
    except RuntimeError:
        coro.close()  # nobody will ever run it
        raise


async def _wrap_awaitable(awaitable: Awaitable[_T]) -> _T:
    return await awaitable
