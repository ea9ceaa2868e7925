"""Task: drives a coroutine.

A coroutine does nothing by itself. A task resumes it with ``send(None)``; that is one **step**.
The coroutine runs until it has to wait, and then yields one of two things to the task:

* ``None``: a bare yield, ``await sleep(0)``. The task goes to the end of the ready queue.
* a Future: ``await future``. The task puts itself on the future's list of those who wait, and
  the future puts it into the ready queue when it is done.

When the coroutine returns or raises, the task, being a Future itself, ends with that.

So a task is always in one of four states (asyncio states the same in a comment on ``Task``):

    waiting     _fut_waiter is a future that is not done, and lists the task as waiting
    ready       the task stands in the loop's ready queue; _fut_waiter is None, or done.
                With _must_cancel its next step throws CancelledError; a task that is cancelled
                before its first step never runs at all
    running     the loop is inside _run(); _fut_waiter is None
    done        the coroutine has ended

Where asyncio makes a Handle for every step, here the task itself stands in the ready queue: a
Handle's ``_run()`` calls a callback, a Task's ``_run()`` takes a step. A step allocates nothing.
(Only a task that waits for some subclass of Future, as ``gather()`` returns one, or for a future of
another library, or that has yielded nonsense, stands in the queue as a Handle that calls it; so do
those that are ready while ``set_debug()`` changes the mode.)

**Cancelling** is asking. ``cancel()`` cancels the future that the task waits for, which wakes the
task like any other ending would; its next step throws CancelledError into the coroutine instead
of sending None. If the task waits for another task, or for a gather, the request goes down to the
innermost future, and the error comes up again, a tick or more for each level; who swallows it on
its way ends the matter. All who wait for the same future are cancelled with it: ``shield()`` keeps
them apart. A task that waits for nothing is marked (``_must_cancel``) and gets the error at its
next step. The coroutine may clean up first, or even refuse.

Mirrors ``Task`` and its neighbours in ``asyncio/tasks.py`` (``__step`` and ``__wakeup`` are
``_run`` here), as implemented by ``task_step_impl`` and ``task_step_handle_result_impl`` in
``Modules/_asynciomodule.c``.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, copy_context
from types import CoroutineType, FrameType
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from .coroutines import _can_be_driven
from .exceptions import CancelledError, InvalidStateError
from .foreign_loops import adapted
from .futures import _CANCELLED, _FINISHED, _PENDING, Future, _report_never_retrieved, isfuture
from .handles import Handle
from .reprs import _task_get_stack, _task_print_stack, _task_repr, extract_stack
from .running import (
    _current_task_of,
    _get_loop,
    _is_ours,
    _register_task,
    _scheduled_tasks,
    _swap_current_task,
    get_event_loop,
    get_running_loop,
)

if TYPE_CHECKING:
    from .loop import BaseEventLoop

__all__ = [
    "Task",
    "all_tasks",
    "create_eager_task_factory",
    "create_task",
    "eager_task_factory",
    "ensure_future",
]

_T = TypeVar("_T")

_next_task_number = itertools.count(1).__next__


class Task(Future[_T]):
    """A coroutine that runs by itself, in steps. Made by ``create_task()``.

    ``coro`` is a coroutine or a generator; anything else raises TypeError, and a closed loop
    RuntimeError. ``name`` is shown in reports. ``context`` is the contextvars context that the
    steps run in, by default a copy of the present one. With ``eager_start`` the first step is
    taken at once, inside the constructor, if the loop is running. Mirrors ``asyncio.Task``.
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

    _num_cancels_requested = 0
    _scheduled_in_debug: bool | None = None  # set in a step that was scheduled in the other mode

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
            self = None  # type: ignore[assignment]  # an eager task may have failed: see __await__

    def _init_task(
        self,
        coro: Any,
        loop: BaseEventLoop,
        name: object = None,
        context: Context | None = None,
        eager_start: bool = False,
    ) -> None:
        if type(coro) is not CoroutineType and not _can_be_driven(coro):
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        if context is None:
            context = copy_context()
        elif not isinstance(context, Context):
            raise TypeError(f"a contextvars.Context was expected, got {type(context).__name__}")
        # As Future._init() does, which would be one more call.
        self._loop = loop
        self._state = _PENDING
        self._result = None
        self._exception = None
        self._never_retrieved = False
        self._waiting = None
        self._asyncio_future_blocking = False
        self._coro: Any = coro
        self._send: Any = coro.send  # bound once: it is called at every step
        self._context = context
        # Most names are never asked for: only the number is taken now.
        self._name: str | int = _next_task_number() if name is None else str(name)
        self._fut_waiter: Any = None
        self._must_cancel = False
        self._log_destroy_pending = True  # False: no report if it is destroyed while pending
        self._registered = False  # True from its first wait on, see all_tasks()
        if loop._debug:
            self._source_traceback = extract_stack(sys._getframe(2))
        if eager_start and loop.is_running():
            try:
                self._start_eagerly()
            finally:
                self = None  # type: ignore[assignment]
        else:
            # Not earlier: a task that its loop has refused is one that was destroyed while pending.
            if loop._closed or loop._debug:
                loop._check_closed()
                loop._check_thread()
            loop._ready.append(self)

    # -- the step ------------------------------------------------------------------------------

    def _run(self, exc: BaseException | None = None) -> None:
        """Take one step: the task's turn in the ready queue has come.

        *exc* is thrown into the coroutine in place of sending None.
        """
        if self._state is not _PENDING:
            self._in_handle(self._refuse_step, exc, Context())
            return
        waited_for = self._fut_waiter
        if waited_for is not None:
            self._fut_waiter = None
            if waited_for._exception is not None or waited_for._state is _CANCELLED:
                exc = waited_for._failure()
        if self._must_cancel:  # outranks whatever the future has brought
            self._must_cancel = False
            if not isinstance(exc, CancelledError):
                exc = self._make_cancelled_error()
        loop = self._loop
        loop._current_task = self
        try:
            if exc is None:
                yielded = self._context.run(self._send, None)
            else:
                try:
                    yielded = self._context.run(self._coro.throw, exc)
                finally:
                    exc = waited_for = None  # see Future.__await__
        except StopIteration as stop:
            loop._current_task = None
            self._send = None
            if self._must_cancel:  # it was cancelled in this very step
                self._must_cancel = False
                Future.cancel(self, msg=self._cancel_message)
            else:  # as Future.set_result() does
                self._result = stop.value
                self._state = _FINISHED
                if self._waiting is not None:
                    self._schedule_waiting()
        except BaseException as exc:
            loop._current_task = None
            self._fail(exc)
            self = None  # type: ignore[assignment]  # see Future.__await__
            if isinstance(exc, KeyboardInterrupt | SystemExit):
                raise
        else:
            loop._current_task = None
            if yielded is None:
                loop._ready.append(self)
            elif (
                type(yielded) in _plain_types
                and yielded._asyncio_future_blocking
                and yielded._state is _PENDING
                and yielded._loop is loop
                and yielded is not self
            ):
                yielded._asyncio_future_blocking = False
                if yielded._waiting is None:
                    yielded._waiting = self
                else:
                    yielded._add_waiting(self)
                self._fut_waiter = yielded
                if not self._registered:
                    self._registered = True
                    _register_task(self)
                if self._must_cancel:  # the coroutine has cancelled its own task in this step
                    self._in_handle(self._cancel_awaited, yielded, self._context)
            else:
                # Another's future, or an error. Both can run code that is not ours, which may
                # raise.
                self._in_handle(self._wait_for_other, yielded, self._context)

    def _in_handle(
        self, callback: Callable[[Any], object], argument: Any, context: Context
    ) -> None:
        """Call what may raise in a Handle, as asyncio does each step: it reports what is raised.

        Debug mode notes where a handle was made, and asyncio's is made when the step is scheduled.
        """
        handle = Handle(callback, (argument,), self._loop, context)
        in_debug = self._scheduled_in_debug
        if in_debug is None:
            in_debug = self._loop._current_handle is self  # set in debug mode only
        if not in_debug:
            handle._source_traceback = None
        elif handle._source_traceback is None:
            handle._source_traceback = extract_stack(sys._getframe(1))
        handle._run()

    def _run_scheduled(self, in_debug: bool) -> None:
        """Take the step that was scheduled before debug mode was turned on or off."""
        self._scheduled_in_debug = in_debug
        try:
            self._run()
        finally:
            self._scheduled_in_debug = None

    def _refuse_step(self, exc: BaseException | None) -> None:
        raise InvalidStateError(f"__step(): already done: {self!r}, {exc!r}")

    def _fail(self, exc: BaseException) -> None:
        """End with what the coroutine has raised."""
        self._send = None
        if isinstance(exc, CancelledError):
            self._cancelled_exc = exc
            Future.cancel(self)
        else:
            Future.set_exception(self, exc)

    def _cancel_awaited(self, awaited: Any) -> None:
        """Pass on a cancellation; this may raise (tasks that await each other in a ring)."""
        if awaited.cancel(msg=self._cancel_message):
            self._must_cancel = False

    def _wait_for_other(self, yielded: Any) -> None:
        """Wait for what is not plainly a Future of ours, or throw an error at the next step."""
        self._registered = True  # what stands in the ready queue from now on is a handle
        _register_task(self)
        blocking = getattr(yielded, "_asyncio_future_blocking", None)
        if yielded is self:
            error = f"Task cannot await on itself: {self!r}"
        elif blocking is None:
            if inspect.isgenerator(yielded):
                error = (
                    "yield was used instead of yield from for generator "
                    f"in task {self!r} with {yielded!r}"
                )
            else:
                error = f"Task got bad yield: {yielded!r}"
        elif _get_loop(yielded) is not self.get_loop():
            error = f"Task {self!r} got Future {yielded!r} attached to a different loop"
        elif not blocking:
            error = f"yield was used instead of yield from in task {self!r} with {yielded!r}"
        else:
            yielded._asyncio_future_blocking = False
            # The step enters the task's context by itself, and a context cannot be entered twice at
            # once: so the callback gets an empty one.
            yielded.add_done_callback(self._wakeup, context=Context())
            self._fut_waiter = yielded
            if self._must_cancel:
                self._cancel_awaited(yielded)
            return
        self._loop.call_soon(self._run, RuntimeError(error), context=Context())

    def _wakeup(self, future: Any) -> None:
        """Take the next step after waiting for what is not exactly a Future or Task."""
        self._fut_waiter = None
        error = None
        try:
            self._context.run(future.result)
        except BaseException as exc:
            error = exc
        try:
            self._run(error)  # not in the except clause: the coroutine must not see it as handled
        finally:
            self = future = error = None  # type: ignore[assignment]  # see Future.__await__

    def _start_eagerly(self) -> None:
        """Take the first step now, inside whatever is running."""
        loop = self._loop
        try:
            self._context.run(_nothing)
        except RuntimeError:  # somebody is in this context already, and it cannot be entered twice
            self._log_destroy_pending = False
            raise
        previous = _swap_current_task(loop, self)
        if previous is not None:  # it is not current for a while, but it must not be forgotten
            _register_task(previous)
        try:
            self._run()
        finally:
            if previous is not None:  # else there is none after the step either
                _swap_current_task(loop, previous)
            if self.done():
                self._coro = None
            self = None  # type: ignore[assignment]

    # -- cancelling ----------------------------------------------------------------------------

    def cancel(self, msg: Any | None = None) -> bool:
        """Ask the task to stop: its next step throws CancelledError into the coroutine.

        Return False if the task is done already. The coroutine may catch the error, clean up,
        even go on; ``cancelled()`` is True only when it has let the error through. ``msg``
        becomes the error's argument. Every call counts, see ``cancelling()``.
        """
        if self._never_retrieved:
            self._log_traceback = False
        if self._state is not _PENDING:
            return False
        # Tasks that wait for each other are cancelled in a loop, as a chain can be longer than the
        # stack is deep.
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
        # Running, or in the ready queue already.
        task._must_cancel = True
        task._cancel_message = msg
        return True

    def cancelling(self) -> int:
        """Return how many requests to cancel have not been taken back by ``uncancel()``."""
        return self._num_cancels_requested

    def uncancel(self) -> int:
        """Take back one request to cancel; return how many are left.

        For those who cancel a task to stop a part of it, as ``timeout()`` does. When none is
        left, an error that was not delivered yet is dropped (as since Python 3.13).
        """
        if self._num_cancels_requested > 0:
            self._num_cancels_requested -= 1
            if self._num_cancels_requested == 0:
                self._must_cancel = False
        return self._num_cancels_requested

    # -- asking --------------------------------------------------------------------------------

    def get_coro(self) -> Coroutine[Any, Any, _T] | Generator[Any, Any, _T] | None:
        """Return the coroutine; None if the task ended in an eager start."""
        return self._coro  # type: ignore[no-any-return]

    def get_context(self) -> Context:
        """Return the contextvars context that the steps run in."""
        return self._context

    def get_name(self) -> str:
        """Return the name, ``Task-N`` by default."""
        return f"Task-{self._name}" if isinstance(self._name, int) else self._name

    def set_name(self, value: object) -> None:
        """Set the name to ``str(value)``."""
        self._name = str(value)

    def set_result(self, result: object) -> None:
        """Raise RuntimeError: only its coroutine ends a task."""
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, exception: object) -> None:
        """Raise RuntimeError: only its coroutine ends a task."""
        raise RuntimeError("Task does not support set_exception operation")

    def get_stack(self, *, limit: int | None = None) -> list[FrameType]:
        """Return the frames of the coroutine, oldest first.

        Of a task that waits, that is where it waits; of one that failed, its traceback; else
        nothing. ``limit`` keeps the newest frames of a stack, the oldest of a traceback.
        """
        return _task_get_stack(self, limit)

    def print_stack(self, *, limit: int | None = None, file: TextIO | None = None) -> None:
        """Print ``get_stack()`` like a traceback.

        Without ``file`` the head goes to stdout and the frames to stderr, as in asyncio.
        """
        return _task_print_stack(self, limit, file)

    def __repr__(self) -> str:
        return _task_repr(self)

    def __del__(self) -> None:
        try:
            destroyed_pending = self._state is _PENDING and self._log_destroy_pending
        except AttributeError:
            return  # __init__ has raised, who called it knows
        if destroyed_pending:
            context = {"task": self, "message": "Task was destroyed but it is pending!"}
            if self._source_traceback:
                context["source_traceback"] = self._source_traceback
            self._loop.call_exception_handler(context)
        if self._never_retrieved:
            _report_never_retrieved(self)


