"""Rung 3: timers."""

import heapq
import itertools
import selectors
import time
import types
from collections import deque


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


class EventLoop:
    """Runs callbacks in turn, one batch a tick, some not before their time."""

    def __init__(self, selector=None):
        self._ready = deque()
        self._scheduled = []  # a heap of (when, number, handle)
        self._numbers = itertools.count()
        self._selector = selector or selectors.DefaultSelector()
        self._stopping = False
        self._main = None  # the generator that run_until_complete() waits for
        self._returned = []  # what it has returned

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
        try:
            while True:
                self._run_once()
                if self._stopping:
                    break
        finally:
            self._stopping = False

    def stop(self):
        """Let ``run_forever()`` return at the end of this tick."""
        self._stopping = True

    def create_task(self, generator):
        """Resume a generator in the next tick, and again when its sleep is over."""
        self.call_soon(self._step, generator)
        return generator

    def _step(self, generator):
        try:
            delay = generator.send(None)
        except StopIteration as stop:
            if generator is self._main:
                self._returned.append(stop.value)
                self.call_soon(self.stop)
        else:
            if delay is not None and delay > 0:
                self.call_later(delay, self._step, generator)
            else:
                self.call_soon(self._step, generator)

    def run_until_complete(self, main):
        """Run the loop until *main* ends; return what it returns."""
        self._returned.clear()
        self._main = self.create_task(main)
        try:
            self.run_forever()
        finally:
            self._main = None
        if not self._returned:
            raise RuntimeError("Event loop stopped before main has ended.")
        return self._returned[0]


@types.coroutine
def sleep(delay, result=None):
    """Sleep for *delay* seconds: the loop is told how many."""
    yield delay
    return result


if __name__ == "__main__":

    async def tick():
        for _ in range(3):
            print(f"{loop.time() - start:.1f} s: tick")
            await sleep(0.2)

    async def main():
        loop.create_task(tick())
        loop.call_later(0.3, print, "0.3 s: a callback")
        loop.call_later(0.1, print, "this never runs").cancel()
        await sleep(0.5)
        print(f"{loop.time() - start:.1f} s: the end")

    loop = EventLoop()
    start = loop.time()
    loop.run_until_complete(main())
