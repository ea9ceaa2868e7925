"""`cancel()` only asks. The task's next step throws CancelledError into its coroutine.

So `cancelled()` is False until that step has come, and until the coroutine has let the error
through. It may clean up first, which may take ticks, or catch the error and go on.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def work() -> None:
        try:
            await aio.get_running_loop().create_future()
        except aio.CancelledError:
            log("work: CancelledError")
            await aio.sleep(0)
            log("work: cleaned up")
            raise

    task = aio.create_task(work())
    await aio.sleep(0)  # now the task waits for its future
    task.cancel()
    log(f"main: {task.cancelled() = }")
    try:
        await task
    except aio.CancelledError:
        log(f"main: {task.cancelled() = }")


def test_when_a_cancelled_task_ends(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        2: ["main: task.cancelled() = False"],
        3: ["work: CancelledError"],
        4: ["work: cleaned up"],
        5: ["main: task.cancelled() = True"],
    }


async def before_its_first_step(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def work() -> None:
        log("never")

    task = aio.create_task(work())
    task.cancel()
    log(f"{task.cancelled() = }")
    await aio.sleep(0)
    log(f"{task.cancelled() = }")


def test_a_task_cancelled_before_its_first_step_never_runs(aio: ModuleType) -> None:
    assert schedule(aio, before_its_first_step) == {
        1: ["task.cancelled() = False"],
        2: ["task.cancelled() = True"],
    }


async def a_task_that_awaits_a_task(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def inner() -> None:
        try:
            await aio.get_running_loop().create_future()
        finally:
            log("inner ends")

    async def outer() -> None:
        try:
            await aio.create_task(inner())
        finally:
            log("outer ends")

    task = aio.create_task(outer())
    await aio.sleep(0)  # outer has made inner
    await aio.sleep(0)  # inner waits
    task.cancel()
    log("main cancels outer")
    await aio.wait([task])
    log("main goes on")


def test_a_cancellation_goes_to_the_innermost_task_and_comes_back(aio: ModuleType) -> None:
    assert schedule(aio, a_task_that_awaits_a_task) == {
        3: ["main cancels outer"],
        4: ["inner ends"],
        5: ["outer ends"],
        # 6: outer's callback ends the future of wait().
        7: ["main goes on"],
    }


async def one_after_the_other(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def wait_for_a_future() -> None:
        await aio.get_running_loop().create_future()

    async def wait_for_a_task() -> None:
        await aio.create_task(wait_for_a_future())

    async def wait_for_two() -> None:
        await aio.gather(wait_for_a_future(), wait_for_a_future())

    for work in wait_for_a_future, wait_for_a_task, wait_for_two:
        task = aio.create_task(work())
        task.add_done_callback(lambda _, work=work: log(f"a tick after the end of {work.__name__}"))
        await aio.sleep(0)
        await aio.sleep(0)
        task.cancel()
        log("cancel")
        await aio.wait([task])


def test_how_many_ticks_it_takes(aio: ModuleType) -> None:
    assert schedule(aio, one_after_the_other) == {
        3: ["cancel"],
        5: ["a tick after the end of wait_for_a_future"],  # 4: it ends, 1 tick after cancel()
        8: ["cancel"],
        11: ["a tick after the end of wait_for_a_task"],  # 10: 2 ticks
        14: ["cancel"],
        18: ["a tick after the end of wait_for_two"],  # 17: 3 ticks
    }
