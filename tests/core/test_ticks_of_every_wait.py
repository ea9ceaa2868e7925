"""How many ticks lie between the end of a child and the next step of the task that waits for it.

No tick: the child is a coroutine, and runs inside the steps of the task itself.
One tick: the task waits for the child's own future, which wakes it.
Two ticks: a callback runs in between, and ends another future that the task awaits.

The programs stand in `tests/hops.py`, one for each construct.
"""

import asyncio
import sys
from types import ModuleType

import pytest

from tests.hops import WAYS, ticks

TICKS = {
    "await_coroutine": 0,
    "timeout": 0,
    "wait_for": 0,
    "await_task": 1,
    "wait_for_task": 1,
    "await_future": 1,
    "gather": 2,
    "wait": 2,
    "as_completed": 2,
    "async_as_completed": 2,
    "shield": 2,
    "task_group": 2,
    "gather_in_gather": 3,
    "event": 1,
    "lock": 1,
    "semaphore": 1,
    "condition": 1,
    "barrier": 1,
    "queue_get": 1,
    "queue_put": 1,
    "queue_join": 1,
    "sleep_zero": 1,
    "cancel_in_future": 1,
    "cancel_in_task": 2,
    "cancel_in_gather": 3,
}


@pytest.mark.parametrize("name", TICKS)
def test_ticks_from_the_end_of_a_child_to_its_waiter(aio: ModuleType, name: str) -> None:
    if aio is asyncio and sys.version_info < WAYS[name].since:
        pytest.skip("this Python's asyncio takes other ways")
    assert ticks(aio, WAYS[name]) == TICKS[name]


def test_every_way_is_counted() -> None:
    assert TICKS.keys() == WAYS.keys()
