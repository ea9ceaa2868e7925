"""If a task's result and its cancellation come in the same tick, the cancellation wins.

`set_result()` has woken the task: it stands in the ready queue, and its future is done, so the
future can no longer be cancelled. `cancel()` marks the task instead. Its next step sees the mark,
throws CancelledError, and the result is lost.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    future = aio.get_running_loop().create_future()

    async def work() -> None:
        try:
            log(f"work has {await future}")
        except aio.CancelledError:
            log("work was cancelled")

    task = aio.create_task(work())
    await aio.sleep(0)
    future.set_result("the result")
    log(f"{task.cancel() = }, {future.cancelled() = }")
    await task


def test_the_cancellation_wins(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        2: ["task.cancel() = True, future.cancelled() = False"],
        3: ["work was cancelled"],
    }


async def the_step_that_returns(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def work() -> str:
        aio.current_task().cancel()
        return "the result"

    task = aio.create_task(work())
    await aio.wait([task])
    log(f"{task.cancelled() = }")


def test_a_task_cancelled_in_the_step_that_returns_is_cancelled(aio: ModuleType) -> None:
    assert list(schedule(aio, the_step_that_returns).values()) == [["task.cancelled() = True"]]