def _nothing() -> None:
    """Do nothing: to try whether a context can be entered."""


# A task waits for these without calling any of their methods: nothing is overridden there.
_plain_types: set[type] = {Future, Task}


def all_tasks(loop: BaseEventLoop | None = None) -> set[Task[Any]]:
    """Return the set of all tasks of *loop* (default: the running loop) that are not done.

    They are held weakly: a task that waits for something that nobody else holds may vanish.
    Mirrors ``asyncio.all_tasks``.
    """
    if loop is None:
        loop = get_running_loop()
    # A task that does not wait mostly stands in the ready queue itself, or runs right now. So only
    # the others need a register, and short-lived tasks never see it.
    tasks: list[Any] = [reference() for reference in list(_scheduled_tasks)]
    tasks.append(_current_task_of(loop))
    if _is_ours(loop):
        tasks += [entry for entry in list(loop._ready) if isinstance(entry, Task)]
    return {
        task for task in tasks if task is not None and _get_loop(task) is loop and not task.done()
    }


# -- making tasks ------------------------------------------------------------------------------


def create_task(coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], **kwargs: Any) -> Task[_T]:
    """Start *coro* as a task of the running loop and return the task.

    Its first step comes in the next tick. The keywords go to the loop's ``create_task()``:
    ``name``, ``context`` and ``eager_start``, as ``Task`` describes them. Keep a reference: a task
    that waits for something that nobody else holds may vanish. Raises RuntimeError if no loop is
    running. Mirrors ``asyncio.create_task``.
    """
    if not kwargs:  # keywords cost, even if there are none
        return get_running_loop().create_task(coro)
    return get_running_loop().create_task(coro, **kwargs)


