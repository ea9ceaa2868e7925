"""When the program has returned, `run()` cancels the tasks that are left, and waits for them.

The loop does not stop at once: one more tick runs what is ready. Then each task that is left gets
one CancelledError, and may clean up. When the last of them has ended, run() closes async generators
that were left in the middle, waits for the threads of the default executor, and closes the loop.
Only then does it return the program's result or raise its exception. For each of these, the loop
runs again.
"""

from types import ModuleType
from typing import Any

import pytest

from tests.virtual_clock import new_virtual_loop


def again(loop: Any, ticks: list[int]) -> None:
    ticks.append(len(loop.recorder.timeouts))
    loop.call_soon(again, loop, ticks)


def test_one_more_tick_runs_what_is_ready(aio: ModuleType) -> None:
    ticks: list[int] = []

    async def main() -> None:
        loop.call_soon(again, loop, ticks)  # main ends in tick 1

    loop = new_virtual_loop(aio)
    loop.run_until_complete(main())
    loop.close()
    assert ticks == [2]


def test_cleaning_up_takes_four_ticks_and_runs_what_is_ready(aio: ModuleType) -> None:
    ticks: list[int] = []

    async def main() -> None:
        loop.call_soon(again, loop, ticks)

    loop = new_virtual_loop(aio)
    with aio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    assert ticks == [2, 3, 4, 5, 6]


def test_waiting_for_tasks_that_are_left_takes_ticks_before_that(aio: ModuleType) -> None:
    ticks: list[int] = []

    async def left() -> None:
        await loop.create_future()

    async def main() -> None:
        loop.kept = aio.create_task(left())
        await aio.sleep(0)
        loop.call_soon(again, loop, ticks)  # main ends in tick 2

    loop = new_virtual_loop(aio)
    with aio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    # The task is cancelled in tick 4, gather() hears of it in 5, and the loop stops in 6.
    assert ticks == [3, 4, 5, 6, 7, 8, 9, 10]


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
