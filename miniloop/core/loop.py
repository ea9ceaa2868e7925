"""The event loop: a queue of what can run now, and the tick that empties it.

An event loop keeps two collections and repeats one procedure.

* ``_ready``, a queue, holds what can run now: callbacks (each in a ``Handle``) and tasks.
* ``_scheduled``, a heap, holds callbacks that shall run later (each in a ``TimerHandle``).

The procedure is called a **tick**, and ``_run_once()`` is all of it:

1. Wait in ``select()`` until a file descriptor is ready, the earliest timer is due, or another
   thread calls ``call_soon_threadsafe()``. If the ready queue is not empty, look at the descriptors
   without waiting.
2. Put the callbacks of the descriptors that are ready at the end of the ready queue.
3. Put the timers that are due behind them.
4. Run everything that the ready queue holds **at this moment**. That is the *batch*. Whatever the
   batch adds to the queue waits for the next tick.

Step 4 decides the order of everything in asyncio. A callback that schedules itself again and again
cannot keep descriptors and timers from their turn, because it runs once a tick.

The other methods of this file put something into the queue or the heap, or start and stop the
ticks. What asyncio's loops do besides (debug mode, reports of errors, async generators) stands in
``details``; what the loop hears from the outside world is added in ``io``.

CPython's counterpart is ``BaseEventLoop`` in ``asyncio/base_events.py``.
"""

from __future__ import annotations

import heapq
import math
import selectors
import threading
import time
import warnings
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

from ..details.async_generators import AsyncGenerators
from ..details.current import _get_loop, _get_running_loop, _register_task, _set_running_loop
from ..details.debug import DebugMode, _is_debug_mode, logger
from ..details.other_loops import AbstractEventLoop
from ..details.reports import ErrorReports
from .futures import Future, isfuture
from .handles import Handle, TimerHandle
from .tasks import Task, ensure_future

__all__ = ["BaseEventLoop"]

_T = TypeVar("_T")

MAXIMUM_SELECT_TIMEOUT = 24 * 3600  # seconds; some systems refuse longer waits

# A timer that is cancelled stays in the heap until it comes up. If the heap has more than 100
# timers and more than half of them are cancelled, all cancelled ones are removed. That may reorder
# timers with equal deadlines, so the figures are asyncio's.
_MIN_SCHEDULED_TIMER_HANDLES = 100
_MIN_CANCELLED_TIMER_HANDLES_FRACTION = 0.5


