"""The work in trio's words. trio has no callbacks, and its timers belong to tasks that sleep."""

import gc
from collections.abc import Callable
from typing import Any

import trio

from .asyncio_programs import Clock, increment, take_turns


async def switching(size: int, clock: Clock) -> tuple[float, int]:
    total = 0

    async def task() -> None:
        nonlocal total
        turns = await take_turns(trio.sleep, size // 100)
        total += turns

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(task)
        start = clock()
    return clock() - start, total


async def futures(size: int, clock: Clock) -> tuple[float, int]:
    """An Event is the future here, with the value kept beside it."""
    grand_total = 0

    async def player(table: list[Any], values: list[int], mine: int, rounds: int) -> None:
        nonlocal grand_total
        for number in range(rounds):
            await table[mine].wait()
            grand_total += values[mine]
            table[mine] = trio.Event()
            values[1 - mine] = number
            table[1 - mine].set()

    rounds = size // 200
    start = clock()
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            table = [trio.Event(), trio.Event()]
            table[0].set()
            values = [0, 0]
            nursery.start_soon(player, table, values, 0, rounds)
            nursery.start_soon(player, table, values, 1, rounds)
    return clock() - start, grand_total


async def spawning(size: int, clock: Clock) -> tuple[float, int]:
    """A nursery joins its tasks; results are handed over by hand."""
    total = 0

    async def add(number: int) -> None:
        nonlocal total
        total += number + 1

    start = clock()
    for _ in range(size // 100):
        async with trio.open_nursery() as nursery:
            for number in range(100):
                nursery.start_soon(add, number)
    return clock() - start, total


async def gather(size: int, clock: Clock) -> tuple[float, int]:
    async def put(results: list[int], number: int) -> None:
        results[number] = number + 1

    start = clock()
    results = [0] * size
    async with trio.open_nursery() as nursery:
        for number in range(size):
            nursery.start_soon(put, results, number)
    return clock() - start, sum(results)


async def queue(size: int, clock: Clock) -> tuple[float, int]:
    put_there, there = trio.open_memory_channel[int](1)
    put_back, back = trio.open_memory_channel[int](1)

    async def answer() -> None:
        for _ in range(size):
            await put_back.send(await there.receive() + 1)

    number = 0
    start = clock()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        for _ in range(size):
            await put_there.send(number)
            number = await back.receive()
    return clock() - start, number


async def lock(size: int, clock: Clock) -> tuple[float, int]:
    mutex = trio.Lock()
    count = 0

    async def worker(turns: int) -> None:
        nonlocal count
        for _ in range(turns):
            async with mutex:
                before = count
                await trio.sleep(0)
                count = before + 1

    start = clock()
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(worker, size // 100)
    return clock() - start, count


async def executor(size: int, clock: Clock) -> tuple[float, int]:
    number = await trio.to_thread.run_sync(increment, -1)
    start = clock()
    for _ in range(size):
        number = await trio.to_thread.run_sync(increment, number)
    return clock() - start, number


async def memory(size: int, resident: Clock) -> tuple[float, int]:
    async def park(event: trio.Event) -> None:
        await event.wait()

    gc.collect()
    async with trio.open_nursery() as nursery:
        before = resident()
        for _ in range(size):
            nursery.start_soon(park, trio.Event())
        await trio.sleep(0)
        taken = resident() - before
        parked = len(nursery.child_tasks)
        nursery.cancel_scope.cancel()
    return taken / size, parked


def run(program: Callable[..., Any], size: int, clock: Clock) -> tuple[float, int]:
    """Run one of the programs above."""
    result: tuple[float, int] = trio.run(program, size, clock)
    return result
