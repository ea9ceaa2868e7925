"""The same loop wearing asyncio's interface.

``interop.EventLoop`` is an ``asyncio.AbstractEventLoop``. What schedules is miniloop's: the ready
queue, the timers, the tick, the futures and the tasks. What carries bytes (transports, servers,
TLS, subprocesses) is the standard library's, which is written against the names that miniloop
has as well: ``call_soon``, ``_add_reader``, ``_selector``, ``create_future``. So the two are
joined by inheriting from both, miniloop first:

    asyncio.run(main(), loop_factory=miniloop.interop.EventLoop)  # Python 3.12 and later

    with asyncio.Runner(loop_factory=miniloop.interop.EventLoop) as runner:
        runner.run(main())

    asyncio.set_event_loop_policy(miniloop.interop.EventLoopPolicy())  # where neither is in reach

Three things are left to join:

* asyncio must know which loop runs: it is told when the loop starts and stops.
* Both must know which task runs. There is one register for it, asyncio's, and what the core takes
  for an attribute of the loop is a view of it. So each library finds the other's tasks.
* Libraries ask whether something is an ``asyncio.Future``. Futures and tasks made by this loop say
  yes; they cannot inherit from it, which is a class written in C with a layout of its own.
"""

from __future__ import annotations

import asyncio
import asyncio.tasks
import selectors
import sys
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

import miniloop
from miniloop import tasks
from miniloop.futures import _NeverRetrieved

__all__ = ["EventLoop", "EventLoopPolicy", "Future", "Task", "new_event_loop"]

_T = TypeVar("_T")

_new = object.__new__
_register_task: Any = asyncio.tasks._register_task
_unregister_task: Any = asyncio.tasks._unregister_task


class Future(miniloop.Future[_T]):
    """A miniloop future of which ``isinstance(future, asyncio.Future)`` is true.

    anyio asks that of what a task waits for, before it cancels the task: a cancel must not take
    away a result that has just been set.
    """

    __slots__ = ()

    __class__ = property(lambda self: asyncio.Future)

    def _report_if_never_retrieved(self) -> _NeverRetrieved:
        return _NeverRetrieved(self)


# Every subclass of Future is given a __del__ (Future.__init_subclass__); the companion above does
# its work, and costs nothing until it is needed.
del Future.__del__  # type: ignore[attr-defined]


class Task(miniloop.Task[_T]):
    """A miniloop task of which ``isinstance(task, asyncio.Task)`` is true."""

    __slots__ = ()

    def __init__(self, coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], **options: Any):
        _register_task(self)  # before an eager start; create_task() does not come past here
        try:
            miniloop.Task.__init__(self, coro, **options)
        except BaseException:
            _unregister_task(self)
            raise

    __class__ = property(lambda self: asyncio.Task)


tasks._plain_types.update((Future, Task))

_current_tasks: dict[Any, Any] = vars(asyncio.tasks)["_current_tasks"]


def _set_current_task(loop: Any, task: Any) -> Any:
    if task is None:
        _current_tasks.pop(loop, None)
    else:
        _current_tasks[loop] = task


if sys.version_info >= (3, 12):  # the same, in C
    _set_current_task = vars(asyncio.tasks)["_swap_current_task"]


_AsyncioEventLoop = asyncio.SelectorEventLoop


class EventLoop(miniloop.EventLoop, _AsyncioEventLoop):  # type: ignore[misc]
    """miniloop's scheduling, the standard library's transports.

    ``selector`` is any ``selectors.BaseSelector``, by default the best of the platform. Unlike the
    core's loop it has its selector and its self-pipe at once: asyncio's ``__init__`` makes them.
    """

    _current_task = property(_current_tasks.get, _set_current_task)

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        # Setting None comes next, and 3.12's _swap_current_task fails to remove what was never set.
        _set_current_task(self, self)
        miniloop.EventLoop.__init__(self, selector)
        _AsyncioEventLoop.__init__(self, selector)  # what the transports need

    def _run_forever_setup(self) -> None:
        super()._run_forever_setup()
        asyncio._set_running_loop(self)

    def _run_forever_cleanup(self) -> None:
        asyncio._set_running_loop(None)
        super()._run_forever_cleanup()

    def _check_running(self) -> None:
        super()._check_running()
        if asyncio._get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")

    # Libraries (anyio) find the main task by asyncio's own callback on it, which this one adds.
    run_until_complete = _AsyncioEventLoop.run_until_complete

    def create_future(self) -> Future[Any]:  # type: ignore[override]
        """Return a new Future of this loop."""
        future: Future[Any] = _new(Future)
        future._init(self)
        return future

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> miniloop.Task[_T]:
        """Start *coro* as a task of this loop, as ``miniloop.EventLoop.create_task`` does."""
        task: miniloop.Task[_T]
        if self._task_factory is None:
            if self._closed:
                self._check_closed()
            task = _new(Task)
            task._init_task(coro, self, name, context)
        else:
            task = super().create_task(coro, name=name, context=context)
        _register_task(task)
        return task


def new_event_loop() -> EventLoop:
    """Return a new ``EventLoop``."""
    return EventLoop()


class EventLoopPolicy(asyncio.DefaultEventLoopPolicy):
    """Has asyncio make these loops wherever it makes one, for ``set_event_loop_policy()``."""

    _loop_factory = EventLoop