class BaseEventLoop(DebugMode, ErrorReports, AsyncGenerators):
    """The tick and what feeds it. ``EventLoop`` in ``io`` says what a descriptor's event means.

    The bases bring the checks of debug mode, reports of errors, and async generators. Every public
    method has the name of its counterpart in asyncio and does the same.
    """

    _takes_tasks = True  # into its ready queue; details/current.py tells our loops by this name

    # EventLoop brings this: what selector events mean.
    _process_events: Callable[[list[tuple[selectors.SelectorKey, int]]], None]

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        self._closed = False  # first, because __del__ reads it even if the rest fails
        self._ready: deque[Handle | Task[Any]] = deque()
        self._scheduled: list[_Deadline] = []  # a heap of deadlines, each with its timer handle
        self._timer_cancelled_count = 0
        self._selector: Any = selector
        self._clock_resolution = time.get_clock_info("monotonic").resolution
        self._stopping = False
        self._thread_id: int | None = None  # of the thread inside run_forever()
        self._init_current_task()
        self._task_factory: Callable[..., Task[Any]] | None = None
        self._debug = _is_debug_mode()
        self._asyncgens: weakref.WeakSet[AsyncGenerator[Any, Any]] = weakref.WeakSet()

    def _init_current_task(self) -> None:
        self._current_task: Task[Any] | None = None  # the task whose step is running

    # -- the tick ------------------------------------------------------------------------------

    def _run_once(self) -> None:
        """Run one tick. Its four steps are described at the top of this file."""
        ready = self._ready
        scheduled = self._scheduled
        if scheduled:
            self._drop_cancelled_timers()  # they must not decide how long the loop waits

        # 1. Wait.
        timeout: float | None = None
        if ready or self._stopping:  # stop() may have been called before run_forever()
            timeout = 0
        elif scheduled:
            timeout = scheduled[0] - self.time()
            if timeout > MAXIMUM_SELECT_TIMEOUT:
                timeout = MAXIMUM_SELECT_TIMEOUT
            elif timeout < 0:
                timeout = 0
        events = self._selector.select(timeout)

        # 2. Descriptors.
        if events:
            self._process_events(events)
            events = None  # or it would keep alive what the callbacks of step 4 want freed

        # 3. Timers. One that is due within the next step of the clock counts as due. (A large float
        # plus the clock's resolution may be the same float: hence ulp.)
        now = self.time()  # asyncio: it asks even if there are no timers
        if scheduled:
            end_time = now + max(self._clock_resolution, math.ulp(now))
            while scheduled:
                if scheduled[0] >= end_time:
                    break
                timer = heapq.heappop(scheduled).timer
                timer._scheduled = False  # it is not in the heap `_scheduled` any more
                ready.append(timer)  # asyncio: a cancelled one too, and it goes on being counted

        # 4. The batch. Its length is taken once, before anything runs.
        for _ in range(len(ready)):
            if self._debug:
                self._run_timed(ready.popleft())
            else:
                ready.popleft()._run()  # Handle._run() or Task._run()

    def _drop_cancelled_timers(self) -> None:
        """Drop cancelled timers from the top of the heap; sweep the whole heap if most are."""
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
            scheduled[:] = kept
            heapq.heapify(scheduled)
            self._timer_cancelled_count = 0
        while scheduled and scheduled[0].timer._cancelled:
            heapq.heappop(scheduled).timer._scheduled = False
            self._timer_cancelled_count -= 1

    # -- putting callbacks in ------------------------------------------------------------------

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """Schedule ``callback(*args)`` for the next tick, behind everything already in the queue.

        It runs in the contextvars context ``context``, by default a copy of the present one. Raises
        RuntimeError if the loop is closed.
        """
        if self._closed or self._debug:  # fast: one test for two rare cases
            self._check_call(callback, "call_soon")
        handle = Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> TimerHandle:
        """Schedule ``callback(*args)`` to run ``delay`` seconds from now.

        The order of two callbacks that are due at the same time is undefined. Raises TypeError if
        ``delay`` is None, RuntimeError if the loop is closed.
        """
        if delay is None:
            raise TypeError("delay must not be None")
        if args or context is not None:
            return self.call_at(self.time() + delay, callback, *args, context=context)
        return self.call_at(self.time() + delay, callback)  # fast: passes no keywords on

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> TimerHandle:
        """Schedule ``callback(*args)`` to run at ``when``, in seconds on the clock of ``time()``.

        If that time has passed already, the callback runs in the next tick. Raises TypeError if
        ``when`` is None, RuntimeError if the loop is closed.
        """
        if when is None:
            raise TypeError("when cannot be None")
        if self._closed or self._debug:  # fast: one test for two rare cases
            self._check_call(callback, "call_at")
        timer = TimerHandle(when, callback, args, self, context)
        timer._scheduled = True
        deadline = _Deadline(0.0 + when)  # float("1") would pass, 0.0 + "1" raises TypeError
        deadline.timer = timer
        heapq.heappush(self._scheduled, deadline)
        return timer

    def time(self) -> float:
        """Return the time on the loop's clock, in seconds. All timing goes through this method."""
        return time.monotonic()

    def _timer_handle_cancelled(self, handle: TimerHandle) -> None:
        """Count a timer that is cancelled while it is in the heap."""
        if handle._scheduled:
            self._timer_cancelled_count += 1

    def _add_callback(self, handle: Handle) -> None:
        """Put a handle into the ready queue, as ``io`` does for a descriptor that is ready."""
        if not handle._cancelled:
            self._ready.append(handle)

    # -- futures and tasks ---------------------------------------------------------------------

    def create_future(self) -> Future[Any]:
        """Return a new Future of this loop."""
        future: Future[Any] = Future.__new__(Future)
        future._init(self)  # fast: calls no class with keywords
        return future

    def create_task(
        self, coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], **kwargs: Any
    ) -> Task[_T]:
        """Start *coro* as a task of this loop. Its first step comes in the next tick, unless eager.

        The keywords are those of ``Task``: ``name``, ``context``, ``eager_start``. If a task
        factory is set, it makes the task and gets them. Raises RuntimeError if the loop is closed.
        """
        if self._closed:  # fast: no call
            self._check_closed()
        if self._task_factory is not None:
            return self._task_factory(self, coro, **kwargs)
        task: Task[_T] = Task.__new__(Task)
        try:
            if kwargs:
                task._init_task(coro, self, **kwargs)
            else:
                task._init_task(coro, self)  # fast: keywords cost even if there are none
            return task
        finally:
            del task  # a cycle, if an eager task has failed

    def set_task_factory(self, factory: Callable[..., Any] | None) -> None:
        """Make tasks with ``factory(loop, coro, **kwargs)`` from now on; None restores ``Task``.

        ``kwargs`` are the keywords given to ``create_task()``. Raises TypeError if *factory* is
        neither None nor callable.
        """
        if factory is not None and not callable(factory):
            raise TypeError("task factory must be a callable or None")
        self._task_factory = factory

    def get_task_factory(self) -> Callable[..., Any] | None:
        """Return the task factory, or None if there is none."""
        return self._task_factory

    # -- running and stopping ------------------------------------------------------------------

    def run_forever(self) -> None:
        """Run one tick after the other until ``stop()`` is called.

        Raises RuntimeError if the loop is closed, or if a loop already runs in this thread.
        """
        self._run_forever_setup()
        try:
            while True:
                self._run_once()
                if self._stopping:
                    break
        finally:
            self._run_forever_cleanup()

    def run_until_complete(self, future: Awaitable[_T] | Generator[Any, Any, _T]) -> _T:
        """Run the loop until *future* is done; return its result or raise its exception.

        A coroutine is made a task first. Raises RuntimeError if ``stop()`` is called before the
        future is done, and under the same conditions as ``run_forever()``.
        """
        self._check_closed()
        self._check_running()
        new_task = not isfuture(future)
        future = ensure_future(future, loop=self)
        if new_task and isinstance(future, Task):
            future._log_destroy_pending = False  # no report of a pending task: we raise, see below
        future.add_done_callback(_run_until_complete_cb)
        try:
            self.run_forever()
        except:
            # KeyboardInterrupt or SystemExit, mostly: they end the task's step, and the loop too.
            if new_task and future.done() and not future.cancelled():
                future.exception()  # so nobody has to report it: it leaves through here already
            raise
        finally:
            future.remove_done_callback(_run_until_complete_cb)
        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()

    def stop(self) -> None:
        """Let ``run_forever()`` return at the end of this tick.

        If the loop does not run yet, ``run_forever()`` will run one tick and return. The rest of
        the batch still runs. What the batch adds stays in the queue.
        """
        self._stopping = True

    def _run_forever_setup(self) -> None:
        self._check_closed()
        self._check_running()
        self._thread_id = threading.get_ident()
        self._watch_async_generators()
        if self._debug:
            self._set_coroutine_origin_tracking(True)
        _set_running_loop(self)

    def _run_forever_cleanup(self) -> None:
        self._stopping = False
        self._thread_id = None
        _set_running_loop(None)
        if self._origin_tracking_depth is not None:
            self._set_coroutine_origin_tracking(False)
        self._unwatch_async_generators()

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
            if isinstance(entry, Task):
                _register_task(entry)  # all_tasks() has found it in the queue until now
        self._scheduled.clear()

    def is_closed(self) -> bool:
        """Return True after ``close()``."""
        return self._closed

    def _check_closed(self) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")

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


class _Deadline(float):  # fast: floats compare in C, timer handles would in Python
    """What the heap holds: a deadline that knows its timer.

    asyncio's heap holds the timer handles themselves. Both compare by deadline and by nothing
    else, so both heaps take the same shape.
    """

    __slots__ = ("timer",)
    timer: TimerHandle


def _run_until_complete_cb(future: Future[Any]) -> None:
    """Stop the loop when the main future is done, unless SystemExit or the like stops it anyway."""
    if not future.cancelled() and isinstance(future.exception(), SystemExit | KeyboardInterrupt):
        return
    _get_loop(future).stop()


AbstractEventLoop.register(BaseEventLoop)
