"""The work in curio's words. curio has no callbacks, and its timers belong to tasks that sleep."""

import gc
from collections.abc import Callable
from typing import Any

import curio

from .asyncio_programs import Clock, add_one, increment, take_turns


async def switching(size: int, clock: Clock) -> tuple[float, int]:
    tasks = [await curio.spawn(take_turns, curio.sleep, size // 100) for _ in range(100)]
    start = clock()
    turns = [await task.join() for task in tasks]
    return clock() - start, sum(turns)


async def futures(size: int, clock: Clock) -> tuple[float, int]:
    """An Event is the future here, with the value kept beside it."""

    async def player(table: list[Any], values: list[int], mine: int, rounds: int) -> int:
        total = 0
        for number in range(rounds):
            await table[mine].wait()
            total += values[mine]
            table[mine] = curio.Event()
            values[1 - mine] = number
            await table[1 - mine].set()
        return total

    rounds = size // 200
    start = clock()
    players = []
    for _ in range(100):
        table = [curio.Event(), curio.Event()]
        await table[0].set()
        values = [0, 0]
        players.append(await curio.spawn(player, table, values, 0, rounds))
        players.append(await curio.spawn(player, table, values, 1, rounds))
    totals = [await task.join() for task in players]
    return clock() - start, sum(totals)


async def spawning(size: int, clock: Clock) -> tuple[float, int]:
    total = 0
    start = clock()
    for _ in range(size // 100):
        tasks = [await curio.spawn(add_one, number) for number in range(100)]
        for task in tasks:
            total += await task.join()
    return clock() - start, total


async def gather(size: int, clock: Clock) -> tuple[float, int]:
    """A TaskGroup collects the results."""
    start = clock()
    async with curio.TaskGroup() as group:
        for number in range(size):
            await group.spawn(add_one, number)
    return clock() - start, sum(group.results)


async def queue(size: int, clock: Clock) -> tuple[float, int]:
    there, back = curio.Queue(), curio.Queue()

    async def answer() -> None:
        for _ in range(size):
            await back.put(await there.get() + 1)

    number = 0
    start = clock()
    answering = await curio.spawn(answer)
    for _ in range(size):
        await there.put(number)
        number = await back.get()
    await answering.join()
    return clock() - start, number


async def lock(size: int, clock: Clock) -> tuple[float, int]:
    mutex = curio.Lock()
    count = 0

    async def worker(turns: int) -> None:
        nonlocal count
        for _ in range(turns):
            async with mutex:
                before = count
                await curio.sleep(0)
                count = before + 1

    start = clock()
    tasks = [await curio.spawn(worker, size // 100) for _ in range(100)]
    for task in tasks:
        await task.join()
    return clock() - start, count


async def executor(size: int, clock: Clock) -> tuple[float, int]:
    number = await curio.run_in_thread(increment, -1)
    start = clock()
    for _ in range(size):
        number = await curio.run_in_thread(increment, number)
    return clock() - start, number


async def memory(size: int, resident: Clock) -> tuple[float, int]:
    parked = 0

    async def park(event: Any) -> None:
        nonlocal parked
        parked += 1
        await event.wait()

    tasks: list[Any] = [None] * size
    gc.collect()
    before = resident()
    for number in range(size):
        tasks[number] = await curio.spawn(park, curio.Event())
    await curio.sleep(0)
    taken = resident() - before
    for task in tasks:
        await task.cancel()
    return taken / size, parked


def run(program: Callable[..., Any], size: int, clock: Clock) -> tuple[float, int]:
    """Run one of the programs above."""
    result: tuple[float, int] = curio.run(program, size, clock)
    return result
