"""miniloop's loop with asyncio's interface.

``interop.EventLoop`` is an ``asyncio.AbstractEventLoop``. The ready queue, the timers, the tick,
the futures and the tasks are miniloop's. Transports, servers, TLS and subprocesses are the standard
library's. They use only names that miniloop has, too: ``call_soon``, ``_add_reader``,
``_selector``, ``create_future``. So the loop inherits from both, miniloop first:

    asyncio.run(main(), loop_factory=miniloop.interop.EventLoop)  # Python 3.12 and later

    with asyncio.Runner(loop_factory=miniloop.interop.EventLoop) as runner:
        runner.run(main())

    # Before Python 3.16, in programs that take no loop factory:
    asyncio.set_event_loop_policy(miniloop.interop.EventLoopPolicy())

Three things remain to be joined:

* asyncio must know which loop runs. The loop tells it when it starts and when it stops.
* Both libraries must know which task runs. There is one register of the current task, which is
  asyncio's. The core reads it through an attribute of the loop, so each library finds the other's
  tasks.
* Libraries ask whether an object is an ``asyncio.Future``. Futures, tasks and handles of this loop
  answer yes. They do not inherit from asyncio's classes: futures and tasks could not, because
  asyncio's are written in C with a layout of their own.
"""

from __future__ import annotations

import asyncio
import asyncio.tasks
import selectors
import sys
from collections.abc import Coroutine, Generator
from types import FunctionType
from typing import Any, TypeVar

import miniloop
from miniloop.core import futures
from miniloop.details.graph import _ways_to_find_parents
from miniloop.details.reports import _NeverRetrieved
from miniloop.io import descriptors

from .graph import task_of_asyncios_callback

__all__ = ["EventLoop", "Future", "Task", "new_event_loop"]

_T = TypeVar("_T")

_new = object.__new__
_set_running_loop: Any = asyncio._set_running_loop
_register_task: Any = asyncio.tasks._register_task
_unregister_task: Any = asyncio.tasks._unregister_task


class Future(miniloop.Future[_T]):
    """A miniloop future for which ``isinstance(future, asyncio.Future)`` is true.

    anyio asks this before it cancels a task that waits for the future, so that a cancellation does
    not destroy a result that has just been set.
    """

    __slots__ = ()

    __class__ = property(lambda self: asyncio.Future)

    def _report_if_never_retrieved(self) -> _NeverRetrieved:
        return _NeverRetrieved(self)


# Future.__init_subclass__ gives every subclass a __del__. The companion object above does the same
# work, and costs nothing until it is needed.
del Future.__del__  # type: ignore[attr-defined]


class Task(miniloop.Task[_T]):
    """A miniloop task for which ``isinstance(task, asyncio.Task)`` is true."""

    __slots__ = ()

    def __init__(self, coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], **options: Any):
        self._check_not_initialized()
        _register_task(self)  # before an eager start; most tasks are made by create_task() below
        try:
            miniloop.Task.__init__(self, coro, **options)
        except BaseException:
            _unregister_task(self)
            raise
        finally:
            self = None  # type: ignore[assignment]  # a cycle

    __class__ = property(lambda self: asyncio.Task)


futures._plain_types.update((Future, Task))
_ways_to_find_parents.append(task_of_asyncios_callback)


class Handle(miniloop.Handle):
    """A miniloop handle for which ``isinstance(handle, asyncio.Handle)`` is true."""

    __slots__ = ()

    __class__ = property(lambda self: asyncio.Handle)


class _ThreadSafeHandle(descriptors._ThreadSafeHandle):
    __slots__ = ()

    __class__ = property(lambda self: asyncio.Handle)


class TimerHandle(miniloop.TimerHandle):
    """A miniloop timer for which ``isinstance(timer, asyncio.TimerHandle)`` is true."""

    __slots__ = ()

    __class__ = property(lambda self: asyncio.TimerHandle)


def _with_these_handles(method: Any) -> Any:
    """Return a copy of a method of the core that makes handles of the classes above.

    If the core asked the loop for the class of its handles, each call would cost more.
    """
    classes = {made.__name__: made for made in (Handle, _ThreadSafeHandle, TimerHandle)}
    names = {**method.__globals__, **classes}
    code = method.__code__.replace()  # a copy, since Python notes in it where it found each name
    copy = FunctionType(code, names, method.__name__, method.__defaults__, method.__closure__)
    copy.__kwdefaults__ = method.__kwdefaults__
    return copy


