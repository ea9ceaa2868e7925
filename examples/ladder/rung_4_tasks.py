"""Rung 4: futures and tasks, or what ``await`` is."""

import heapq
import itertools
import selectors
import time
import types
from collections import deque


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


class Future:
    """A result that is not there yet."""

    _asyncio_future_blocking = False  # is a task being told to wait for this?

    def __init__(self, *, loop=None):
        self._loop = loop or get_running_loop()
        self._state = "PENDING"  # and later "FINISHED"
        self._result = None
        self._exception = None
        self._callbacks = []

    def __await__(self):
        if not self.done():
            self._asyncio_future_blocking = True
            yield self  # to the task, which comes back when this is done
        return self.result()

    def done(self):
        return self._state != "PENDING"

    def result(self):
        """Return the result, or raise the exception."""
        if not self.done():
            raise InvalidStateError
        if self._exception is not None:
            raise self._exception
        return self._result

    def exception(self):
        """Return the exception, or None if there is a result."""
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
        self._loop.call_soon(self._step)

    def _step(self, error=None):
        """Resume the coroutine, which runs until it has to wait, or ends."""
        try:
            if error is None:
                awaited = self._coro.send(None)
            else:
                awaited = self._coro.throw(error)
        except StopIteration as stop:
            self.set_result(stop.value)
        except (SystemExit, KeyboardInterrupt) as error:
            self.set_exception(error)
            raise
        except BaseException as error:
            self.set_exception(error)
        else:
            if awaited is None:
                self._loop.call_soon(self._step)
            else:
                awaited._asyncio_future_blocking = False
                awaited.add_done_callback(self._wakeup)

    def _wakeup(self, future):
        """Take the next step: the future that this has waited for is done."""
        self._step(future.exception())


class EventLoop:
    """Runs callbacks in turn, one batch a tick, some not before their time."""

    def __init__(self, selector=None):
        self._ready = deque()
        self._scheduled = []  # a heap of (when, number, handle)
        self._numbers = itertools.count()
        self._selector = selector or selectors.DefaultSelector()
        self._stopping = False

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
        handle = Handle(callback, args, self)
        heapq.heappush(self._scheduled, (when, next(self._numbers), handle))
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
        timeout = None  # without end
        if self._ready or self._stopping:
            timeout = 0
        elif self._scheduled:
            timeout = max(0, self._scheduled[0][0] - self.time())
        self._selector.select(timeout)

        while self._scheduled and self._scheduled[0][0] <= self.time():
            _, _, handle = heapq.heappop(self._scheduled)
            self._ready.append(handle)

        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if not handle._cancelled:
                handle._run()

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
        future = main if isinstance(main, Future) else self.create_task(main)
        future.add_done_callback(_stop)
        try:
            self.run_forever()
        finally:
            future.remove_done_callback(_stop)
        if not future.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return future.result()


def _stop(future):
    if not isinstance(future.exception(), (SystemExit, KeyboardInterrupt)):
        future._loop.stop()  # those two have ended run_forever() already


_running_loop = None


def get_running_loop():
    """Return the loop that is running. Raises RuntimeError if there is none."""
    if _running_loop is None:
        raise RuntimeError("no running event loop")
    return _running_loop


def create_task(coro):
    return get_running_loop().create_task(coro)


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
    loop.call_later(delay, future.set_result, result)
    return await future


if __name__ == "__main__":

    async def cook(dish, seconds):
        print("put on", dish)
        await sleep(seconds)
        print("take off", dish)
        return f"hot {dish}"

    async def main():
        soup = create_task(cook("soup", 0.3))
        rice = create_task(cook("rice", 0.2))
        print("served:", await soup, "and", await rice)
        try:
            await create_task(sleep("a nap"))
        except TypeError as error:
            print("what fails in a task comes out where it is awaited:", error)

    EventLoop().run_until_complete(main())