def ensure_future(
    coro_or_future: Awaitable[_T] | Generator[Any, Any, _T], *, loop: BaseEventLoop | None = None
) -> Future[_T]:
    """Return a future as it is, and anything else that can be awaited as a new task.

    Raises TypeError for what cannot be awaited, ValueError for a future of another loop than
    ``loop``. Mirrors ``asyncio.ensure_future``.
    """
    coro: Any = coro_or_future
    if type(coro) is not CoroutineType and not _can_be_driven(coro):
        if isfuture(coro):
            if loop is not None and loop is not _get_loop(coro):
                raise ValueError(
                    "The future belongs to a different loop than the one specified "
                    "as the loop argument"
                )
            return coro  # type: ignore[no-any-return]
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


def create_eager_task_factory(
    custom_task_constructor: Callable[..., Task[Any]],
) -> Callable[..., Task[Any]]:
    """Return a task factory that makes tasks with ``eager_start=True``.

    ``create_task(coro, eager_start=False)`` makes an ordinary one all the same. Mirrors
    ``asyncio.create_eager_task_factory``.
    """

    def factory(
        loop: BaseEventLoop, coro: Any, *, eager_start: bool = True, **kwargs: Any
    ) -> Task[Any]:
        return custom_task_constructor(coro, loop=loop, eager_start=eager_start, **kwargs)

    return factory


eager_task_factory = create_eager_task_factory(Task)
eager_task_factory.__doc__ = """The eager task factory for ``loop.set_task_factory()``.

Mirrors ``asyncio.eager_task_factory``.
"""
