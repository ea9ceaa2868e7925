"""Callbacks run in the order in which they were scheduled: first in, first out.

Tasks stand in the same queue. A step of a task and a callback keep their order, too.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def child(name: str) -> None:
        log(f"task {name}")
        await aio.sleep(0)
        log(f"task {name} again")

    loop = aio.get_running_loop()
    loop.call_soon(log, "callback 1")
    a = aio.create_task(child("a"))
    loop.call_soon(log, "callback 2")
    b = aio.create_task(child("b"))
    await a
    await b


def test_order_of_callbacks_and_tasks(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        2: ["callback 1", "task a", "callback 2", "task b"],
        3: ["task a again", "task b again"],
    }


async def callbacks_of_a_future(aio: ModuleType, log: Callable[[object], None]) -> None:
    loop = aio.get_running_loop()
    future = loop.create_future()
    for number in (1, 2, 3):
        future.add_done_callback(lambda future, number=number: log(f"done callback {number}"))
    loop.call_soon(log, "scheduled before the result")
    future.set_result(None)
    loop.call_soon(log, "scheduled after the result")
    await aio.sleep(0)


def test_callbacks_of_a_future_are_scheduled_by_its_result(aio: ModuleType) -> None:
    assert schedule(aio, callbacks_of_a_future) == {
        2: [
            "scheduled before the result",
            *("done callback 1", "done callback 2", "done callback 3"),
            "scheduled after the result",
        ],
    }
