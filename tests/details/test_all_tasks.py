"""all_tasks() knows a task in every state that it can be in, until it is done."""

import asyncio
import gc
import sys
import threading
from collections.abc import Generator
from types import ModuleType
from typing import Any

import pytest

import miniloop
from miniloop.details import current
from tests.details.foreign_future import ForeignFuture


def ticks(loop: Any, count: int = 1) -> None:
    for _ in range(count):
        loop.call_soon(loop.stop)
        loop.run_forever()


def no_eager(aio: ModuleType) -> bool:
    return aio is asyncio and sys.version_info < (3, 12)


def test_new(aio: ModuleType, loop: Any) -> None:
    task = loop.create_task(aio.sleep(0))
    assert aio.all_tasks(loop) == {task}
    loop.run_until_complete(task)
    assert aio.all_tasks(loop) == set()


def test_running(aio: ModuleType, loop: Any) -> None:
    async def main() -> None:
        assert aio.all_tasks() == aio.all_tasks(loop) == {aio.current_task()} == {task}

    task = loop.create_task(main())
    loop.run_until_complete(task)


def test_ready(aio: ModuleType, loop: Any) -> None:
    task = loop.create_task(aio.sleep(0))
    ticks(loop)
    assert not task.done()
    assert aio.all_tasks(loop) == {task}
    loop.run_until_complete(task)


def test_waiting_for_a_future(aio: ModuleType, loop: Any) -> None:
    future = loop.create_future()

    async def wait() -> None:
        await future

    task = loop.create_task(wait())
    ticks(loop, 3)
    assert aio.all_tasks(loop) == {task}
    future.set_result(None)  # now it is ready
    assert aio.all_tasks(loop) == {task}
    ticks(loop)
    assert aio.all_tasks(loop) == set()


def test_waiting_for_a_task_and_a_timer(aio: ModuleType, loop: Any) -> None:
    async def wait() -> None:
        await inner

    inner = loop.create_task(aio.sleep(60))
    outer = loop.create_task(wait())
    ticks(loop, 2)
    assert aio.all_tasks(loop) == {inner, outer}
    outer.cancel()
    assert aio.all_tasks(loop) == {inner, outer}
    ticks(loop, 3)
    assert aio.all_tasks(loop) == set()


@pytest.mark.parametrize("kind", ["own class", "the other library's"])
def test_waiting_for_a_foreign_future(aio: ModuleType, loop: Any, kind: str) -> None:
    if kind == "own class":
        future: Any = ForeignFuture(loop)
    elif aio is miniloop:
        future = asyncio.Future(loop=loop)
    else:
        pytest.skip("a future of miniloop belongs to a loop of miniloop")

    async def wait() -> Any:
        return await future

    task = loop.create_task(wait())
    ticks(loop, 2)
    assert aio.all_tasks(loop) == {task}
    future.set_result(1)
    assert aio.all_tasks(loop) == {task}
    assert loop.run_until_complete(task) == 1


def test_while_a_foreign_future_takes_note_of_it(aio: ModuleType, loop: Any) -> None:
    seen = []

    class Nosy(ForeignFuture):
        def add_done_callback(self, fn: Any, *, context: Any = None) -> None:
            seen.append(aio.all_tasks(loop))
            super().add_done_callback(fn, context=context)

    future = Nosy(loop)

    async def wait() -> None:
        await future

    task = loop.create_task(wait())
    ticks(loop)
    future.set_result(None)
    loop.run_until_complete(task)
    assert seen == [{task}]


class YieldsOnce:
    """Yields what no task can wait for."""

    def __await__(self) -> Generator[object, None, None]:
        yield "nothing to wait for"


def test_after_a_bad_yield(aio: ModuleType, loop: Any) -> None:
    async def wait() -> str:
        try:
            await YieldsOnce()
        except RuntimeError as exc:
            return str(exc)
        return "no error"

    task = loop.create_task(wait())
    ticks(loop)
    assert not task.done()
    assert aio.all_tasks(loop) == {task}
    assert loop.run_until_complete(task) == "Task got bad yield: 'nothing to wait for'"


def test_started_eagerly(aio: ModuleType, loop: Any) -> None:
    if no_eager(aio):
        pytest.skip("asyncio has eager tasks since 3.12")

    async def inner() -> None:
        task = aio.current_task()
        assert aio.all_tasks() == {outer, task}  # the outer one is not current, but alive
        await aio.sleep(0)
        assert aio.all_tasks() == {outer, task}
        await aio.sleep(0.001)

    async def main() -> None:
        task = aio.Task(inner(), loop=loop, eager_start=True)
        assert aio.current_task() is outer
        assert aio.all_tasks() == {outer, task}
        await task
        assert aio.all_tasks() == {outer}

    outer = loop.create_task(main())
    loop.run_until_complete(outer)


def test_eager_within_eager(aio: ModuleType, loop: Any) -> None:
    if no_eager(aio):
        pytest.skip("asyncio has eager tasks since 3.12")
    names: list[list[str]] = []

    async def nest(depth: int) -> None:
        if depth:
            aio.Task(nest(depth - 1), loop=loop, name=f"depth {depth}", eager_start=True)
        names.append(sorted(task.get_name() for task in aio.all_tasks()))

    loop.run_until_complete(loop.create_task(nest(3), name="main"))
    assert names == [
        ["depth 1", "depth 2", "depth 3", "main"],
        ["depth 2", "depth 3", "main"],
        ["depth 3", "main"],
        ["main"],
    ]


