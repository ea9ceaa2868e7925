"""`await gather()` goes on two ticks after its last child has ended.

One tick later runs the callback that gather() has left with each child. When the last child's
callback has run, the future that gather() has returned is done, and that wakes the task that awaits
it, again for the next tick.
"""

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def child(name: str, ticks: int) -> None:
        log(f"{name} begins")
        for _ in range(ticks):
            await aio.sleep(0)
        log(f"{name} ends")

    log("main awaits gather()")
    await aio.gather(child("a", 1), child("b", 2))
    log("main goes on")


def test_ticks_of_gather(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        1: ["main awaits gather()"],
        2: ["a begins", "b begins"],  # the children are tasks, in the order of the arguments
        3: ["a ends"],
        4: ["b ends"],
        # 5: b's callback ends the future of gather().
        6: ["main goes on"],
    }


async def children_that_are_done(aio: ModuleType, log: Callable[[object], None]) -> None:
    futures = [aio.get_running_loop().create_future() for _ in range(2)]
    for future in futures:
        future.set_result(None)
    log("main awaits gather()")
    await aio.gather(*futures)
    log("main goes on")


def test_children_that_are_done_take_no_tick(aio: ModuleType) -> None:
    if aio is asyncio and sys.version_info < (3, 12):
        pytest.skip("there, gather() waits for the callbacks of children that are done, too")
    assert schedule(aio, children_that_are_done) == {
        1: ["main awaits gather()", "main goes on"],
    }


async def a_child_that_fails(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def fail() -> None:
        log("the child fails")
        raise ZeroDivisionError

    async def go_on() -> None:
        for number in range(4):
            log(f"the other goes on: {number}")
            await aio.sleep(0)

    other = aio.create_task(go_on())
    try:
        await aio.gather(fail(), other)
    except ZeroDivisionError:
        log("main has the error")
    await other


def test_the_first_failure_ends_gather_but_no_other_child(aio: ModuleType) -> None:
    assert schedule(aio, a_child_that_fails) == {
        2: ["the other goes on: 0", "the child fails"],
        3: ["the other goes on: 1"],
        4: ["the other goes on: 2", "main has the error"],
        5: ["the other goes on: 3"],
    }
