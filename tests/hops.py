"""What every construct costs, in ticks, from what ends to the next step of the task that waits.

    python -m tests.hops

prints a table. It is measured on the running Python, on asyncio and on miniloop, and the command
fails if the two differ.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import miniloop
from tests.virtual_clock import schedule

Log = Callable[[object], None]
ENDS, GOES_ON = "it ends", "the waiter goes on"


@dataclass(frozen=True)
class Way:
    """One way to wait."""

    name: str
    code: str
    """How a program writes it, in reStructuredText."""
    ends: str
    """From where the ticks are counted."""
    run: Callable[[ModuleType, Log], Awaitable[None]]
    """Logs ENDS where the counting begins. When it returns, the waiter has gone on."""
    since: tuple[int, int] = (3, 11)
    """The first Python whose asyncio takes as many ticks as that of 3.15."""


WAYS: dict[str, Way] = {}


def way(code: str, ends: str, since: tuple[int, int] = (3, 11)) -> Callable[[Any], Any]:
    """Add a way to wait to the table."""

    def add(run: Any) -> Any:
        WAYS[run.__name__] = Way(run.__name__, code, ends, run, since)
        return run

    return add


CHILD = "the end of the child"


async def child(aio: ModuleType, log: Log) -> None:
    """Take a while, and end."""
    await aio.sleep(1)
    log(ENDS)


def later(aio: ModuleType, log: Log, call: Callable[[], object]) -> Any:
    """Call a function from another task, after a while."""

    async def other() -> None:
        await aio.sleep(1)
        log(ENDS)
        call()

    return aio.create_task(other())


@way("``await coroutine``", CHILD)
async def await_coroutine(aio: ModuleType, log: Log) -> None:
    await child(aio, log)


@way("``async with timeout(9): await coroutine``", CHILD)
async def timeout(aio: ModuleType, log: Log) -> None:
    async with aio.timeout(9):
        await child(aio, log)


@way("``await wait_for(coroutine, 9)``", CHILD, since=(3, 12))
async def wait_for(aio: ModuleType, log: Log) -> None:
    await aio.wait_for(child(aio, log), 9)


@way("``await task``", CHILD)
async def await_task(aio: ModuleType, log: Log) -> None:
    await aio.create_task(child(aio, log))


@way("``await wait_for(task, 9)``", CHILD, since=(3, 12))
async def wait_for_task(aio: ModuleType, log: Log) -> None:
    await aio.wait_for(aio.create_task(child(aio, log)), 9)


@way("``await future``", "``future.set_result()``")
async def await_future(aio: ModuleType, log: Log) -> None:
    future = aio.get_running_loop().create_future()
    task = later(aio, log, lambda: future.set_result(None))
    await future
    del task


@way("``await gather(coroutine)``", CHILD)
async def gather(aio: ModuleType, log: Log) -> None:
    await aio.gather(child(aio, log))


@way("``await wait([task])``", CHILD)
async def wait(aio: ModuleType, log: Log) -> None:
    await aio.wait([aio.create_task(child(aio, log))])


@way("``for next_one in as_completed([coroutine]): await next_one``", CHILD)
async def as_completed(aio: ModuleType, log: Log) -> None:
    for next_one in aio.as_completed([child(aio, log)]):
        await next_one


@way("``async for task in as_completed([task])``", CHILD, since=(3, 13))
async def async_as_completed(aio: ModuleType, log: Log) -> None:
    async for _ in aio.as_completed([aio.create_task(child(aio, log))]):
        return


@way("``await shield(task)``", CHILD)
async def shield(aio: ModuleType, log: Log) -> None:
    await aio.shield(aio.create_task(child(aio, log)))


@way("``async with TaskGroup()``", CHILD)
async def task_group(aio: ModuleType, log: Log) -> None:
    async with aio.TaskGroup() as group:
        group.create_task(child(aio, log))


@way("``await gather(gather(coroutine))``", CHILD)
async def gather_in_gather(aio: ModuleType, log: Log) -> None:
    await aio.gather(aio.gather(child(aio, log)))


@way("``await event.wait()``", "``event.set()``")
async def event(aio: ModuleType, log: Log) -> None:
    event = aio.Event()
    task = later(aio, log, event.set)
    await event.wait()
    del task


@way("``await lock.acquire()``", "``lock.release()``")
async def lock(aio: ModuleType, log: Log) -> None:
    lock = aio.Lock()
    await lock.acquire()
    task = later(aio, log, lock.release)
    await lock.acquire()
    del task


@way("``await semaphore.acquire()``", "``semaphore.release()``")
async def semaphore(aio: ModuleType, log: Log) -> None:
    semaphore = aio.Semaphore(1)
    await semaphore.acquire()
    task = later(aio, log, semaphore.release)
    await semaphore.acquire()
    del task


@way("``await condition.wait()``", "``notify()`` and the end of its ``async with``")
async def condition(aio: ModuleType, log: Log) -> None:
    condition = aio.Condition()

    async def notifies() -> None:
        await aio.sleep(1)
        async with condition:
            condition.notify()
            log(ENDS)

    task = aio.create_task(notifies())
    async with condition:
        await condition.wait()
    del task


@way("``await barrier.wait()``", "the last party's ``barrier.wait()``")
async def barrier(aio: ModuleType, log: Log) -> None:
    barrier = aio.Barrier(2)

    async def arrives() -> None:
        await aio.sleep(1)
        log(ENDS)
        await barrier.wait()

    task = aio.create_task(arrives())
    await barrier.wait()
    del task


@way("``await queue.get()``", "``queue.put_nowait()``")
async def queue_get(aio: ModuleType, log: Log) -> None:
    queue = aio.Queue()
    task = later(aio, log, lambda: queue.put_nowait(1))
    await queue.get()
    del task


@way("``await queue.put(item)``", "``queue.get_nowait()``")
async def queue_put(aio: ModuleType, log: Log) -> None:
    queue = aio.Queue(1)
    queue.put_nowait(1)
    task = later(aio, log, queue.get_nowait)
    await queue.put(2)
    del task


@way("``await queue.join()``", "the last ``queue.task_done()``")
async def queue_join(aio: ModuleType, log: Log) -> None:
    queue = aio.Queue()
    queue.put_nowait(1)
    queue.get_nowait()
    task = later(aio, log, queue.task_done)
    await queue.join()
    del task


@way("``await sleep(0)``", "the task's own step")
async def sleep_zero(aio: ModuleType, log: Log) -> None:
    log(ENDS)
    await aio.sleep(0)


async def cancelled(aio: ModuleType, log: Log, work: Callable[[], Awaitable[Any]]) -> None:
    """Cancel a task, and return in the step that ends it."""
    done = aio.get_running_loop().create_future()

    async def cancel() -> None:
        await aio.sleep(1)
        log(ENDS)
        task.cancel()

    async def waits() -> None:
        try:
            await work()
        finally:
            log(GOES_ON)
            done.set_result(None)

    task = aio.create_task(waits())
    canceller = aio.create_task(cancel())
    await done
    del canceller


@way("a task that awaits a future is cancelled", "``task.cancel()``")
async def cancel_in_future(aio: ModuleType, log: Log) -> None:
    await cancelled(aio, log, aio.get_running_loop().create_future)


@way("a task that awaits a task is cancelled", "``task.cancel()``")
async def cancel_in_task(aio: ModuleType, log: Log) -> None:
    await cancelled(aio, log, lambda: aio.create_task(aio.sleep(9)))


@way("a task that awaits ``gather()`` is cancelled", "``task.cancel()``")
async def cancel_in_gather(aio: ModuleType, log: Log) -> None:
    await cancelled(aio, log, lambda: aio.gather(aio.sleep(9)))


def ticks(aio: ModuleType, one: Way) -> int:
    """Return how many ticks lie between what ends and the step of the waiter."""

    async def program(aio: ModuleType, log: Log) -> None:
        await one.run(aio, log)
        log(GOES_ON)

    at: dict[object, int] = {}
    for tick, logged in schedule(aio, program).items():
        for what in logged:
            at.setdefault(what, tick)
    return at[GOES_ON] - at[ENDS]


def measured() -> Iterator[tuple[Way, int]]:
    """Yield each way to wait, and its ticks. Raises SystemExit if asyncio and miniloop differ."""
    for one in WAYS.values():
        ours = ticks(miniloop, one)
        if sys.version_info >= one.since and (theirs := ticks(asyncio, one)) != ours:
            sys.exit(f"{one.code}: asyncio takes {theirs} ticks, miniloop {ours}")
        yield one, ours


def main() -> None:
    """Print the table."""
    for one, count in measured():
        print(f"{count}  {one.code}  (from {one.ends})".replace("``", ""))


if __name__ == "__main__":
    main()
