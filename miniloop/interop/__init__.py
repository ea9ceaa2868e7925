"""The same loop wearing asyncio's interface.

``interop.EventLoop`` is an ``asyncio.AbstractEventLoop``. What schedules is miniloop's: the ready
queue, the timers, the tick, the futures and the tasks. What carries bytes (transports, servers,
TLS, subprocesses) is the standard library's, which is written against the names that miniloop
has as well: ``call_soon``, ``_add_reader``, ``_selector``, ``create_future``. So the two are
joined by inheriting from both, miniloop first:

    with asyncio.Runner(loop_factory=miniloop.interop.EventLoop) as runner:
        runner.run(main())

The rest of asyncio asks asyncio, not miniloop, which loop and which task are running. The loop and
its tasks tell it through the functions that asyncio has for that.
"""

from __future__ import annotations

import asyncio
import asyncio.tasks
import selectors
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

import miniloop

__all__ = ["EventLoop", "Task"]

_T = TypeVar("_T")


class Task(miniloop.Task[_T]):
    """A miniloop task that ``asyncio.current_task()`` and ``asyncio.all_tasks()`` know of."""

    __slots__ = ()

    def __init__(self, coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], **options: Any):
        asyncio.tasks._register_task(self)  # type: ignore[arg-type]  # before an eager start
        try:
            super().__init__(coro, **options)
        except BaseException:
            asyncio.tasks._unregister_task(self)  # type: ignore[arg-type]
            raise

    def _run(self, exc: BaseException | None = None) -> None:
        loop: Any = self._loop
        outer = asyncio.current_task(loop)  # not None if we are started eagerly
        if outer is not None:
            asyncio.tasks._leave_task(loop, outer)
        asyncio.tasks._enter_task(loop, self)  # type: ignore[arg-type]
        try:
            super()._run(exc)
        finally:
            asyncio.tasks._leave_task(loop, self)  # type: ignore[arg-type]
            if outer is not None:
                asyncio.tasks._enter_task(loop, outer)


class EventLoop(miniloop.EventLoop, asyncio.SelectorEventLoop):  # type: ignore[misc]
    """miniloop's scheduling, the standard library's transports.

    ``selector`` is any ``selectors.BaseSelector``, by default the best of the platform.
    """

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        miniloop.EventLoop.__init__(self, selector)
        asyncio.SelectorEventLoop.__init__(self, selector)  # what the transports need

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

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> miniloop.Task[_T]:
        """Start *coro* as a task of this loop, as ``miniloop.EventLoop.create_task`` does."""
        if self._task_factory is not None:
            return super().create_task(coro, name=name, context=context)
        self._check_closed()
        return Task(coro, loop=self, name=name, context=context)

    # These refuse a descriptor that a transport is using.
    add_reader = asyncio.SelectorEventLoop.add_reader
    remove_reader = asyncio.SelectorEventLoop.remove_reader
    add_writer = asyncio.SelectorEventLoop.add_writer
    remove_writer = asyncio.SelectorEventLoop.remove_writer
