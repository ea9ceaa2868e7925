"""`set_result()` puts the waiters of a future into the ready queue; they run in the next tick.

They run in the order in which they began to wait. The task that has called `set_result()` goes on
first, to the end of its step. Awaiting a future that is done takes no tick.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    future = aio.get_running_loop().create_future()

    async def waiter(name: str) -> None:
        log(f"{name} has {await future}")

    tasks = [aio.create_task(waiter(name)) for name in "abc"]
    await aio.sleep(0)  # now all three wait
    future.set_result("the result")
    log("main has set the result")
    log(f"main has {await future}")
    await aio.wait(tasks)


def test_a_result_wakes_all_waiters_in_the_next_tick(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        2: ["main has set the result", "main has the result"],
        3: ["a has the result", "b has the result", "c has the result"],
    }
