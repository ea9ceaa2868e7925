"""Nothing grows with the number of ticks, and nothing breaks with the depth of a chain."""

import gc
import itertools
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pytest

import miniloop
from tests.virtual_clock import new_virtual_loop

ROUNDS = 2_000
SLACK = 16_000  # bytes: for all rounds together, so less than 8 a round

Program = Callable[[int], Awaitable[Any]]


async def ticks(rounds: int) -> None:
    for _ in range(rounds * 5):
        await miniloop.sleep(0)


async def callbacks(rounds: int) -> None:
    loop = miniloop.get_running_loop()
    for _ in range(rounds):
        for _ in range(5):
            loop.call_soon(int)
        await miniloop.sleep(0)


async def tasks(rounds: int) -> None:
    async def child() -> None:
        await miniloop.sleep(0)

    for _ in range(rounds):
        await miniloop.create_task(child())
        await miniloop.gather(child(), child())


async def futures(rounds: int) -> None:
    loop = miniloop.get_running_loop()
    for _ in range(rounds * 2):
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future


async def failures(rounds: int) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    for _ in range(rounds):
        try:
            await miniloop.create_task(fail())
        except ZeroDivisionError:
            pass


async def timers(rounds: int) -> None:
    for _ in range(rounds):
        await miniloop.gather(miniloop.sleep(0.001), miniloop.sleep(0.002))


async def cancelled_timers(rounds: int) -> None:
    loop = miniloop.get_running_loop()
    for _ in range(rounds * 5):
        loop.call_later(3600, int).cancel()
        await miniloop.sleep(0)


async def timeouts_not_reached(rounds: int) -> None:
    for _ in range(rounds):
        await miniloop.wait_for(miniloop.sleep(0), 3600)
        async with miniloop.timeout(3600):
            await miniloop.sleep(0)


async def cancelled_tasks(rounds: int) -> None:
    for _ in range(rounds):
        task = miniloop.create_task(miniloop.sleep(3600))
        await miniloop.sleep(0)
        task.cancel()
        await miniloop.wait([task])


async def waits_on_a_future_that_never_ends(rounds: int) -> None:
    future = miniloop.get_running_loop().create_future()
    for _ in range(rounds):
        await miniloop.wait([future], timeout=0.001)
        await miniloop.wait(
            [future, miniloop.create_task(miniloop.sleep(0))], return_when="FIRST_COMPLETED"
        )
        shielded = miniloop.shield(future)
        shielded.cancel()
        await miniloop.sleep(0)


async def queues_and_locks(rounds: int) -> None:
    queue: miniloop.Queue[int] = miniloop.Queue(1)
    lock, event = miniloop.Lock(), miniloop.Event()

    async def produce() -> None:
        for number in range(rounds):
            async with lock:
                await queue.put(number)

    task = miniloop.create_task(produce())
    for _ in range(rounds):
        await queue.get()
        async with lock:
            await miniloop.sleep(0)
        getting = miniloop.create_task(event.wait())
        await miniloop.sleep(0)
        getting.cancel()
    await task


async def groups(rounds: int) -> None:
    for _ in range(rounds):
        async with miniloop.TaskGroup() as group:
            group.create_task(miniloop.sleep(0))