if sys.version_info >= (3, 14):
    # The current task is a field of the thread's state, for the loop that runs in this thread.
    _get_current_task: Any = asyncio.current_task
    _set_current_task: Any = vars(asyncio.tasks)["_swap_current_task"]
else:
    _current_tasks: dict[Any, Any] = vars(asyncio.tasks)["_current_tasks"]
    _get_current_task = _current_tasks.get
    if sys.version_info >= (3, 12):  # in C, and otherwise the same as the function below
        _set_current_task = vars(asyncio.tasks)["_swap_current_task"]
    else:

        def _set_current_task(loop: Any, task: Any) -> Any:
            if task is None:
                _current_tasks.pop(loop, None)
            else:
                _current_tasks[loop] = task


_AsyncioEventLoop = asyncio.SelectorEventLoop


class EventLoop(miniloop.EventLoop, _AsyncioEventLoop):  # type: ignore[misc]
    """A loop with miniloop's scheduling and the standard library's transports.

    ``selector`` is any ``selectors.BaseSelector``, by default the best one of the platform. Unlike
    the core's loop, this loop has a selector and a self-pipe from the start, because asyncio's
    ``__init__`` makes them.
    """

    _current_task = property(_get_current_task, _set_current_task)

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        miniloop.EventLoop.__init__(self, selector)
        _AsyncioEventLoop.__init__(self, selector)  # what the transports need

    def _init_current_task(self) -> None:
        """Do nothing: in asyncio, a loop that does not run yet has no current task."""

    call_soon = _with_these_handles(miniloop.EventLoop.call_soon)
    call_soon_threadsafe = _with_these_handles(miniloop.EventLoop.call_soon_threadsafe)
    call_at = _with_these_handles(miniloop.EventLoop.call_at)
    add_signal_handler = _with_these_handles(miniloop.EventLoop.add_signal_handler)
    _watch = _with_these_handles(miniloop.EventLoop._watch)

    def _run_forever_setup(self) -> None:
        super()._run_forever_setup()
        # asyncio's register of tasks reads what the function in C has set. Libraries read what the
        # present function has set, which tests may have replaced by the one in Python.
        _set_running_loop(self)
        asyncio._set_running_loop(self)

    def _run_forever_cleanup(self) -> None:
        asyncio._set_running_loop(None)
        _set_running_loop(None)
        super()._run_forever_cleanup()

    def _check_running(self) -> None:
        super()._check_running()
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")

    # anyio finds the main task by the callback that asyncio's own method adds to it.
    run_until_complete = _AsyncioEventLoop.run_until_complete

    def create_future(self) -> Future[Any]:  # type: ignore[override]
        """Return a new Future of this loop."""
        future: Future[Any] = _new(Future)
        future._init(self)
        return future

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], **kwargs: Any
    ) -> miniloop.Task[_T]:
        """Start *coro* as a task of this loop, as ``asyncio.loop.create_task`` does.

        The keywords are those of ``Task``, on every Python. If a task factory is set, it makes the
        task. It gets the keywords that asyncio of this Python passes, and the task gets its name
        when it does there.
        """
        task: miniloop.Task[_T]
        if self._task_factory is not None:
            task = _AsyncioEventLoop.create_task(self, coro, **kwargs)  # type: ignore[assignment]
            if isinstance(task, miniloop.Task):  # tasks of asyncio's class register themselves
                _register_task(task)
            return task
        if self._closed:
            self._check_closed()
        if kwargs.get("eager_start"):
            return Task(coro, loop=self, **kwargs)
        task = _new(Task)
        task._init_task(coro, self, **kwargs)
        _register_task(task)
        return task


def new_event_loop() -> EventLoop:
    """Return a new ``EventLoop``."""
    return EventLoop()


def __getattr__(name: str) -> Any:
    """Make ``EventLoopPolicy`` at its first use, because asyncio's policies are deprecated."""
    if name != "EventLoopPolicy":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    class EventLoopPolicy(asyncio.DefaultEventLoopPolicy):
        """Makes asyncio use these loops everywhere. Set it with ``set_event_loop_policy()``."""

        _loop_factory = EventLoop

    EventLoopPolicy.__qualname__ = name
    globals()[name] = EventLoopPolicy
    return EventLoopPolicy
