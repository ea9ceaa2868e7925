"""Rung 1: generators take turns."""

import types
from collections import deque


class EventLoop:
    """Runs generators in turn: each runs up to its next ``yield``."""

    def __init__(self):
        self._ready = deque()

    def create_task(self, generator):
        """Line a generator up."""
        self._ready.append(generator)
        return generator

    def run_until_complete(self, main):
        """Run all generators in turn until *main* ends; return what it returns."""
        main = self.create_task(main)
        while True:
            generator = self._ready.popleft()
            try:
                generator.send(None)
            except StopIteration as stop:
                if generator is main:
                    return stop.value
            else:
                self._ready.append(generator)


@types.coroutine
def sleep(delay, result=None):
    """Let the others take their turns, whatever *delay* says."""
    yield
    return result


if __name__ == "__main__":

    def count(name, top):
        for number in range(1, top + 1):
            print(name, number)
            yield

    async def main():
        loop.create_task(count("a", 2))
        loop.create_task(count("b", 3))
        for number in range(1, 5):
            print("main", number)
            await sleep(0)

    loop = EventLoop()
    loop.run_until_complete(main())
