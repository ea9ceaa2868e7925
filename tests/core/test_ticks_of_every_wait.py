"""How many ticks lie between the end of a child and the next step of the task that waits for it.

No tick: the child is a coroutine, and runs inside the steps of the task itself.
One tick: the task waits for the child's own future, which wakes it.
Two ticks: a callback runs in between, and ends another future that the task awaits.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any

import pytest

from tests.virtual_clock import schedule

Child = Coroutine[Any, Any, None]


async def await_coroutine(aio: ModuleType, child: Child) -> None:
    await child


async def timeout(aio: ModuleType, child: Child) -> None:
    async with aio.timeout(9):
        await child


async def wait_for(aio: ModuleType, child: Child) -> None:
    await aio.wait_for(child, 9)


async def await_task(aio: ModuleType, child: Child) -> None:
    await aio.create_task(child)


async def gather(aio: ModuleType, child: Child) -> None:
    await aio.gather(child)


async def wait(aio: ModuleType, child: Child) -> None:
    await aio.wait([aio.create_task(child)])


async def as_completed(aio: ModuleType, child: Child) -> None:
    for next_one in aio.as_completed([child]):
        await next_one


async def shield(aio: ModuleType, child: Child) -> None:
    await aio.shield(child)


async def task_group(aio: ModuleType, child: Child) -> None:
    async with aio.TaskGroup() as group:
        group.create_task(child)


TICKS = {
    await_coroutine: 0,
    timeout: 0,
    wait_for: 0,
    await_task: 1,
    gather: 2,
    wait: 2,
    as_completed: 2,
    shield: 2,
    task_group: 2,
}


@pytest.mark.parametrize("way", TICKS, ids=lambda way: way.__name__)
def test_ticks_from_the_end_of_a_child_to_its_waiter(
    aio: ModuleType, way: Callable[[ModuleType, Child], Child]
) -> None:
    if way is wait_for and aio is asyncio and sys.version_info < (3, 12):
        pytest.skip("there, wait_for() makes a task of the coroutine")

    async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
        async def child() -> None:
            await aio.sleep(1)
            log("the child ends")

        await way(aio, child())
        log("the waiter goes on")

    ticks = {what: tick for tick, logged in schedule(aio, program).items() for what in logged}
    assert ticks["the waiter goes on"] - ticks["the child ends"] == TICKS[way]
