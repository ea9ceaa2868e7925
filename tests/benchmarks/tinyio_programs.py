"""The work in tinyio's words: generators that yield what they wait for.

tinyio has no callbacks, no tasks that are held in the hand (a coroutine that is yielded twice is
one), and no queues.
"""

import gc
from collections.abc import Callable, Generator
from typing import Any

import tinyio

from .asyncio_programs import Clock, increment

Program = Generator[Any, Any, tuple[float, int]]


def take_turns(turns: int) -> Generator[Any, Any, int]:
    """The shortest way to let others run here: no call at all."""
    for _ in range(turns):
        yield
    return turns


def switching(size: int, clock: Clock) -> Program:
    start = clock()
    turns = yield [take_turns(size // 100) for _ in range(100)]
    return clock() - start, sum(turns)


def futures(size: int, clock: Clock) -> Program:
    """An Event is the future here, with the value kept beside it."""

    def player(
        table: list[Any], values: list[int], mine: int, rounds: int
    ) -> Generator[Any, Any, int]:
        total = 0
        for number in range(rounds):
            yield from table[mine].wait()
            total += values[mine]
            table[mine] = tinyio.Event()
            values[1 - mine] = number
            table[1 - mine].set()
        return total

    rounds = size // 200
    start = clock()
    players = []
    for _ in range(100):
        table = [tinyio.Event(), tinyio.Event()]
        table[0].set()
        values = [0, 0]
        players += [player(table, values, 0, rounds), player(table, values, 1, rounds)]
    totals = yield players
    return clock() - start, sum(totals)


def add_one(number: int) -> Generator[Any, Any, int]:
    if number < 0:
        yield  # makes this a generator
    return number + 1


def spawning(size: int, clock: Clock) -> Program:
    total = 0
    start = clock()
    for _ in range(size // 100):
        total += sum((yield [add_one(number) for number in range(100)]))
    return clock() - start, total


def gather(size: int, clock: Clock) -> Program:
    start = clock()
    numbers = yield [add_one(number) for number in range(size)]
    return clock() - start, sum(numbers)


def lock(size: int, clock: Clock) -> Program:
    mutex = tinyio.Lock()
    count = 0

    def worker(turns: int) -> Generator[Any, Any, None]:
        nonlocal count
        for _ in range(turns):
            with (yield mutex()):
                before = count
                yield
                count = before + 1

    start = clock()
    yield [worker(size // 100) for _ in range(100)]
    return clock() - start, count


def executor(size: int, clock: Clock) -> Program:
    """A thread is started for each job: there is no pool of them."""
    number = yield tinyio.run_in_thread(increment, -1)
    start = clock()
    for _ in range(size):
        number = yield tinyio.run_in_thread(increment, number)
    return clock() - start, number


def memory(size: int, resident: Clock) -> Program:
    parked = 0

    def park(event: Any) -> Generator[Any, Any, None]:
        nonlocal parked
        parked += 1
        yield from event.wait()

    events: list[Any] = [None] * size

    def measure() -> Generator[Any, Any, float]:
        while parked < size:
            yield
        taken = resident() - before
        for event in events:
            event.set()
        return taken

    gc.collect()
    before = resident()
    coroutines = []
    for number in range(size):
        events[number] = tinyio.Event()
        coroutines.append(park(events[number]))
    taken = (yield [*coroutines, measure()])[-1]
    return taken / size, parked


def run(program: Callable[..., Program], size: int, clock: Clock) -> tuple[float, int]:
    """Run one of the programs above."""
    return tinyio.Loop().run(program(size, clock))
