"""Rung 2: callbacks, a ready queue, ticks."""

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
    """Runs callbacks in turn, one batch a tick."""

    def __init__(self):
        self._ready = deque()
        self._stopping = False
        self._main = None  # the generator that run_until_complete() waits for
        self._returned = []  # what it has returned

    def call_soon(self, callback, *args):
        """Run ``callback(*args)`` in the next tick."""
        handle = Handle(callback, args, self)
        self._ready.append(handle)
        return handle

    def call_exception_handler(self, context):
        """Tell of a callback that has failed: the others have to go on."""
        print(context["message"], repr(context["exception"]), sep="\n")

    def _run_once(self):
        """Run one tick: what is in the queue now, and not what that puts in."""
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
        """Resume a generator in the next tick, and then in each one until it ends."""
        self.call_soon(self._step, generator)
        return generator

    def _step(self, generator):
        try:
            generator.send(None)
        except StopIteration as stop:
            if generator is self._main:
                self._returned.append(stop.value)
                self.call_soon(self.stop)
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
    """Let the others take their turns, whatever *delay* says."""
    yield
    return result


if __name__ == "__main__":

    def again(number):
        print("callback", number)
        if number < 3:
            loop.call_soon(again, number + 1)

    async def main():
        for number in range(1, 4):
            print("main", number)
            await sleep(0)

    loop = EventLoop()
    loop.call_soon(again, 1)
    loop.call_soon(print, "this never runs").cancel()
    loop.call_soon(int, "no number")
    loop.run_until_complete(main())
