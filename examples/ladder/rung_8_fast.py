"""Rung 8: the same as rung 6, fast: the task is its own entry in the queue."""

import heapq
import inspect
import math
import selectors
import time
import types
from collections import deque

MAXIMUM_SELECT_TIMEOUT = 24 * 3600  # seconds
# A heap with more cancelled timers than these is swept.
_MIN_SCHEDULED_TIMER_HANDLES = 100
_MIN_CANCELLED_TIMER_HANDLES_FRACTION = 0.5


class CancelledError(BaseException):
    """Thrown into a coroutine that is to stop; no ``except Exception`` catches it."""


def _cancelled_error(message):
    return CancelledError() if message is None else CancelledError(message)


class InvalidStateError(Exception):
    """A future is done already, or not yet."""


class Handle:
    """A callback that waits for its turn."""

    __slots__ = ("_args", "_callback", "_cancelled", "_loop")  # fast: no dict for each

    def __init__(self, callback, args, loop):
        self._callback = callback
        self._args = args
        self._loop = loop
        self._cancelled = False

    def cancel(self):
        """Let the callback not run after all."""
        self._cancelled = True

    def cancelled(self):
        return self._cancelled

    def _run(self):
        if self._cancelled:
            return
        try:
            self._callback(*self._args)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            message = f"Exception in callback {self._callback}"
            context = {"message": message, "exception": error, "handle": self}
            self._loop.call_exception_handler(context)


class TimerHandle(Handle):
    """A callback that waits for its time."""

    __slots__ = ("_scheduled", "_when")

    def __init__(self, when, callback, args, loop):
        super().__init__(callback, args, loop)
        self._when = when
        self._scheduled = False  # whether it is in the heap

    def __lt__(self, other):  # this is all that heapq asks for
        return self._when < other._when

    def when(self):
        return self._when

    def cancel(self):
        """Let the callback not run after all."""
        if not self._cancelled and self._scheduled:
            self._loop._timer_cancelled_count += 1
        super().cancel()


class Future:
    """A result that is not there yet."""

    __slots__ = (  # fast: no dict for each
        "_asyncio_future_blocking",
        "_cancel_message",
        "_cancelled_exc",
        "_exception",
        "_loop",
        "_result",
        "_state",
        "_waiting",
    )

    def __init__(self, *, loop=None):
        self._loop = loop or get_running_loop()
        self._state = "PENDING"  # and later "FINISHED" or "CANCELLED"
        self._result = None
        self._exception = None
        self._waiting = []  # handles of callbacks, and tasks
        self._asyncio_future_blocking = False  # is a task being told to wait for this?
        self._cancel_message = None
        self._cancelled_exc = None  # what has ended a task, for the first that asks

    def __await__(self):
        if self._state == "PENDING":  # fast: no call
            if self._asyncio_future_blocking:
                raise RuntimeError("await wasn't used with future")
            self._asyncio_future_blocking = True
            yield self  # to the task, which comes back when this is done
        if self._exception is None and self._state == "FINISHED":
            return self._result  # fast: no call
        return self.result()

    __iter__ = __await__  # for `yield from`

    def done(self):
        return self._state != "PENDING"

    def cancelled(self):
        return self._state == "CANCELLED"

    def cancel(self, msg=None):
        """End this without a result; return whether it was not done yet."""
        if self.done():
            return False
        self._cancel_message = msg
        self._end("CANCELLED", None, None)
        return True

    def _make_cancelled_error(self):
        error, self._cancelled_exc = self._cancelled_exc, None
        return error or _cancelled_error(self._cancel_message)

    def result(self):
        """Return the result, or raise the exception."""
        if self.cancelled():
            raise self._make_cancelled_error()
        if not self.done():
            raise InvalidStateError
        if self._exception is not None:
            raise self._exception
        return self._result

    def exception(self):
        """Return the exception, or None if there is a result."""
        if self.cancelled():
            raise self._make_cancelled_error()
        if not self.done():
            raise InvalidStateError
        return self._exception

    def add_done_callback(self, callback):
        """Run ``callback(self)`` in the tick after this is done."""
        if self.done():
            self._loop.call_soon(callback, self)
        else:
            self._waiting.append(Handle(callback, (self,), self._loop))

    def remove_done_callback(self, callback):
        """Take a callback off the list; return how often it was there."""
        left = [
            one for one in self._waiting if getattr(one, "_callback", None) != callback
        ]
        removed = len(self._waiting) - len(left)
        self._waiting = left
        return removed

    def set_result(self, result):
        self._end("FINISHED", result, None)

    def set_exception(self, exception):
        self._end("FINISHED", None, exception)

    def _end(self, state, result, exception):
        if self._state != "PENDING":  # fast: no call
            raise InvalidStateError
        self._state, self._result, self._exception = state, result, exception
        if self._waiting:
            self._loop._ready.extend(self._waiting)  # fast: makes no handles
            self._waiting = []


