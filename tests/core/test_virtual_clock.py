"""A virtual clock can be fitted from outside, and shows that both loops tick alike."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from types import ModuleType
from typing import Any

import pytest

import miniloop
from tests.virtual_clock import new_virtual_loop, run_on_virtual_clock

Log = Callable[[object], None]


async def sleeps(aio: ModuleType, log: Log) -> None:
    async def sleeper(name: str, *delays: float) -> None:
        for delay in delays:
            await aio.sleep(delay)
            log(name)

    await aio.gather(sleeper("a", 3, 0, 1), sleeper("b", 1, 1, 1, 1), sleeper("c", 0, 0.5, -1))


async def equal_deadlines(aio: ModuleType, log: Log) -> None:
    loop = aio.get_running_loop()
    for count in range(1, 9):
        for number in range(count):
            loop.call_at(loop.time() + 1, log, (count, number))
        await aio.sleep(2)


async def deadlines_in_the_past(aio: ModuleType, log: Log) -> None:
    loop = aio.get_running_loop()
    loop.call_later(0, log, "call_later(0)")
    loop.call_soon(log, "call_soon")
    loop.call_at(loop.time() - 1, log, "a second ago")
    loop.call_later(-2, log, "two seconds ago")
    await aio.sleep(1)


async def a_week(aio: ModuleType, log: Log) -> None:
    await aio.sleep(7 * 24 * 3600)
    log("longer than one select() may wait")


async def few_cancelled_timers(aio: ModuleType, log: Log) -> None:
    loop = aio.get_running_loop()
    timers = [loop.call_later(1 + n % 7, log, n) for n in range(40)]
    for timer in timers[::3]:
        timer.cancel()
    await aio.sleep(10)


async def a_swept_heap(aio: ModuleType, log: Log) -> None:
    loop = aio.get_running_loop()
    timers = [loop.call_later(1 + n % 7, log, n) for n in range(300)]
    for count, timer in enumerate(timers):
        if count % 4:
            timer.cancel()
        if count % 50 == 0:
            await aio.sleep(0)
    await aio.sleep(10)


async def timeouts(aio: ModuleType, log: Log) -> None:
    try:
        async with aio.timeout(2):
            await aio.sleep(5)
    except TimeoutError:
        log("timeout")
    future = aio.get_running_loop().create_future()
    done, pending = await aio.wait([future], timeout=3)
    log((len(done), len(pending)))
    for next_one in aio.as_completed([aio.sleep(4), aio.sleep(2)], timeout=3):
        try:
            await next_one
            log("in time")
        except TimeoutError:
            log("too late")
    future.cancel()


async def a_lock_and_a_queue(aio: ModuleType, log: Log) -> None:
    lock, queue = aio.Lock(), aio.Queue(2)

    async def producer(name: str) -> None:
        for number in range(3):
            async with lock:
                await aio.sleep(0.25)
            await queue.put((name, number))

    async def consumer() -> None:
        while True:
            log(await queue.get())
            queue.task_done()

    task = aio.create_task(consumer())
    async with aio.TaskGroup() as group:
        group.create_task(producer("a"))
        group.create_task(producer("b"))
    await queue.join()
    task.cancel()


@pytest.mark.parametrize(
    "program",
    [
        sleeps,
        equal_deadlines,
        deadlines_in_the_past,
        a_week,
        few_cancelled_timers,
        a_swept_heap,
        timeouts,
        a_lock_and_a_queue,
    ],
    ids=lambda program: program.__name__,
)
def test_same_ticks_times_and_timeouts(program: Callable[..., Any]) -> None:
    theirs, their_timeouts = run_on_virtual_clock(asyncio, lambda log: program(asyncio, log))
    ours, our_timeouts = run_on_virtual_clock(miniloop, lambda log: program(miniloop, log))
    assert theirs
    assert ours == theirs
    assert our_timeouts == their_timeouts


def test_select_is_called_once_a_tick(aio: ModuleType) -> None:
    loop = new_virtual_loop(aio)
    ticks = []

    def count(left: int) -> None:
        ticks.append(len(loop.recorder.timeouts))
        if left:
            loop.call_soon(count, left - 1)
        else:
            loop.stop()

    loop.call_soon(count, 20)
    loop.run_forever()
    loop.close()
    assert ticks == list(range(1, 22))
    assert loop.recorder.timeouts == [0] * 21


def test_stop_before_run_forever_gives_one_tick(aio: ModuleType) -> None:
    loop = new_virtual_loop(aio)
    loop.call_later(5, print)
    loop.stop()
    loop.run_forever()
    loop.close()
    assert loop.recorder.timeouts == [0]


def test_an_idle_loop_waits_for_ever_and_is_woken_from_a_thread(aio: ModuleType) -> None:
    loop = new_virtual_loop(aio)
    loop.run_until_complete(loop.run_in_executor(None, loop.recorder.idle.wait, 60))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert None in loop.recorder.timeouts


def test_call_later_goes_through_call_at(aio: ModuleType) -> None:
    calls = []

    class Loop(aio.SelectorEventLoop):  # type: ignore[name-defined, misc]
        def time(self) -> float:
            return 100.0

        def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
            calls.append((when, callback, args, context))
            return super().call_at(when, callback, *args, context=context)

    loop = Loop()
    context = copy_context()
    loop.call_later(1, print)
    loop.call_later(2, print, 1, 2)
    loop.call_later(3, print, context=context)
    loop.close()
    assert calls == [
        (101.0, print, (), None),
        (102.0, print, (1, 2), None),
        (103.0, print, (), context),
    ]


def test_a_deadline_within_the_resolution_of_the_clock_is_due(aio: ModuleType) -> None:
    loop = new_virtual_loop(aio)
    loop._clock_resolution = 0.5
    called = []
    loop.call_later(0.4, called.append, "near")
    loop.call_later(0.6, called.append, "far")
    loop.stop()
    loop.run_forever()
    loop.close()
    assert called == ["near"]
