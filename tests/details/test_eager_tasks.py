"""Eager tasks, which miniloop has on every Python (asyncio since 3.12)."""

import asyncio
import contextvars
import sys
from types import ModuleType
from typing import Any

import pytest

import miniloop
from miniloop.difftest.known import needed


@pytest.fixture(params=[asyncio, miniloop], ids=["asyncio", "miniloop"])
def aio(request: pytest.FixtureRequest) -> ModuleType:
    if request.param is asyncio and sys.version_info < (3, 12):
        pytest.skip("asyncio has eager tasks since 3.12")
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def run_eager(aio: ModuleType, run: Any) -> Any:
    """Give `run()` with the eager task factory set."""

    async def with_factory(main: Any) -> Any:
        aio.get_running_loop().set_task_factory(aio.eager_task_factory)
        return await main

    return lambda main: run(with_factory(main))


def test_the_first_step_is_taken_at_once(aio: ModuleType, run_eager: Any) -> None:
    log: list[str] = []

    async def child() -> str:
        log.append("child begins")
        await aio.sleep(0)
        log.append("child ends")
        return "result"

    async def main() -> None:
        task = aio.create_task(child())
        log.append("created")
        assert await task == "result"

    run_eager(main())
    assert log == ["child begins", "created", "child ends"]


def test_a_task_that_never_waits_is_done_when_it_is_made(aio: ModuleType, run_eager: Any) -> None:
    async def child() -> str:
        return "result"

    async def main() -> None:
        task = aio.create_task(child(), name="quick")
        assert (task.done(), task.result(), task.get_name()) == (True, "result", "quick")
        if aio is miniloop or sys.version_info >= (3, 13):  # asyncio of 3.12.1 crashes here
            assert task.get_coro() is None
            assert task not in aio.all_tasks()
            assert repr(task) == "<Task finished name='quick' result='result'>"

    run_eager(main())


def test_a_task_that_fails_at_once(aio: ModuleType, run_eager: Any) -> None:
    async def child() -> None:
        raise ZeroDivisionError("here")

    async def main() -> None:
        task = aio.create_task(child())
        assert task.done()
        with pytest.raises(ZeroDivisionError):
            await task

    run_eager(main())


def test_a_task_that_cancels_itself_at_once(aio: ModuleType, run_eager: Any) -> None:
    async def child() -> None:
        aio.current_task().cancel()
        await aio.sleep(0)

    async def main() -> None:
        task = aio.create_task(child())
        assert not task.done()
        with pytest.raises(aio.CancelledError):
            await task

    run_eager(main())


def test_the_current_task_changes_and_changes_back(aio: ModuleType, run_eager: Any) -> None:
    seen = []

    async def child() -> None:
        seen.append(aio.current_task().get_name())
        await aio.sleep(0)
        seen.append(aio.current_task().get_name())

    async def main() -> None:
        aio.current_task().set_name("main")
        task = aio.create_task(child(), name="child")
        seen.append(aio.current_task().get_name())
        await task

    run_eager(main())
    assert seen[1] == "main"
    assert seen[2] == "child"


def test_it_runs_in_its_own_context(aio: ModuleType, run_eager: Any) -> None:
    variable = contextvars.ContextVar("variable", default="outside")

    async def child() -> str:
        variable.set("child")
        return variable.get()

    async def main() -> None:
        assert await aio.create_task(child()) == "child"
        assert variable.get() == "outside"
        context = contextvars.copy_context()
        await aio.create_task(child(), context=context)
        assert context[variable] == "child"

    run_eager(main())


def test_combinators_of_quick_tasks_need_no_tick(aio: ModuleType, run_eager: Any) -> None:
    async def child(number: int) -> int:
        return number

    async def main() -> None:
        loop = aio.get_running_loop()
        ticked: list[str] = []
        loop.call_soon(ticked.append, "a tick has gone by")
        assert await aio.gather(child(1), child(2)) == [1, 2]
        assert await aio.shield(child(5)) == 5
        assert ticked == []
        # How many ticks a group needs depends on the release: `taskgroup-notices-later`.
        async with aio.TaskGroup() as group:
            tasks = [group.create_task(child(number)) for number in (3, 4)]
        assert [task.result() for task in tasks] == [3, 4]

    run_eager(main())


def test_a_task_group_hears_of_a_task_that_failed_at_once(aio: ModuleType, run_eager: Any) -> None:
    async def child() -> None:
        raise ZeroDivisionError

    async def group_of_child() -> None:
        async with aio.TaskGroup() as group:
            group.create_task(child())
            await aio.sleep(60)

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await group_of_child()
        assert [type(exc) for exc in caught.value.exceptions] == [ZeroDivisionError]

    run_eager(main())


def test_a_factory_for_a_class_of_ones_own(aio: ModuleType, run: Any) -> None:
    class MyTask(aio.Task):  # type: ignore[name-defined, misc]
        pass

    async def child() -> int:
        return 1

    async def main() -> None:
        loop = aio.get_running_loop()
        loop.set_task_factory(aio.create_eager_task_factory(MyTask))
        task = aio.create_task(child())
        assert isinstance(task, MyTask)
        assert task.done()

    run(main())


def test_no_eager_start_before_the_loop_runs(aio: ModuleType, loop: Any) -> None:
    begun: list[bool] = []

    async def child() -> None:
        begun.append(True)

    task = aio.Task(child(), loop=loop, eager_start=True)
    assert begun == []
    loop.run_until_complete(task)
    assert begun == [True]


def test_keyboard_interrupt_in_an_eager_start_comes_out(aio: ModuleType, loop: Any) -> None:
    tasks = []

    async def child() -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        try:
            aio.create_task(child())
        finally:
            tasks.append(aio.current_task())

    loop.set_task_factory(aio.eager_task_factory)
    task = loop.create_task(main())
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(task)
    assert tasks == [task]
    assert aio.current_task(loop) is None


def test_a_group_does_not_cancel_its_parent_in_mid_block(aio: ModuleType, run_eager: Any) -> None:
    if aio is asyncio and needed("taskgroup-notices-later"):
        pytest.skip("asyncio cancels it")
    seen: list[object] = []

    async def fail() -> None:
        raise ValueError("here")

    async def makes_one_that_fails(group: Any) -> None:
        group.create_task(fail())
        try:
            await aio.sleep(100)
        finally:
            seen.append("cancelled")

    async def main() -> None:
        try:
            async with aio.TaskGroup() as group:
                group.create_task(makes_one_that_fails(group))
                seen.append(aio.current_task().cancelling())
        except* ValueError as failed:
            seen.append(failed.exceptions)
        seen.append(aio.current_task().cancelling())

    run_eager(main())
    assert seen[:2] == [0, "cancelled"]
    assert [str(error) for error in seen[2]] == ["here"]  # type: ignore[attr-defined]
    assert seen[3] == 0
