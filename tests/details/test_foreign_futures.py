"""Either library's combinators wait for futures of the other, and of nobody."""

import asyncio
from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any

import pytest

import miniloop
import miniloop.interop
from tests.details.foreign_future import ForeignFuture

Make = Callable[[], Any]


@pytest.fixture(
    params=["asyncio on a class of nobody", "miniloop on a class of nobody", "miniloop on asyncio"]
)
def pairing(request: pytest.FixtureRequest) -> tuple[ModuleType, Callable[[Any], Any]]:
    """Give a library, and a function that makes a foreign future for a loop of it."""
    if request.param == "asyncio on a class of nobody":
        return asyncio, ForeignFuture
    if request.param == "miniloop on a class of nobody":
        return miniloop, ForeignFuture
    return miniloop, lambda loop: asyncio.Future(loop=loop)


@pytest.fixture
def aio(pairing: Any) -> Any:
    return pairing[0]


@pytest.fixture
def make(pairing: Any, loop: Any) -> Make:
    return lambda: pairing[1](loop)


def test_isfuture(aio: ModuleType, make: Make) -> None:
    future = make()
    assert aio.isfuture(future)
    assert aio.ensure_future(future) is future


def test_run_until_complete(loop: Any, make: Make) -> None:
    future = make()
    loop.call_soon(future.set_result, "result")
    assert loop.run_until_complete(future) == "result"


async def wait_for(future: Any) -> Any:
    return await future


class YieldsOnly(ForeignFuture):
    """Leaves it to the task to throw its exception."""

    def __await__(self) -> Generator[Any, None, str]:
        self._asyncio_future_blocking = True
        yield self
        return "no result"


@pytest.mark.parametrize("library", [asyncio, miniloop], ids=["asyncio", "miniloop"])
def test_the_task_throws_what_the_future_failed_with(library: ModuleType) -> None:
    async def main() -> None:
        loop = library.get_running_loop()
        future = YieldsOnly(loop)
        loop.call_soon(future.set_exception, ZeroDivisionError())
        with pytest.raises(ZeroDivisionError):
            await future
        future = YieldsOnly(loop)
        loop.call_soon(future.set_result, "ignored")
        assert await future == "no result"

    library.run(main())


def test_await_a_result(loop: Any, make: Make) -> None:
    future = make()
    loop.call_soon(future.set_result, "result")
    assert loop.run_until_complete(wait_for(future)) == "result"
    assert loop.run_until_complete(wait_for(future)) == "result"  # done already


def test_await_an_exception(loop: Any, make: Make) -> None:
    future = make()
    loop.call_soon(future.set_exception, ZeroDivisionError("here"))
    with pytest.raises(ZeroDivisionError, match="here"):
        loop.run_until_complete(wait_for(future))


def test_await_a_cancelled_future(aio: ModuleType, loop: Any, make: Make) -> None:
    future = make()
    loop.call_soon(future.cancel)
    task = loop.create_task(wait_for(future))
    with pytest.raises(aio.CancelledError):
        loop.run_until_complete(task)
    assert task.cancelled()


def test_cancelling_the_task_cancels_the_future(aio: ModuleType, loop: Any, make: Make) -> None:
    future = make()
    task = loop.create_task(wait_for(future))
    loop.call_soon(task.cancel)
    with pytest.raises(aio.CancelledError):
        loop.run_until_complete(task)
    assert future.cancelled()


def test_cancelled_in_the_step_that_begins_to_wait(aio: ModuleType, loop: Any, make: Make) -> None:
    future = make()

    async def main() -> None:
        aio.current_task().cancel()
        await future

    with pytest.raises(aio.CancelledError):
        loop.run_until_complete(main())
    assert future.cancelled()


def test_a_waiter_wakes_one_tick_later(aio: ModuleType, loop: Any, make: Make) -> None:
    future = make()
    order: list[str] = []

    async def wait() -> None:
        await future
        order.append("waiter")

    async def main() -> None:
        task = aio.ensure_future(wait())
        await aio.sleep(0)
        future.set_result(None)
        loop.call_soon(order.append, "after")
        assert order == []
        await task

    loop.run_until_complete(main())
    assert order == ["waiter", "after"]


def test_a_future_of_another_loop_is_refused(aio: ModuleType, loop: Any, make: Make) -> None:
    other = aio.new_event_loop()
    with pytest.raises(RuntimeError, match="attached to a different loop"):
        other.run_until_complete(wait_for(make()))
    other.close()


def test_a_yield_where_await_was_meant_is_refused(loop: Any, make: Make) -> None:
    future = make()

    class Yields:
        def __await__(self) -> Any:
            yield future

    async def main() -> None:
        await Yields()

    with pytest.raises(RuntimeError, match="yield was used instead of yield from"):
        loop.run_until_complete(main())


def test_gather(aio: ModuleType, loop: Any, make: Make) -> None:
    one, two, three = make(), make(), loop.create_future()

    async def main() -> None:
        loop.call_soon(two.set_result, 2)
        loop.call_soon(three.set_result, 3)
        loop.call_soon(one.set_result, 1)
        assert await aio.gather(one, two, three, wait_for(one)) == [1, 2, 3, 1]

    loop.run_until_complete(main())


