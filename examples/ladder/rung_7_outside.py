"""Rung 7: the world outside: descriptors, threads, ``run_in_executor()``."""

import heapq
import inspect
import math
import socket
import threading
import time
import types
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

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

    _asyncio_future_blocking = False  # is a task being told to wait for this?

    def __init__(self, *, loop=None):
        self._loop = loop or get_running_loop()
        self._state = "PENDING"  # and later "FINISHED" or "CANCELLED"
        self._result = None
        self._exception = None
        self._callbacks = []
        self._cancel_message = None
        self._cancelled_exc = None  # what has ended a task, for the first that asks

    def __await__(self):
        if not self.done():
            if self._asyncio_future_blocking:
                raise RuntimeError("await wasn't used with future")
            self._asyncio_future_blocking = True
            yield self  # to the task, which comes back when this is done
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
            self._callbacks.append(callback)

    def remove_done_callback(self, callback):
        """Take a callback off the list; return how often it was there."""
        left = [one for one in self._callbacks if one != callback]
        removed = len(self._callbacks) - len(left)
        self._callbacks = left
        return removed

    def set_result(self, result):
        self._end("FINISHED", result, None)

    def set_exception(self, exception):
        self._end("FINISHED", None, exception)

    def _end(self, state, result, exception):
        if self.done():
            raise InvalidStateError
        self._state, self._result, self._exception = state, result, exception
        for callback in self._callbacks:
            self._loop.call_soon(callback, self)
        self._callbacks = []


class Task(Future):
    """A coroutine that runs by itself, and the future of what it will return."""

    def __init__(self, coro, *, loop=None):
        super().__init__(loop=loop)
        self._coro = coro
        self._fut_waiter = None  # the future that this waits for
        self._must_cancel = False  # whether the next step has to throw CancelledError
        self._loop.call_soon(self._step)

    def cancel(self, msg=None):
        """Ask the coroutine to stop: throw CancelledError into it where it waits."""
        if self.done():
            return False
        if self._fut_waiter is not None and self._fut_waiter.cancel(msg=msg):
            return True  # it wakes this task, as any end of the future does
        self._must_cancel = True
        self._cancel_message = msg
        return True

    def _step(self, error=None):
        """Resume the coroutine, which runs until it has to wait, or ends."""
        if self._must_cancel:
            self._must_cancel = False
            if not isinstance(error, CancelledError):
                error = self._make_cancelled_error()
        self._fut_waiter = None
        self._loop._current_task = self
        try:
            if error is None:
                awaited = self._coro.send(None)
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
                self._loop.call_soon(self._step)
            elif wrong := self._wrong_with(awaited):
                self._loop.call_soon(self._step, RuntimeError(wrong))
            else:
                self._wait_for(awaited)
        finally:
            self._loop._current_task = None

    def _wrong_with(self, awaited):
        """Return why this cannot wait for what its coroutine yielded, if so."""
        if inspect.isgenerator(awaited):
            return f"yield was used instead of yield from for generator in task {self}"
        if not isinstance(awaited, Future):
            return f"Task got bad yield: {awaited!r}"
        if not awaited._asyncio_future_blocking:
            return f"yield was used instead of yield from in task {self} with {awaited}"
        return f"Task cannot await on itself: {self}" if awaited is self else ""

    def _wait_for(self, future):
        future._asyncio_future_blocking = False
        future.add_done_callback(self._wakeup)
        self._fut_waiter = future
        if self._must_cancel and future.cancel(msg=self._cancel_message):
            self._must_cancel = False

    def _wakeup(self, future):
        """Take the next step: the future that this has waited for is done."""
        try:
            future.result()
        except BaseException as error:
            self._step(error)
        else:
            self._step()


