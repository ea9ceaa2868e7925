"""The tick.

An event loop is a queue of what can run now, a heap of what shall run later, and a place to wait
for the world outside. It does one thing, again and again, one **tick** at a time:

    1. Drop cancelled timers from the top of the heap.
    2. How long may we wait? Not at all if something is ready; until the earliest deadline if
       there is a timer; else for ever.
    3. Wait so long in ``select()`` for a file descriptor, or for a byte from another thread.
    4. Put the callbacks of what has happened at the end of the ready queue.
    5. Put the timers that are due there too.
    6. Run what is in the ready queue **now**. What that adds is left for the next tick.

That is ``_run_once()`` below. All else in this file puts things into the queue or the heap,
starts and stops the loop, or reports errors.

The last point decides the order of everything in asyncio: it is a *batch*. A callback that
calls ``call_soon(itself)`` for ever does not keep descriptors and timers from their turn.

Mirrors ``asyncio/base_events.py``. What the loop hears from outside (descriptors, signals,
executors) is added by ``EventLoop`` in ``selector_events.py``.
"""

from __future__ import annotations

import heapq
import logging
import math
import selectors
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

from .coroutines import _is_debug_mode, _iscoroutinefunction, iscoroutine
from .foreign_loops import AbstractEventLoop
from .futures import Future, isfuture
from .handles import Handle, TimerHandle, _Deadline, _ThreadSafeHandle
from .reprs import DEBUG_STACK_DEPTH
from .running import _get_loop, _get_running_loop, _register_task, _set_running_loop
from .tasks import Task, ensure_future

__all__ = ["BaseEventLoop"]

_T = TypeVar("_T")

_new = object.__new__

logger = logging.getLogger("asyncio")  # asyncio's, so that one setting serves both

# Cancelled timers stay in the heap until they come up. When more than half of a heap of more than
# a hundred are cancelled, it is swept. The figures decide the shape of the heap, and the shape
# decides the order of equal deadlines: they are asyncio's.
_MIN_SCHEDULED_TIMER_HANDLES = 100
_MIN_CANCELLED_TIMER_HANDLES_FRACTION = 0.5

MAXIMUM_SELECT_TIMEOUT = 24 * 3600  # seconds; longer waits are refused by some systems


