"""When a task of a group fails, the group cancels the others and the body of the `async with`.

The group hears of the failure by a callback, a tick after it. It cancels the tasks that are not
done, and then the task in which the `async with` stands, if that is still inside the block. All of
them wake up a tick later. The block raises when the last task has ended.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def wait(name: str) -> None:
        try:
            await aio.get_running_loop().create_future()
        finally:
            log(f"{name} is cancelled")

    async def fail() -> None:
        log("a task fails")
        raise ZeroDivisionError

    try:
        async with aio.TaskGroup() as group:
            group.create_task(wait("a task"))
            group.create_task(fail())
            await wait("the body")
    except* ZeroDivisionError:
        log("main has the group of errors")


def test_failure_in_a_task_group(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        2: ["a task fails"],
        # 3: the callback cancels the task and the body.
        4: ["a task is cancelled", "the body is cancelled"],
        # 5: the callback of the last task ends the future that the end of the block awaits.
        6: ["main has the group of errors"],
    }