class EventLoop:
    """Runs callbacks in turn: at once, at their time, or when a descriptor is ready."""

    def __init__(self, selector=None):
        self._ready = deque()
        self._scheduled = []  # a heap of timers
        self._timer_cancelled_count = 0  # of those in the heap
        self._clock_resolution = time.get_clock_info("monotonic").resolution
        self._selector = selector or DefaultSelector()
        self._stopping = False
        self._current_task = None  # the one whose step is running
        self._default_executor = None
        self._make_self_pipe()

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
        self._process_events(self._selector.select(timeout))

        now = self.time()  # as exact as the clock is, or the number that tells it
        end_time = now + max(self._clock_resolution, math.ulp(now))
        while self._scheduled and self._scheduled[0]._when < end_time:
            self._ready.append(self._pop_timer())

        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _process_events(self, events):
        """Put in line what was waiting for the descriptors that are ready."""
        for key, mask in events:
            for event in (EVENT_READ, EVENT_WRITE):
                if mask & event and event in key.data:
                    self._ready.append(key.data[event])

    def _watch(self, fd, event, handle):
        """Let a handle, or None, wait for an event; return whether one did before."""
        key = self._selector.get_map().get(fd)
        handles = dict(key.data) if key else {}
        before = handles.pop(event, None)
        if before is not None:
            before.cancel()
        if handle is not None:
            handles[event] = handle
        if handles and key:
            self._selector.modify(fd, sum(handles), handles)
        elif handles:
            self._selector.register(fd, sum(handles), handles)
        elif key:
            self._selector.unregister(fd)
        return before is not None

    def add_reader(self, fd, callback, *args):
        """Run ``callback(*args)`` in each tick in which there is something to read."""
        self._watch(fd, EVENT_READ, Handle(callback, args, self))

    def remove_reader(self, fd):
        return self._watch(fd, EVENT_READ, None)

    def add_writer(self, fd, callback, *args):
        """Run ``callback(*args)`` in each tick in which there is room to write."""
        self._watch(fd, EVENT_WRITE, Handle(callback, args, self))

    def remove_writer(self, fd):
        return self._watch(fd, EVENT_WRITE, None)

    def call_soon_threadsafe(self, callback, *args):
        """Run ``callback(*args)`` in the next tick; other threads may call this."""
        handle = self.call_soon(callback, *args)
        self._write_to_self()
        return handle

    def _make_self_pipe(self):
        """Make two sockets: a byte written into one ends a wait for the other."""
        self._ssock, self._csock = socket.socketpair()
        self._ssock.setblocking(False)
        self._csock.setblocking(False)
        self.add_reader(self._ssock.fileno(), self._read_from_self)

    def _write_to_self(self):
        try:
            self._csock.send(b"\0")
        except BlockingIOError:
            pass  # it is full, so the loop will wake up anyway

    def _read_from_self(self):
        try:
            while self._ssock.recv(4096):
                pass
        except BlockingIOError:
            pass  # it is empty

    def _close_self_pipe(self):
        self.remove_reader(self._ssock.fileno())
        self._ssock.close()
        self._csock.close()

    def run_in_executor(self, executor, func, *args):
        """Call ``func(*args)`` in a thread; return a future for its result."""
        if executor is None:
            if self._default_executor is None:
                self._default_executor = ThreadPoolExecutor()
            executor = self._default_executor
        return wrap_future(executor.submit(func, *args), loop=self)

    def close(self):
        """Give back what the loop has from the system."""
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=False)
        self._close_self_pipe()
        self._selector.close()

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
        _running.loop = self
        try:
            while True:
                self._run_once()
                if self._stopping:
                    break
        finally:
            self._stopping = False
            _running.loop = None

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


class _Running(threading.local):
    loop = None  # of each thread its own


_running = _Running()


def get_running_loop():
    """Return the loop that this thread runs. Raises RuntimeError if there is none."""
    if _running.loop is None:
        raise RuntimeError("no running event loop")
    return _running.loop


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


def wrap_future(job, *, loop):
    """Return a future of the loop that ends as *job*, an executor's future, does."""
    future = loop.create_future()

    def on_job_done(job):  # in the thread that has done the job, or has cancelled it
        if _running.loop is loop:
            _copy_state(job, future)
        else:
            loop.call_soon_threadsafe(_copy_state, job, future)

    def on_future_done(future):
        if future.cancelled():
            job.cancel()

    future.add_done_callback(on_future_done)
    job.add_done_callback(on_job_done)
    return future


def _copy_state(job, future):
    if future.cancelled():
        return
    if job.cancelled():
        future.cancel()
    elif job.exception() is not None:
        future.set_exception(job.exception())
    else:
        future.set_result(job.result())


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

    loop = _running.loop  # or that of the first future
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

    async def read(sock):
        """Wait until there is something to read, and read it."""
        loop = get_running_loop()
        future = loop.create_future()
        loop.add_reader(sock, future.set_result, None)
        try:
            await future
        finally:
            loop.remove_reader(sock)
        return sock.recv(100)

    async def answer(sock):
        question = await read(sock)
        print("asked:", question.decode())
        sum_of_squares = await get_running_loop().run_in_executor(
            None, work, int(question)
        )
        sock.send(str(sum_of_squares).encode())

    def work(top):
        """Take so long that no loop should wait for it."""
        return sum(number * number for number in range(top))

    async def main():
        ours, theirs = socket.socketpair()
        with ours, theirs:
            create_task(answer(theirs))
            ours.send(b"1000000")
            answered = create_task(read(ours))
            ticks = 0
            while not answered.done():
                ticks += 1
                await sleep(0.001)
            print("the loop went on meanwhile:", ticks > 1)
            print("answered:", (await answered).decode())

    loop = EventLoop()
    loop.run_until_complete(main())
    loop.close()