async def calls_from_other_threads(rounds: int) -> None:
    loop = miniloop.get_running_loop()

    def send() -> None:
        for _ in range(100):
            loop.call_soon_threadsafe(int)

    for _ in range(rounds // 100):
        await loop.run_in_executor(None, send)


async def async_generators(rounds: int) -> None:
    async def generate() -> Any:
        yield 1
        yield 2

    for _ in range(rounds):
        async for _ in generate():
            break
        await miniloop.sleep(0)


PROGRAMS: list[Program] = [
    value
    for value in list(globals().values())
    if getattr(value, "__annotations__", {}).get("rounds") is int
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_memory_does_not_grow_with_ticks(program: Program) -> None:
    loop = new_virtual_loop(miniloop)
    try:
        loop.run_until_complete(program(ROUNDS // 4))  # fills caches
        loop.recorder.timeouts.clear()
        gc.collect()
        tracemalloc.start()
        try:
            loop.run_until_complete(program(ROUNDS // 4))
            loop.recorder.timeouts.clear()
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            loop.run_until_complete(program(ROUNDS))
            loop.recorder.timeouts.clear()
            gc.collect()
            after = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    assert after - before < SLACK


def test_cancelled_timers_are_swept_out_of_the_heap(aio: ModuleType, loop: Any) -> None:
    async def main() -> None:
        for _ in range(5_000):
            loop.call_later(3600, int).cancel()
            await aio.sleep(0)
            assert len(loop._scheduled) <= 102

    loop.run_until_complete(main())


def test_finished_tasks_leave_the_register(loop: Any, aio: ModuleType) -> None:
    async def child() -> None:
        await aio.sleep(0.0001)

    async def main() -> None:
        for _ in range(20):
            await aio.gather(*[child() for _ in range(50)])
            assert len(aio.all_tasks()) == 1

    loop.run_until_complete(main())


def test_the_register_itself_holds_no_dead_tasks() -> None:
    before = len(miniloop.details.current._scheduled_tasks)
    miniloop.run(timers(200))
    gc.collect()
    assert len(miniloop.details.current._scheduled_tasks) <= before + 2


# -- chains ----------------------------------------------------------------------------------------

DEPTH = 10_000


def test_a_chain_of_tasks_each_awaiting_the_one_before(aio: ModuleType, loop: Any) -> None:
    assert sys.getrecursionlimit() < DEPTH

    async def link(previous: Any) -> int:
        return 1 + await previous

    async def main() -> Any:
        first = last = loop.create_future()
        for _ in range(DEPTH):
            last = loop.create_task(link(last))
        await aio.sleep(0)
        first.set_result(0)
        return await last

    assert loop.run_until_complete(main()) == DEPTH


def test_a_chain_of_failures(aio: ModuleType, loop: Any) -> None:
    depth = 2_000  # the traceback grows with it

    async def link(previous: Any) -> None:
        await previous

    async def main() -> Any:
        first = last = loop.create_future()
        for _ in range(depth):
            last = loop.create_task(link(last))
        await aio.sleep(0)
        first.set_exception(ZeroDivisionError("here"))
        await last

    with pytest.raises(ZeroDivisionError):
        loop.run_until_complete(main())


def test_a_chain_of_futures_each_ending_the_next(aio: ModuleType, loop: Any) -> None:
    futures = [loop.create_future() for _ in range(DEPTH)]
    for one, following in itertools.pairwise(futures):
        one.add_done_callback(lambda one, following=following: following.set_result(1))
    loop.call_soon(futures[0].set_result, 1)
    assert loop.run_until_complete(futures[-1]) == 1


def test_one_task_that_awaits_many_futures_that_are_done(loop: Any) -> None:
    async def main() -> int:
        count = 0
        for _ in range(DEPTH):
            future = loop.create_future()
            future.set_result(1)
            count += await future
        return count

    assert loop.run_until_complete(main()) == DEPTH


def test_nested_shields_and_gathers(aio: ModuleType, loop: Any) -> None:
    async def main() -> Any:
        first = outer = loop.create_future()
        for _ in range(DEPTH // 2):
            outer = aio.shield(aio.gather(outer))
        first.set_result("innermost")
        result = await outer
        while isinstance(result, list):
            [result] = result
        return result

    assert loop.run_until_complete(main()) == "innermost"


def test_a_long_chain_of_waiting_tasks_can_be_thrown_away(aio: ModuleType) -> None:
    reported: list[Any] = []

    async def link(previous: Any) -> None:
        await previous

    loop = aio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: reported.append(context["message"]))
    last = loop.create_future()
    for _ in range(DEPTH):
        last = loop.create_task(link(last))
    loop.call_soon(loop.stop)
    loop.run_forever()
    del last
    gc.collect()
    loop.close()
    assert len(reported) == DEPTH


def test_a_cancel_goes_down_a_chain_of_tasks(aio: ModuleType, loop: Any) -> None:
    depth = 300  # each is a call inside the last; asyncio breaks a little above 900 on 3.12

    async def link(previous: Any) -> None:
        await previous

    async def main() -> Any:
        tasks = [loop.create_task(aio.sleep(3600))]
        for _ in range(depth):
            tasks.append(loop.create_task(link(tasks[-1])))
        await aio.sleep(0)
        tasks[-1].cancel("why")
        await aio.wait(tasks)
        return [task.cancelled() for task in tasks]

    assert loop.run_until_complete(main()) == [True] * (depth + 1)