class Task(Future):
    """A coroutine that runs by itself, and the future of what it will return."""

    __slots__ = ("_coro", "_fut_waiter", "_must_cancel", "_send")

    def __init__(self, coro, *, loop=None):
        super().__init__(loop=loop)
        self._coro = coro
        self._send = coro.send  # fast: looked up once
        self._fut_waiter = None  # the future that this waits for
        self._must_cancel = False  # whether the next step has to throw CancelledError
        self._loop._ready.append(self)  # fast: no handle

    def cancel(self, msg=None):
        """Ask the coroutine to stop: throw CancelledError into it where it waits."""
        if self.done():
            return False
        if self._fut_waiter is not None and self._fut_waiter.cancel(msg=msg):
            return True  # it wakes this task, as any end of the future does
        self._must_cancel = True
        self._cancel_message = msg
        return True

    def _run(self, error=None):
        """Take one step: resume the coroutine until it has to wait, or ends."""
        future, self._fut_waiter = self._fut_waiter, None
        if future is not None and (
            future._exception is not None or future._state == "CANCELLED"
        ):
            error = _failure(future)
        if self._must_cancel:
            self._must_cancel = False
            if not isinstance(error, CancelledError):
                error = self._make_cancelled_error()
        loop = self._loop
        loop._current_task = self
        try:
            if error is None:
                awaited = self._send(None)
            else:
                awaited = self._coro.throw(error)
        except StopIteration as stop:
            if self._must_cancel:  # it has cancelled itself in this very step
                self._must_cancel = False
                super().cancel(msg=self._cancel_message)
            else:
                self.set_result(stop.value)
        except CancelledError as error:
            self._cancelled_exc = error
            super().cancel()
        except (SystemExit, KeyboardInterrupt) as error:
            self.set_exception(error)
            raise
        except BaseException as error:
            self.set_exception(error)
        else:
            if awaited is None:
                loop._ready.append(self)  # fast: no handle
            elif wrong := self._wrong_with(awaited):
                loop.call_soon(self._run, RuntimeError(wrong))
            else:
                self._wait_for(awaited)
        finally:
            loop._current_task = None

    def _wrong_with(self, awaited):
        """Return why this cannot wait for what its coroutine yielded, if so."""
        if isinstance(awaited, Future) and awaited._asyncio_future_blocking:
            return f"Task cannot await on itself: {self}" if awaited is self else ""
        if inspect.isgenerator(awaited):
            return f"yield was used instead of yield from for generator in task {self}"
        if not isinstance(awaited, Future):
            return f"Task got bad yield: {awaited!r}"
        return f"yield was used instead of yield from in task {self} with {awaited}"

    def _wait_for(self, future):
        future._asyncio_future_blocking = False
        if future._state == "PENDING":
            future._waiting.append(self)  # fast: no handle, no bound method
        else:
            self._loop._ready.append(self)
        self._fut_waiter = future
        if self._must_cancel and future.cancel(msg=self._cancel_message):
            self._must_cancel = False


class EventLoop:
    """Runs callbacks in turn, one batch a tick, some not before their time."""

    def __init__(self, selector=None):
        self._ready = deque()
        self._scheduled = []  # a heap of timers
        self._timer_cancelled_count = 0  # of those in the heap
        self._clock_resolution = time.get_clock_info("monotonic").resolution
        self._selector = selector or selectors.DefaultSelector()
        self._stopping = False
        self._current_task = None  # the one whose step is running

    def time(self):
        """Return the time in seconds, from some moment in the past."""
        return time.monotonic()

    def call_soon(self, callback, *args):
        """Run ``callback(*args)`` in the next tick."""
        handle = Handle(callback, args, self)
        self._ready.append(handle)
        return handle

    def call_later(self, delay, callback, *args):
        """Run ``callback(*args)`` in *delay* seconds."""
        return self.call_at(self.time() + delay, callback, *args)

    def call_at(self, when, callback, *args):
        """Run ``callback(*args)`` when ``time()`` has come to *when*."""
        handle = TimerHandle(when, callback, args, self)
        handle._scheduled = True
        heapq.heappush(self._scheduled, handle)
        return handle

    def create_future(self):
        return Future(loop=self)

    def create_task(self, coro):
        """Let a coroutine run by itself, from the next tick on."""
        return Task(coro, loop=self)

    def call_exception_handler(self, context):
        """Tell of a callback that has failed: the others have to go on."""
        print(context["message"], repr(context["exception"]), sep="\n")

    def _run_once(self):
        """Run one tick: wait if there is nothing to do, then do what there is."""
        self._drop_cancelled_timers()
        timeout = None  # without end
        if self._ready or self._stopping:
            timeout = 0
        elif self._scheduled:
            timeout = self._scheduled[0]._when - self.time()
            timeout = min(max(0, timeout), MAXIMUM_SELECT_TIMEOUT)
        self._selector.select(timeout)

        now = self.time()  # as exact as the clock is, or the number that tells it
        end_time = now + max(self._clock_resolution, math.ulp(now))
        while self._scheduled and self._scheduled[0]._when < end_time:
            self._ready.append(self._pop_timer())

        ready = self._ready  # fast: looked up once
        for _ in range(len(ready)):
            ready.popleft()._run()  # of a Handle or of a Task

    def _pop_timer(self):
        handle = heapq.heappop(self._scheduled)
        handle._scheduled = False
        return handle

    def _drop_cancelled_timers(self):
        """Let no cancelled timer decide how long to wait. If most are, drop all."""
        count = len(self._scheduled)
        if (
            count > _MIN_SCHEDULED_TIMER_HANDLES
            and self._timer_cancelled_count / count
            > _MIN_CANCELLED_TIMER_HANDLES_FRACTION
        ):
            for handle in self._scheduled:
                handle._scheduled = not handle._cancelled
            self._scheduled = [
                handle for handle in self._scheduled if handle._scheduled
            ]
            heapq.heapify(self._scheduled)
            self._timer_cancelled_count = 0
        while self._scheduled and self._scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            self._pop_timer()

    def run_forever(self):
        """Run one tick after the other until ``stop()`` is called."""
        global _running_loop
        _running_loop = self
        try:
            while True:
                self._run_once()
                if self._stopping:
                    break
        finally:
            self._stopping = False
            _running_loop = None

    def stop(self):
        """Let ``run_forever()`` return at the end of this tick."""
        self._stopping = True

    def run_until_complete(self, main):
        """Run the loop until a coroutine or a future is done; return its result."""
        future = ensure_future(main, loop=self)
        future.add_done_callback(_stop)
        try:
            self.run_forever()
        finally:
            future.remove_done_callback(_stop)
        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()


