"""`timeout()` is a timer that cancels the task. The block's end turns the error into TimeoutError.

Inside the block the code sees CancelledError, as if somebody had called `cancel()`. At the end of
the block, `timeout()` takes its own request to cancel back and raises TimeoutError.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import run_on_virtual_clock


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    task = aio.current_task()
    try:
        async with aio.timeout(2):
            try:
                await aio.sleep(5)
            except aio.CancelledError:
                log(f"inside: CancelledError, {task.cancelling() = }")
                raise
    except TimeoutError:
        log(f"outside: TimeoutError, {task.cancelling() = }")


def test_timeout(aio: ModuleType) -> None:
    logged, timeouts = run_on_virtual_clock(aio, lambda log: program(aio, log))
    assert logged == [
        (3, 2.0, "inside: CancelledError, task.cancelling() = 1"),
        (3, 2.0, "outside: TimeoutError, task.cancelling() = 0"),
    ]
    # Tick 2 waits two seconds for the timer, not five for sleep(): the timer cancels the future of
    # sleep(), which wakes the task for tick 3.
    assert timeouts == [0, 2, 0, 0]
