"""Event loops as people write them, and what is no event loop, to be named in tests."""

import asyncio
import collections
import heapq
import selectors
import time

import miniloop


class TakesSelector(asyncio.SelectorEventLoop):
    pass


class TakesKeyword(asyncio.SelectorEventLoop):
    def __init__(self, *, name="mine", selector=None):
        super().__init__(selector)


class TakesAnything(asyncio.SelectorEventLoop):
    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)


class NeedsSelector(asyncio.SelectorEventLoop):
    def __init__(self, selector):
        super().__init__(selector)


class OnTheCore(miniloop.EventLoop):
    pass


class MakesTasks(asyncio.SelectorEventLoop):
    """Asks no task factory."""

    def create_task(self, coro, **keywords):
        return asyncio.Task(coro, loop=self, **keywords)


class TakesNone(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__()


class LeavesItOut(asyncio.SelectorEventLoop):
    def __init__(self, selector=None):
        super().__init__()


class OwnQueue:
    """asyncio's tasks, and nothing else of asyncio's."""

    def __init__(self, selector=None):
        self._selector = selector or selectors.DefaultSelector()
        self._queue = collections.deque()
        self._timers = []
        self._stops = False
        self._serial = 0

    def get_debug(self):
        return False

    def set_debug(self, enabled):
        pass

    def time(self):
        return time.monotonic()

    def call_soon(self, callback, *args, context=None):
        handle = asyncio.Handle(callback, args, self, context)
        self._queue.append(handle)
        return handle

    def call_later(self, delay, callback, *args, context=None):
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(self, when, callback, *args, context=None):
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._serial += 1
        heapq.heappush(self._timers, (when, self._serial, handle))
        return handle

    def _timer_handle_cancelled(self, handle):
        pass

    def create_future(self):
        return asyncio.Future(loop=self)

    def create_task(self, coro, **keywords):
        return asyncio.Task(coro, loop=self, **keywords)

    def run_forever(self):
        asyncio._set_running_loop(self)
        try:
            while not self._stops:
                wait = None
                if self._queue:
                    wait = 0
                elif self._timers:
                    wait = max(0, self._timers[0][0] - self.time())
                self._selector.select(wait)
                now = self.time()
                while self._timers and self._timers[0][0] <= now:
                    self._queue.append(heapq.heappop(self._timers)[2])
                for _ in range(len(self._queue)):
                    handle = self._queue.popleft()
                    if not handle.cancelled():
                        handle._run()
        finally:
            self._stops = False
            asyncio._set_running_loop(None)

    def stop(self):
        self._stops = True

    def run_until_complete(self, future):
        future = asyncio.ensure_future(future, loop=self)
        future.add_done_callback(lambda _: self.stop())
        self.run_forever()
        return future.result()

    def call_exception_handler(self, context):
        raise RuntimeError(context["message"])

    def is_running(self):
        return asyncio._get_running_loop() is self

    def is_closed(self):
        return False

    async def shutdown_asyncgens(self):
        pass

    async def shutdown_default_executor(self, timeout=None):
        pass

    def close(self):
        self._selector.close()


class OwnQueueAndWait(OwnQueue):
    """Takes no selector."""

    def __init__(self):
        super().__init__()


class OwnClock(OwnQueue):
    """Counts its timeouts from a clock that is not its `time()`."""

    def call_later(self, delay, callback, *args, context=None):
        return self.call_at(time.monotonic() + delay, callback, *args, context=context)

    def run_forever(self):
        self.time = time.monotonic
        super().run_forever()


class Backwards(asyncio.SelectorEventLoop):
    """Runs what is ready from the back."""

    def _run_once(self):
        self._ready.reverse()
        super()._run_once()


def makes_with(selector=None):
    loop = TakesSelector(selector)
    loop.slow_callback_duration = 7
    return loop


def makes_without():
    return TakesSelector()


class Inner:
    Loop = TakesSelector


def fails():
    raise OSError("no luck")


def three():
    return 3


class NoLoop:
    pass


made = object()