def _stop(future):
    outside = (SystemExit, KeyboardInterrupt)  # these have ended run_forever() already
    if future.cancelled() or not isinstance(future.exception(), outside):
        future._loop.stop()


_running_loop = None


def get_running_loop():
    """Return the loop that is running. Raises RuntimeError if there is none."""
    if _running_loop is None:
        raise RuntimeError("no running event loop")
    return _running_loop


def current_task():
    return get_running_loop()._current_task


def create_task(coro):
    return get_running_loop().create_task(coro)


def ensure_future(coro_or_future, *, loop=None):
    """Return a future as it is, and a task for a coroutine."""
    if isinstance(coro_or_future, Future):
        return coro_or_future
    if not hasattr(coro_or_future, "send"):  # neither coroutine nor generator
        coro_or_future = _wrap_awaitable(coro_or_future)
    return (loop or get_running_loop()).create_task(coro_or_future)


async def _wrap_awaitable(awaitable):
    return await awaitable


class _GatheringFuture(Future):
    """What ``gather()`` returns: to cancel it is to cancel its children."""

    def __init__(self, children, *, loop):
        super().__init__(loop=loop)
        self._children = children
        self._cancel_requested = False

    def cancel(self, msg=None):
        if self.done():
            return False
        cancelled = [child.cancel(msg=msg) for child in self._children]
        if any(cancelled):
            self._cancel_requested = True
        return any(cancelled)


def gather(*coros_or_futures, return_exceptions=False):
    """Return a future of the list of all results; the first failure ends it."""
    if not coros_or_futures:
        nothing = Future()
        nothing.set_result([])
        return nothing
    futures = dict.fromkeys(coros_or_futures)  # the same one twice is one child
    left = len(futures)

    def on_child_done(child):
        nonlocal left
        left -= 1
        if outer.done():
            return
        failure = None if return_exceptions else _failure(child)
        if failure is not None:
            outer.set_exception(failure)
        elif left == 0 and outer._cancel_requested:
            outer.set_exception(children[-1]._make_cancelled_error())
        elif left == 0:
            outer.set_result([_outcome(child) for child in children])

    loop = _running_loop  # or that of the first future
    done_already = []
    for one in futures:
        futures[one] = future = ensure_future(one, loop=loop)
        loop = future._loop
        if future.done():
            done_already.append(future)
        else:
            future.add_done_callback(on_child_done)
    children = [futures[one] for one in coros_or_futures]
    outer = _GatheringFuture(children, loop=loop)
    for future in done_already:  # now that there is an `outer` to tell
        on_child_done(future)
    return outer


def _failure(child):
    return child._make_cancelled_error() if child.cancelled() else child.exception()


def _outcome(child):
    """Return the result of a child, or its error in place of a result."""
    if child.cancelled():
        return CancelledError(child._cancel_message or "")
    return child.exception() or child.result()


@types.coroutine
def _give_way():
    yield


async def sleep(delay, result=None):
    """Sleep for *delay* seconds: wait for a future that a timer ends."""
    if delay <= 0:
        await _give_way()
        return result
    loop = get_running_loop()
    future = loop.create_future()
    timer = loop.call_later(delay, _set_result_unless_cancelled, future, result)
    try:
        return await future
    finally:
        timer.cancel()


def _set_result_unless_cancelled(future, result):
    if not future.cancelled():
        future.set_result(result)


if __name__ == "__main__":

    async def give_way(times):
        for _ in range(times):
            await sleep(0)

    async def main():
        steps = 100_000
        began = time.perf_counter()
        await gather(*[give_way(steps // 10) for _ in range(10)])
        taken = time.perf_counter() - began
        print(f"{steps:,} steps of 10 tasks:")
        print(f"{taken / steps * 1e6:.2f} microseconds a step")

    EventLoop().run_until_complete(main())