def test_gather_of_failures(aio: ModuleType, loop: Any, make: Make) -> None:
    failing, cancelled, waiting = make(), make(), make()

    async def main() -> None:
        loop.call_soon(failing.set_exception, ZeroDivisionError("here"))
        loop.call_soon(cancelled.cancel)
        with pytest.raises(ZeroDivisionError):
            await aio.gather(failing, waiting)
        with pytest.raises(aio.CancelledError):
            await aio.gather(cancelled, waiting)
        results = await aio.gather(failing, cancelled, return_exceptions=True)
        assert [type(result) for result in results] == [ZeroDivisionError, aio.CancelledError]
        outer = aio.gather(waiting, loop.create_future())
        outer.cancel()
        with pytest.raises(aio.CancelledError):
            await outer
        assert waiting.cancelled()

    loop.run_until_complete(main())


def test_wait(aio: ModuleType, loop: Any, make: Make) -> None:
    one, two = make(), make()

    async def main() -> None:
        loop.call_soon(one.set_result, 1)
        result = await aio.wait([one, two], return_when=aio.FIRST_COMPLETED)
        assert result == ({one}, {two})
        assert await aio.wait([one, two], timeout=0.001) == ({one}, {two})
        loop.call_soon(two.set_exception, ZeroDivisionError())
        result = await aio.wait([one, two], return_when=aio.FIRST_EXCEPTION)
        assert result == ({one, two}, set())
        two.exception()

    loop.run_until_complete(main())


def test_wait_for(aio: ModuleType, loop: Any, make: Make) -> None:
    async def main() -> None:
        future = make()
        loop.call_soon(future.set_result, 1)
        assert await aio.wait_for(future, 60) == 1
        assert await aio.wait_for(future, 0) == 1
        for timeout in (0, 0.001):
            late = make()
            with pytest.raises(TimeoutError):
                await aio.wait_for(late, timeout)
            assert late.cancelled()

    loop.run_until_complete(main())


def test_as_completed_and_shield(aio: ModuleType, loop: Any, make: Make) -> None:
    async def main() -> None:
        one, two = make(), make()
        loop.call_soon(two.set_result, 2)
        loop.call_later(0.001, one.set_result, 1)
        assert [await future for future in aio.as_completed([one, two])] == [2, 1]
        assert await aio.shield(one) == 1
        inner = make()
        outer = aio.shield(inner)
        outer.cancel()
        await aio.sleep(0)
        assert outer.cancelled()
        assert not inner.cancelled()
        outer = aio.shield(inner)
        inner.set_result("through")
        assert await outer == "through"

    loop.run_until_complete(main())


def test_a_timeout_around_it(aio: ModuleType, loop: Any, make: Make) -> None:
    async def main() -> None:
        future = make()
        with pytest.raises(TimeoutError):
            async with aio.timeout(0.001):
                await future
        assert future.cancelled()

    loop.run_until_complete(main())


# -- asyncio's combinators on miniloop's futures and tasks -----------------------------------------


def run_under_interop(main: Any) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(60):
            return await main

    with asyncio.Runner(loop_factory=miniloop.interop.EventLoop) as runner:
        return runner.run(bounded())


async def after(ticks: int, result: Any) -> Any:
    for _ in range(ticks):
        await miniloop.sleep(0)
    if isinstance(result, BaseException):
        raise result
    return result


def test_asyncio_gather_of_miniloop_tasks() -> None:
    async def main() -> None:
        tasks = [miniloop.create_task(after(ticks, ticks)) for ticks in (3, 0, 1)]
        assert await asyncio.gather(*tasks) == [3, 0, 1]
        failing = miniloop.create_task(after(1, ZeroDivisionError()))
        with pytest.raises(ZeroDivisionError):
            await asyncio.gather(failing, after(1, 1))
        cancelled = miniloop.create_task(after(9, None))
        cancelled.cancel("why")
        [result] = await asyncio.gather(cancelled, return_exceptions=True)
        assert isinstance(result, asyncio.CancelledError)

    run_under_interop(main())


def test_asyncio_wait_and_as_completed_of_miniloop_tasks() -> None:
    async def main() -> None:
        slow, quick = [miniloop.create_task(after(ticks, ticks)) for ticks in (5, 1)]
        done, pending = await asyncio.wait([slow, quick], return_when=asyncio.FIRST_COMPLETED)
        assert (done, pending) == ({quick}, {slow})
        assert [await future for future in asyncio.as_completed([slow, quick])] == [1, 5]

    run_under_interop(main())


def test_asyncio_wait_for_and_shield_of_miniloop_futures() -> None:
    async def main() -> None:
        loop = miniloop.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, 1)
        assert await asyncio.wait_for(future, 60) == 1
        assert await asyncio.shield(future) == 1
        late = loop.create_future()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(late, 0.001)
        assert late.cancelled()
        task = miniloop.create_task(after(100, None))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(task, 0)
        assert task.cancelled()

    run_under_interop(main())


def test_miniloop_combinators_of_asyncio_tasks() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        tasks = [asyncio.Task(after(ticks, ticks), loop=loop) for ticks in (2, 0)]
        assert await miniloop.gather(*tasks) == [2, 0]
        tasks = [asyncio.Task(after(ticks, ticks), loop=loop) for ticks in (2, 0)]
        done, pending = await miniloop.wait(tasks)
        assert (done, pending) == (set(tasks), set())
        assert await miniloop.wait_for(asyncio.Task(after(1, 7), loop=loop), 60) == 7

    run_under_interop(main())


def test_isfuture_and_iscoroutine_across_the_libraries() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        for future in (loop.create_future(), asyncio.Future(loop=loop)):
            assert asyncio.isfuture(future)
            assert miniloop.isfuture(future)
        coroutine = miniloop.sleep(0)
        assert asyncio.iscoroutine(coroutine)
        await coroutine

    run_under_interop(main())