class BaseEventLoop:
    """The loop by itself: ready queue, timers, ticks. Mirrors ``asyncio.BaseEventLoop``.

    Every public method mirrors the one of that name in asyncio.

    A subclass must say how it is woken from another thread (``_write_to_self``) and what a
    selector event means (``_process_events``); ``EventLoop`` does.
    """

    _takes_tasks = True
    """The ready queue holds tasks as well as handles. Loops of others: ``foreign_loops.py``."""

    slow_callback_duration = 0.1
    """Debug mode reports callbacks and steps that take longer than this many seconds."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        self._closed = False  # first, for __del__
        self._init_current_task()
        self._thread_id: int | None = None  # of the thread inside run_forever(), else None
        self._stopping = False
        self._selector: Any = selector
        self._ready: deque[Handle | Task[Any]] = deque()
        self._scheduled: list[_Deadline] = []  # a heap
        self._timer_cancelled_count = 0
        self._clock_resolution = time.get_clock_info("monotonic").resolution
        self._debug = _is_debug_mode()
        self._current_handle: Handle | Task[Any] | None = None  # in debug mode, what is running
        self._task_factory: Callable[..., Task[Any]] | None = None
        self._exception_handler: Callable[[Any, dict[str, Any]], object] | None = None
        self._asyncgens: weakref.WeakSet[AsyncGenerator[Any, Any]] = weakref.WeakSet()
        self._asyncgens_shutdown_called = False
        self._old_agen_hooks: Any = None
        self._origin_tracking_depth: int | None = None  # before we changed it, else None

    def _init_current_task(self) -> None:
        self._current_task: Task[Any] | None = None  # for interop it is no attribute of the loop

    # -- the tick ------------------------------------------------------------------------------

    def _run_once(self) -> None:
        """Do one tick: see the top of this file."""
        # 1.
        ready = self._ready
        scheduled = self._scheduled
        if scheduled:
            self._drop_cancelled_timers()

        # 2.
        timeout: float | None = None
        if ready or self._stopping:
            timeout = 0
        elif scheduled:
            timeout = scheduled[0] - self.time()
            if timeout > MAXIMUM_SELECT_TIMEOUT:
                timeout = MAXIMUM_SELECT_TIMEOUT
            elif timeout < 0:
                timeout = 0

        # 3. and 4.
        events = self._selector.select(timeout)
        if events:
            self._process_events(events)
            events = None  # do not hold them while callbacks run

        # 5. A deadline less than one step of the clock away is due now: waiting is of no use. (On a
        # clock that counts in large numbers, the next number may be further away than a step.)
        now = self.time()
        end_time = now + max(self._clock_resolution, math.ulp(now))
        while scheduled:
            if scheduled[0] >= end_time:
                break
            timer = heapq.heappop(scheduled).timer
            timer._scheduled = False
            ready.append(timer)

        # 6. The only place where callbacks are called and tasks take their steps. The count is
        # taken once: what is added meanwhile waits for the next tick.
        for _ in range(len(ready)):
            if self._debug:  # asked each time: a callback may turn it on or off
                self._run_timed(ready.popleft())
            else:
                ready.popleft()._run()

    def _drop_cancelled_timers(self) -> None:
        scheduled = self._scheduled
        if (
            len(scheduled) > _MIN_SCHEDULED_TIMER_HANDLES
            and self._timer_cancelled_count / len(scheduled) > _MIN_CANCELLED_TIMER_HANDLES_FRACTION
        ):
            kept = []
            for deadline in scheduled:
                if deadline.timer._cancelled:
                    deadline.timer._scheduled = False
                else:
                    kept.append(deadline)
            heapq.heapify(kept)
            scheduled[:] = kept
            self._timer_cancelled_count = 0
        else:
            while scheduled and scheduled[0].timer._cancelled:
                heapq.heappop(scheduled).timer._scheduled = False
                self._timer_cancelled_count -= 1

    def _run_timed(self, entry: Handle | Task[Any]) -> None:
        """Run what stood in the ready queue, and report it if it is slow (debug mode)."""
        if isinstance(entry, Handle) and entry._cancelled:
            return
        self._current_handle = entry
        try:
            started = self.time()
            entry._run()
            duration = self.time() - started
            if duration >= self.slow_callback_duration:
                logger.warning("Executing %s took %.3f seconds", _format_handle(entry), duration)
        finally:
            self._current_handle = None
            entry = None  # type: ignore[assignment]  # see Future.__await__

    def _process_events(self, events: list[tuple[selectors.SelectorKey, int]]) -> None:
        """Put the callbacks of selector events into the ready queue."""
        raise NotImplementedError

    def _write_to_self(self) -> None:
        """Wake the loop from its wait in ``select()``. Called from any thread."""
        raise NotImplementedError

    # -- putting callbacks in ------------------------------------------------------------------

    def time(self) -> float:
        """Return the loop's clock in seconds. A subclass may override it.

        All timing goes through this method, so that a virtual clock can be fitted.
        """
        return time.monotonic()

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """Have ``callback(*args)`` called in the next tick, after those that were there before.

        ``context`` is the contextvars context to call it in, by default a copy of the present
        one. Raises RuntimeError if the loop is closed.
        """
        if self._closed or self._debug:
            self._check_closed()
            self._check_thread()
            self._check_callback(callback, "call_soon")
        handle = Handle(callback, args, self, context)
        self._ready.append(handle)
        if self._debug and handle._source_traceback:
            del handle._source_traceback[-1]
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """Like ``call_soon``, from any thread: wakes the loop if it waits in ``select()``.

        Raises RuntimeError if the loop is closed.
        """
        self._check_closed()
        if self._debug:
            self._check_callback(callback, "call_soon_threadsafe")
        handle = _ThreadSafeHandle(callback, args, self, context)
        self._ready.append(handle)
        if handle._source_traceback:
            del handle._source_traceback[-2:]
        self._write_to_self()
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> TimerHandle:
        """Have ``callback(*args)`` called ``delay`` seconds from now.

        Of two callbacks for the same time it is undefined which comes first. Raises TypeError
        if ``delay`` is None, RuntimeError if the loop is closed.
        """
        if delay is None:
            raise TypeError("delay must not be None")
        when = self.time() + delay
        if args or context is not None:
            timer = self.call_at(when, callback, *args, context=context)
        else:  # the same, at half the price
            timer = self.call_at(when, callback)
        if self._debug and timer._source_traceback:
            del timer._source_traceback[-1]
        return timer

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> TimerHandle:
        """Have ``callback(*args)`` called at ``when`` seconds on the clock of ``time()``.

        A time in the past is not an error: the callback runs in the next tick. Raises TypeError
        if ``when`` is None, RuntimeError if the loop is closed.
        """
        if when is None:
            raise TypeError("when cannot be None")
        if self._closed or self._debug:
            self._check_closed()
            self._check_thread()
            self._check_callback(callback, "call_at")
        timer = TimerHandle(when, callback, args, self, context)
        if self._debug and timer._source_traceback:
            del timer._source_traceback[-1]
        timer._scheduled = True
        deadline = _Deadline(0.0 + when)  # added, it can be nothing but a number
        deadline.timer = timer
        heapq.heappush(self._scheduled, deadline)
        return timer

    def _timer_handle_cancelled(self, handle: TimerHandle) -> None:
        """Count cancelled timers. Called by ``TimerHandle.cancel``."""
        if handle._scheduled:
            self._timer_cancelled_count += 1

    def _add_callback(self, handle: Handle) -> None:
        """Put a handle that was made earlier into the ready queue."""
        if not handle._cancelled:
            self._ready.append(handle)

    def _check_closed(self) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")

    def _check_thread(self) -> None:
        """Raise RuntimeError if another thread than the loop's own is here."""
        if self._thread_id is not None and self._thread_id != threading.get_ident():
            raise RuntimeError(
                "Non-thread-safe operation invoked on an event loop other than the current one"
            )

    def _check_callback(self, callback: object, method: str) -> None:
        if iscoroutine(callback) or _iscoroutinefunction(callback):
            raise TypeError(f"coroutines cannot be used with {method}()")
        if not callable(callback):
            raise TypeError(f"a callable object was expected by {method}(), got {callback!r}")

    # -- futures and tasks ---------------------------------------------------------------------

    def create_future(self) -> Future[Any]:
        """Return a new Future of this loop."""
        future: Future[Any] = _new(Future)
        future._init(self)
        return future

    def create_task(
        self, coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], **kwargs: Any
    ) -> Task[_T]:
        """Start *coro* as a task of this loop; its first step comes in the next tick.

        The keywords are those of ``Task``: ``name``, ``context``, ``eager_start``. If a task
        factory is set, it makes the task and gets them. Raises RuntimeError if the loop is closed.
        """
        if self._closed:
            self._check_closed()
        if self._task_factory is not None:
            return self._task_factory(self, coro, **kwargs)
        task: Task[_T] = _new(Task)
        try:
            task._init_task(coro, self, **kwargs)
            return task
        finally:
            del task  # an eager task may have failed, and its traceback leads here

    def set_task_factory(self, factory: Callable[..., Any] | None) -> None:
        """Have tasks made by ``factory(loop, coro, **kwargs)``; None means ``Task``.

        ``kwargs`` are the keywords that ``create_task()`` was given. Raises TypeError for what is
        neither None nor callable.
        """
        if factory is not None and not callable(factory):
            raise TypeError("task factory must be a callable or None")
        self._task_factory = factory

    def get_task_factory(self) -> Callable[..., Any] | None:
        """Return the task factory, None if there is none."""
        return self._task_factory

    # -- running and stopping ------------------------------------------------------------------

    def run_forever(self) -> None:
        """Run tick after tick until ``stop()`` is called.

        Raises RuntimeError if the loop is closed, or if it or another loop runs in this thread.
        """
        self._run_forever_setup()
        try:
            while True:
                self._run_once()
                if self._stopping:
                    break
        finally:
            self._run_forever_cleanup()

    def _run_forever_setup(self) -> None:
        self._check_closed()
        self._check_running()
        self._set_coroutine_origin_tracking(self._debug)
        self._old_agen_hooks = sys.get_asyncgen_hooks()
        self._thread_id = threading.get_ident()
        sys.set_asyncgen_hooks(
            firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook
        )
        _set_running_loop(self)

    def _run_forever_cleanup(self) -> None:
        self._stopping = False
        self._thread_id = None
        _set_running_loop(None)
        self._set_coroutine_origin_tracking(False)
        if self._old_agen_hooks is not None:
            sys.set_asyncgen_hooks(*self._old_agen_hooks)
            self._old_agen_hooks = None

    def run_until_complete(self, future: Awaitable[_T] | Generator[Any, Any, _T]) -> _T:
        """Run until *future* is done; return its result or raise its exception.

        A coroutine is made a task first. Raises RuntimeError if ``stop()`` came before the end,
        and as ``run_forever()`` does.
        """
        self._check_closed()
        self._check_running()
        new_task = not isfuture(future)
        future = ensure_future(future, loop=self)
        if new_task and isinstance(future, Task):
            future._log_destroy_pending = False  # if it is not done at the end, we raise
        future.add_done_callback(_run_until_complete_cb)
        try:
            self.run_forever()
        except:
            if new_task and future.done() and not future.cancelled():
                future.exception()  # it is on its way up; nobody else can ask for it
            raise
        finally:
            future.remove_done_callback(_run_until_complete_cb)
        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()

    def stop(self) -> None:
        """Have ``run_forever()`` return at the end of this tick, or of its first if called before.

        What is in the batch still runs; what the batch adds stays in the queue.
        """
        self._stopping = True

    def is_running(self) -> bool:
        """Return True inside ``run_forever()``."""
        return self._thread_id is not None

    def _check_running(self) -> None:
        if self.is_running():
            raise RuntimeError("This event loop is already running")
        if _get_running_loop() is not None:
            raise RuntimeError("Cannot run the event loop while another loop is running")

    def close(self) -> None:
        """Forget all callbacks and timers, for good. Raises RuntimeError if the loop runs."""
        if self.is_running():
            raise RuntimeError("Cannot close a running event loop")
        if self._closed:
            return
        if self._debug:
            logger.debug("Close %r", self)
        self._closed = True
        while self._ready:
            entry = self._ready.popleft()
            if isinstance(entry, Task):  # all_tasks() finds it nowhere else
                _register_task(entry)
        self._scheduled.clear()

    def is_closed(self) -> bool:
        """Return True after ``close()``."""
        return self._closed

    def __del__(self, _warn: Callable[..., None] = warnings.warn) -> None:
        if not self.is_closed():
            _warn(f"unclosed event loop {self!r}", ResourceWarning, source=self)
            if not self.is_running():
                self.close()

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} running={self.is_running()} "
            f"closed={self.is_closed()} debug={self.get_debug()}>"
        )

    # -- async generators ----------------------------------------------------------------------

    # An async generator that is left in the middle has code to run yet (its finally clauses), and
    # that code may await. So Python tells the loop of each one that starts, and of each one that
    # is about to be destroyed.

    def _asyncgen_firstiter_hook(self, agen: AsyncGenerator[Any, Any]) -> None:
        if self._asyncgens_shutdown_called:
            warnings.warn(
                f"asynchronous generator {agen!r} was scheduled after "
                "loop.shutdown_asyncgens() call",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
        self._asyncgens.add(agen)

    def _asyncgen_finalizer_hook(self, agen: AsyncGenerator[Any, Any]) -> None:
        self._asyncgens.discard(agen)
        if not self.is_closed():  # the garbage collector may run in any thread
            self.call_soon_threadsafe(self.create_task, agen.aclose())

    # -- errors --------------------------------------------------------------------------------

    def set_exception_handler(
        self, handler: Callable[[Any, dict[str, Any]], object] | None
    ) -> None:
        """Have errors that nobody can catch given to ``handler(loop, context)``.

        ``context`` is a dict with "message" and, where they apply, "exception", "future",
        "task", "handle", "asyncgen", "source_traceback". None restores the default, which logs.
        Raises TypeError for what is neither None nor callable.
        """
        if handler is not None and not callable(handler):
            raise TypeError(f"A callable object or None is expected, got {handler!r}")
        self._exception_handler = handler

    def get_exception_handler(self) -> Callable[[Any, dict[str, Any]], object] | None:
        """Return the exception handler, None if it is the default."""
        return self._exception_handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Log an error that nobody can catch, at level ERROR, to the logger ``asyncio``."""
        exception = context.get("exception")
        if (
            "source_traceback" not in context
            and self._current_handle is not None
            and self._current_handle._source_traceback
        ):
            context["handle_traceback"] = self._current_handle._source_traceback
        lines = [context.get("message") or "Unhandled exception in event loop"]
        for key in sorted(context.keys() - {"message", "exception"}):
            value = context[key]
            if key in ("source_traceback", "handle_traceback"):
                what = "Object" if key == "source_traceback" else "Handle"
                stack = "".join(traceback.format_list(value)).rstrip()
                lines.append(f"{key}: {what} created at (most recent call last):\n{stack}")
            else:
                lines.append(f"{key}: {value!r}")
        exc_info = exception and (type(exception), exception, exception.__traceback__)
        logger.error("\n".join(lines), exc_info=exc_info or False)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Report an error that nobody can catch to the exception handler.

        It runs in the contextvars context of the task or handle at fault, if there is one. Errors
        of the handler itself are logged; only SystemExit and KeyboardInterrupt pass through.
        """
        handler = self._exception_handler
        if handler is None:
            self._log_exception_context(context, "Exception in default exception handler")
            return
        try:
            sources = [context.get(key) for key in ("task", "future", "handle")]
            source: Any = next((source for source in sources if source is not None), None)
            source_context: Any = source.get_context() if hasattr(source, "get_context") else None
            if hasattr(source_context, "run"):
                source_context.run(handler, self, context)
            else:
                handler(self, context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._log_exception_context(
                {
                    "message": "Unhandled error in exception handler",
                    "exception": exc,
                    "context": context,
                },
                "Exception in default exception handler while handling an unexpected error "
                "in custom exception handler",
            )

    def _log_exception_context(self, context: dict[str, Any], if_that_fails: str) -> None:
        """Call the default handler, which a subclass may have overridden with a faulty one."""
        try:
            self.default_exception_handler(context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            logger.error(if_that_fails, exc_info=True)

    # -- debug mode ----------------------------------------------------------------------------

    def get_debug(self) -> bool:
        """Return True in debug mode."""
        return self._debug

    def set_debug(self, enabled: bool) -> None:
        """Turn debug mode on or off.

        In debug mode the loop reports slow callbacks, notes where objects were created, and
        raises RuntimeError when it is called from the wrong thread.
        """
        # Not from another thread: the loop would change the queue meanwhile.
        if self._debug != enabled and self._thread_id in (None, threading.get_ident()):
            # Of a handle it can be seen in which mode it was scheduled, of a task it cannot.
            for n, entry in enumerate(self._ready):
                if not isinstance(entry, Handle):
                    _register_task(entry)  # all_tasks() does not see it in a handle
                    step = entry._run_scheduled
                    self._ready[n] = Handle(step, (self._debug,), self, Context())
        self._debug = enabled
        if self.is_running():
            self.call_soon_threadsafe(self._set_coroutine_origin_tracking, enabled)

    def _set_coroutine_origin_tracking(self, enabled: bool) -> None:
        """Have Python note where coroutines are created, for "never awaited" warnings."""
        if enabled and self._origin_tracking_depth is None:
            self._origin_tracking_depth = sys.get_coroutine_origin_tracking_depth()
            sys.set_coroutine_origin_tracking_depth(DEBUG_STACK_DEPTH)
        elif not enabled and self._origin_tracking_depth is not None:
            sys.set_coroutine_origin_tracking_depth(self._origin_tracking_depth)
            self._origin_tracking_depth = None


AbstractEventLoop.register(BaseEventLoop)


def _run_until_complete_cb(future: Future[Any]) -> None:
    """Stop the loop when the main future is done, unless an exception stops it anyway."""
    if not future.cancelled() and isinstance(future.exception(), SystemExit | KeyboardInterrupt):
        return
    _get_loop(future).stop()


def _format_handle(entry: Handle | Task[Any]) -> str:
    """Return how a report shall name it: of a callback that is a task's method, the task."""
    owner = getattr(getattr(entry, "_callback", None), "__self__", None)
    return repr(owner if isinstance(owner, Task) else entry)
