"""Timers run by their deadlines, behind the callbacks that are ready already.

asyncio's documentation leaves open how timers with equal deadlines are ordered. In fact the heap
decides, and what it does depends on everything that is in it. Do not rely on this order.
"""

from collections.abc import Callable
from types import ModuleType

import pytest

from tests.virtual_clock import run_on_virtual_clock, schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    loop = aio.get_running_loop()
    for seconds in (3, 1, 2):
        loop.call_later(seconds, log, f"after {seconds} s")
    await aio.sleep(4)
    log("main goes on")


def test_the_earliest_deadline_comes_first(aio: ModuleType) -> None:
    logged, _ = run_on_virtual_clock(aio, lambda log: program(aio, log))
    assert logged == [  # (tick, time in seconds, what)
        (2, 1.0, "after 1 s"),
        (3, 2.0, "after 2 s"),
        (4, 3.0, "after 3 s"),
        (6, 4.0, "main goes on"),  # 5: the timer of sleep() ends the future that main awaits
    ]


async def ready_or_due(aio: ModuleType, log: Callable[[object], None]) -> None:
    loop = aio.get_running_loop()
    loop.call_later(0, log, "timer")
    loop.call_soon(log, "callback")
    await aio.sleep(0)


def test_due_timers_run_behind_ready_callbacks_in_the_same_tick(aio: ModuleType) -> None:
    assert schedule(aio, ready_or_due) == {2: ["callback", "timer"]}


@pytest.mark.parametrize(
    ("made", "run"), [("ab", "ab"), ("abc", "acb"), ("abcd", "acbd"), ("abcdef", "acfbde")]
)
def test_equal_deadlines_come_as_the_heap_gives_them(aio: ModuleType, made: str, run: str) -> None:
    async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
        for name in made:
            aio.get_running_loop().call_at(1, log, name)
        await aio.sleep(2)

    assert schedule(aio, program) == {2: list(run)}
