"""When the program has returned, `run()` cancels the tasks that are left, and waits for them.

Each gets one CancelledError, and may clean up. When the last of them has ended, run() closes async
generators that were left in the middle, waits for the threads of the default executor, and closes
the loop. Only then does it return the program's result or raise its exception.
"""

from types import ModuleType

import pytest


def test_tasks_that_are_left_are_cancelled_and_waited_for(aio: ModuleType) -> None:
    log: list[str] = []

    async def left() -> None:
        try:
            await aio.get_running_loop().create_future()
        except aio.CancelledError:
            log.append("left: CancelledError")
            await aio.sleep(0)
            log.append("left: cleaned up")
            raise

    async def main() -> str:
        aio.get_running_loop().kept = aio.create_task(left())
        await aio.sleep(0)
        log.append("main returns")
        return "the result"

    log.append(aio.run(main()))
    assert log == ["main returns", "left: CancelledError", "left: cleaned up", "the result"]


def test_a_task_that_never_began_never_begins(aio: ModuleType) -> None:
    log: list[str] = []

    async def left() -> None:
        log.append("never")

    async def main() -> None:
        aio.get_running_loop().kept = aio.create_task(left())
        aio.get_running_loop().kept.cancel()

    aio.run(main())
    assert log == []


def test_an_exception_of_the_program_comes_out_last(aio: ModuleType) -> None:
    log: list[str] = []

    async def left() -> None:
        try:
            await aio.get_running_loop().create_future()
        finally:
            log.append("left: cleaned up")

    async def main() -> None:
        aio.get_running_loop().kept = aio.create_task(left())
        await aio.sleep(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        aio.run(main())
    assert log == ["left: cleaned up"]
