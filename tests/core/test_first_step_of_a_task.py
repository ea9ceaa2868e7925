"""`create_task()` puts a task into the ready queue: its first step comes in the next tick.

Awaiting a coroutine makes no task. Its code runs at once, inside the step of the task that awaits
it, as a function's would.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def child(name: str) -> None:
        log(f"{name} runs")

    task = aio.create_task(child("the task"))
    log("main has made a task")
    await child("the coroutine")
    log("main has awaited a coroutine")
    await task
    log("main has awaited the task")


def test_a_task_begins_in_the_next_tick_and_a_coroutine_at_once(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        1: ["main has made a task", "the coroutine runs", "main has awaited a coroutine"],
        2: ["the task runs"],
        3: ["main has awaited the task"],
    }
