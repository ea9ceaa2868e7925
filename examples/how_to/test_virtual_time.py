"""A loop on which no test waits: where it would sleep, its clock jumps."""

import asyncio
import selectors


class JumpingSelector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout=None):
        ready = super().select(0 if timeout else timeout)
        if timeout and not ready:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.clock = JumpingSelector()
        super().__init__(self.clock)

    def time(self):
        return self.clock.now


def run(coroutine):
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


async def with_retries(call, pause=60):
    while True:
        try:
            return await call()
        except ConnectionError:
            await asyncio.sleep(pause)
            pause *= 2


def test_the_pause_doubles():
    async def main():
        loop, calls = asyncio.get_running_loop(), []

        async def call():
            calls.append(loop.time())
            if len(calls) < 4:
                raise ConnectionError
            return "answer"

        assert await with_retries(call) == "answer"
        assert calls == [0, 60, 180, 420]

    run(main())
