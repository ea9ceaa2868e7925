"""A lock goes to the tasks that wait for it in the order in which they came.

`release()` wakes the first waiter, which takes the lock in its next step. Until then the lock is
free, but a newcomer does not get it: it queues up behind the waiter that was woken.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    lock = aio.Lock()

    async def worker(name: str) -> None:
        async with lock:
            log(f"{name} has the lock")
            await aio.sleep(0)
        log(f"{name}: {lock.locked() = }")

    await aio.gather(worker("a"), worker("b"), worker("c"))


def test_waiters_get_the_lock_in_their_order(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        2: ["a has the lock"],
        3: ["a: lock.locked() = False"],
        4: ["b has the lock"],
        5: ["b: lock.locked() = False"],
        6: ["c has the lock"],
        7: ["c: lock.locked() = False"],
    }


async def a_newcomer(aio: ModuleType, log: Callable[[object], None]) -> None:
    lock = aio.Lock()

    async def waiter() -> None:
        async with lock:
            log("the waiter has the lock")

    await lock.acquire()
    task = aio.create_task(waiter())
    await aio.sleep(0)  # now it waits
    lock.release()
    log(f"main: {lock.locked() = }")
    async with lock:
        log("main has the lock")
    await task


def test_a_newcomer_does_not_overtake_a_waiter(aio: ModuleType) -> None:
    assert schedule(aio, a_newcomer) == {
        2: ["main: lock.locked() = False"],
        3: ["the waiter has the lock"],
        4: ["main has the lock"],
    }
