"""`Event.set()` wakes all tasks that wait, for the next tick, in the order in which they came.

A task that was woken goes on even if the event is cleared before its step. A task that begins to
wait after `clear()` waits for the next `set()`.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    event = aio.Event()

    async def waiter(name: str) -> None:
        await event.wait()
        log(f"{name} goes on: {event.is_set() = }")

    tasks = [aio.create_task(waiter(name)) for name in "abc"]
    await aio.sleep(0)
    event.set()
    event.clear()
    log("main has set and cleared the event")
    await aio.wait(tasks)


def test_set_wakes_all_waiters(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        2: ["main has set and cleared the event"],
        3: [f"{name} goes on: event.is_set() = False" for name in "abc"],
    }
