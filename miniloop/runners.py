"""run(): make a loop, run a coroutine, clean up.

Cleaning up means: the runner cancels the tasks that are left and waits for them, closes async
generators, joins the threads of the default executor and closes the loop. The first Ctrl-C cancels
the main task, and when that has ended, ``run()`` raises KeyboardInterrupt. A second one raises it
at once, in whatever code is running; so does one during the clean-up.

CPython's counterpart is ``asyncio/runners.py``.
"""

from __future__ import annotations

import enum
import functools
import inspect
import signal
import threading
from collections.abc import Awaitable, Callable, Generator
from contextvars import Context, copy_context
from types import CoroutineType, FrameType
from typing import Any, TypeVar, final

from .core.combinators import gather
from .core.exceptions import CancelledError
from .core.tasks import Task, _wrap_awaitable
from .details.coroutines import _can_be_driven
from .details.current import _get_running_loop, all_tasks, set_event_loop
from .io.event_loop import EventLoop

__all__ = ["Runner", "new_event_loop", "run"]

_T = TypeVar("_T")

_THREAD_JOIN_TIMEOUT = 300  # seconds given to the threads of the default executor


class _State(enum.Enum):
    CREATED = "created"
    INITIALIZED = "initialized"
    CLOSED = "closed"


@final
class Runner:
    """A context manager that makes one loop for several calls of ``run()``.

    ``debug`` sets the loop's debug mode; None leaves it as it is. ``loop_factory`` makes the
    loop; by default it is ``new_event_loop``. After ``close()`` methods raise RuntimeError.
    """

    _loop: EventLoop
    _context: Context

    def __init__(
        self, *, debug: bool | None = None, loop_factory: Callable[[], EventLoop] | None = None
    ) -> None:
        self._state = _State.CREATED
        self._debug = debug
        self._loop_factory = loop_factory
        self._interrupt_count = 0
        self._set_event_loop = False

    def __enter__(self) -> Runner:
        self._lazy_init()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def run(
        self,
        coro: Awaitable[_T] | Generator[Any, Any, _T],
        *,
        context: Context | None = None,
    ) -> _T:
        """Run a coroutine, or await anything else, in the runner's loop and return its result.

        ``context`` is the contextvars context to run it in; by default all calls share one.
        Raises TypeError for what cannot be awaited, RuntimeError inside a running loop, and
        KeyboardInterrupt after Ctrl-C.
        """
        if _get_running_loop() is not None:
            raise RuntimeError("Runner.run() cannot be called from a running event loop")
        self._lazy_init()
        if type(coro) is not CoroutineType and not _can_be_driven(coro):
            if not inspect.isawaitable(coro):
                raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
            coro = _wrap_awaitable(coro)
        if context is None:
            context = self._context
        task = self._loop.create_task(coro, context=context)  # type: ignore[arg-type]

        sigint_handler = None  # only in place of Python's own: a program may have set another
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            sigint_handler = functools.partial(self._on_sigint, main_task=task)
            try:
                signal.signal(signal.SIGINT, sigint_handler)
            except ValueError:  # the main thread of an embedded interpreter may have no signals
                sigint_handler = None

        self._interrupt_count = 0
        try:
            return self._loop.run_until_complete(task)
        except CancelledError:
            if self._interrupt_count > 0:
                uncancel = getattr(task, "uncancel", None)  # a task factory's tasks may have none
                if uncancel is not None and uncancel() == 0:
                    raise KeyboardInterrupt()  # noqa: B904  (the traceback shows both)
            raise
        finally:
            if sigint_handler is not None and signal.getsignal(signal.SIGINT) is sigint_handler:
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def _on_sigint(self, signum: int, frame: FrameType | None, main_task: Task[Any]) -> None:
        """Cancel the main task at the first Ctrl-C, raise KeyboardInterrupt at the second."""
        self._interrupt_count += 1
        if self._interrupt_count == 1 and not main_task.done():
            main_task.cancel()
            self._loop.call_soon_threadsafe(lambda: None)  # wake it: Python resumes its select()
            return
        raise KeyboardInterrupt()

    def get_loop(self) -> EventLoop:
        """Return the runner's loop. Raises RuntimeError after ``close()``."""
        self._lazy_init()
        return self._loop

    def close(self) -> None:
        """Cancel the tasks that are left, wait for them, and close the loop.

        Before the loop is closed, async generators are closed and the threads of the default
        executor are joined. A second call does nothing.
        """
        if self._state is not _State.INITIALIZED:
            return
        loop = self._loop
        try:
            _cancel_all_tasks(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor(_THREAD_JOIN_TIMEOUT))
        finally:
            if self._set_event_loop:
                set_event_loop(None)
            loop.close()
            del self._loop
            self._state = _State.CLOSED

    def _lazy_init(self) -> None:
        if self._state is _State.CLOSED:
            raise RuntimeError("Runner is closed")
        if self._state is _State.INITIALIZED:
            return
        if self._loop_factory is None:
            self._loop = new_event_loop()
            set_event_loop(self._loop)
            self._set_event_loop = True
        else:
            self._loop = self._loop_factory()
        if self._debug is not None:
            self._loop.set_debug(self._debug)
        self._context = copy_context()
        self._state = _State.INITIALIZED


def run(
    main: Awaitable[_T] | Generator[Any, Any, _T],
    *,
    debug: bool | None = None,
    loop_factory: Callable[[], EventLoop] | None = None,
) -> _T:
    """Run a coroutine in a new loop, clean up, and return the coroutine's result.

    ``main`` may be any other awaitable as well. ``debug`` and ``loop_factory`` are those of
    ``Runner``. Raises TypeError for what cannot be awaited, RuntimeError inside a running loop.

    >>> import miniloop
    >>> async def main():
    ...     await miniloop.sleep(0)
    ...     return 42
    >>> miniloop.run(main())
    42
    """
    if _get_running_loop() is not None:
        raise RuntimeError("asyncio.run() cannot be called from a running event loop")
    with Runner(debug=debug, loop_factory=loop_factory) as runner:
        return runner.run(main)


def new_event_loop() -> EventLoop:
    """Return a new ``EventLoop``."""
    return EventLoop()


def _cancel_all_tasks(loop: EventLoop) -> None:
    """Cancel all tasks of the loop, wait for them, and report what they raise."""
    tasks = all_tasks(loop)
    if not tasks:
        return
    for task in tasks:
        task.cancel()
    loop.run_until_complete(gather(*tasks, return_exceptions=True))
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            loop.call_exception_handler(
                {
                    "message": "unhandled exception during asyncio.run() shutdown",
                    "exception": task.exception(),
                    "task": task,
                }
            )