def test_eager_from_a_callback(aio: ModuleType, loop: Any) -> None:
    if no_eager(aio):
        pytest.skip("asyncio has eager tasks since 3.12")
    tasks = []

    def callback() -> None:
        tasks.append(aio.Task(aio.sleep(0.001), loop=loop, eager_start=True))
        assert aio.current_task() is None
        assert aio.all_tasks() == set(tasks)

    loop.call_soon(callback)
    ticks(loop)
    loop.run_until_complete(tasks[0])


def test_of_another_loop(aio: ModuleType, loop: Any) -> None:
    other = aio.new_event_loop()
    task = loop.create_task(aio.sleep(0.001))
    of_other = other.create_task(aio.sleep(0.001))
    ticks(loop)
    ticks(other)
    assert aio.all_tasks(loop) == {task}
    assert aio.all_tasks(other) == {of_other}
    loop.run_until_complete(task)
    other.run_until_complete(of_other)
    other.close()


def test_seen_from_another_thread(aio: ModuleType, loop: Any) -> None:
    seen: list[set[Any]] = []

    async def main() -> None:
        other = loop.create_task(aio.sleep(0.001))
        await aio.sleep(0)
        thread = threading.Thread(target=lambda: seen.append(aio.all_tasks(loop)))
        thread.start()
        thread.join()
        assert seen == [{task, other}]
        await other

    task = loop.create_task(main())
    loop.run_until_complete(task)


def test_needs_a_loop(aio: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        aio.all_tasks()


def test_left_behind_by_an_exception_in_the_batch(aio: ModuleType, loop: Any) -> None:
    def leave() -> None:
        raise KeyboardInterrupt

    loop.call_soon(leave)
    task = loop.create_task(aio.sleep(0))
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    assert aio.all_tasks(loop) == {task}
    loop.run_until_complete(task)


def test_left_behind_in_a_closed_loop(
    aio: ModuleType, loop: Any, reports: list[dict[str, Any]]
) -> None:
    async def wait() -> None:
        await loop.create_future()

    waiting = loop.create_task(wait())
    ticks(loop)
    new = loop.create_task(aio.sleep(0))
    loop.close()
    assert aio.all_tasks(loop) == {waiting, new}
    new.get_coro().close()
    waiting.get_coro().close()
    del waiting, new
    gc.collect()
    assert [report["message"] for report in reports] == [
        "Task was destroyed but it is pending!"
    ] * 2


def test_a_failed_or_cancelled_task_is_gone(aio: ModuleType, loop: Any) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    failed, cancelled = loop.create_task(fail()), loop.create_task(aio.sleep(60))
    cancelled.cancel()
    ticks(loop)
    assert aio.all_tasks(loop) == set()
    assert cancelled.cancelled()
    assert isinstance(failed.exception(), ZeroDivisionError)


def test_waiting_tasks_are_held_weakly(
    aio: ModuleType, loop: Any, reports: list[dict[str, Any]]
) -> None:
    async def wait_for_what_nobody_holds() -> None:
        await loop.create_future()

    loop.create_task(wait_for_what_nobody_holds(), name="forgotten")
    ticks(loop)
    gc.collect()
    [report] = reports
    assert report["message"] == "Task was destroyed but it is pending!"
    assert report["task"].get_name() == "forgotten"
    reports.clear()
    del report
    gc.collect()
    assert aio.all_tasks(loop) == set()


def test_waiting_tasks_with_a_timer_are_held_by_it(aio: ModuleType, loop: Any) -> None:
    loop.create_task(aio.sleep(0.001), name="held")
    ticks(loop)
    gc.collect()
    assert [task.get_name() for task in aio.all_tasks(loop)] == ["held"]
    loop.run_until_complete(aio.sleep(0.01))


def test_a_set_that_changes_while_other_threads_look(loop: Any, aio: ModuleType) -> None:
    failures: list[BaseException] = []
    over = threading.Event()

    def look() -> None:
        try:
            while not over.is_set():
                aio.all_tasks(loop)
        except BaseException as exc:
            failures.append(exc)

    async def come_and_go() -> None:
        for _ in range(300):
            await aio.gather(*[aio.sleep(1e-6) for _ in range(5)])

    thread = threading.Thread(target=look)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread.start()
    try:
        loop.run_until_complete(come_and_go())
    finally:
        over.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert failures == []


@pytest.mark.parametrize("aio", [asyncio, miniloop])
def test_a_task_that_outlives_the_report_of_its_destruction(aio):
    # asyncio before 3.14.3 forgets it (gh-142556).
    kept = []

    async def wait():
        await aio.get_running_loop().create_future()

    async def main():
        loop = aio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: kept.append(context["task"]))
        task = aio.create_task(wait())
        await aio.sleep(0)
        del task
        gc.collect()
        shown = kept[0] in aio.all_tasks()
        kept.clear()
        gc.collect()
        return shown, len(aio.all_tasks())

    expected = aio is miniloop or sys.version_info >= (3, 14, 3)
    assert aio.run(main()) == (expected, 1)


def test_destroyed_tasks_leave_the_register():
    async def lose_a_task() -> None:
        for _ in range(100):
            future = miniloop.get_running_loop().create_future()
            task = miniloop.create_task(waits_for(future))
            task.itself = task  # type: ignore[attr-defined]  # only the garbage collector ends it
            await miniloop.sleep(0)
            del task, future
            gc.collect()

    async def waits_for(future: Any) -> None:
        await future

    loop = miniloop.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    before = len(current._scheduled_tasks)
    loop.run_until_complete(lose_a_task())
    loop.close()
    assert len(current._scheduled_tasks) - before < 5
