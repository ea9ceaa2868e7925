"""What is new or refused since Python 3.13, as CPython 3.15 does it, on every Python."""

import asyncio
import contextvars
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import miniloop

new = pytest.mark.skipif(sys.version_info < (3, 15), reason="asyncio has it since 3.15")
BOTH = [pytest.param(asyncio, id="asyncio", marks=new), pytest.param(miniloop, id="miniloop")]


@pytest.fixture(params=BOTH)
def aio(request: pytest.FixtureRequest) -> ModuleType:
    return request.param  # type: ignore[no-any-return]


class Awaitable:
    """Can be awaited, and is no coroutine."""

    def __init__(self, aio: ModuleType) -> None:
        self.aio = aio

    def __await__(self) -> Any:
        yield from self.aio.sleep(0).__await__()
        return "awaited"


# -- run -------------------------------------------------------------------------------------------


def test_run_takes_what_can_be_awaited(aio: ModuleType) -> None:
    assert aio.run(Awaitable(aio)) == "awaited"
    with aio.Runner() as runner:
        assert runner.run(Awaitable(aio)) == "awaited"
        future = runner.get_loop().create_future()
        future.set_result("done")
        assert runner.run(future) == "done"


@pytest.mark.parametrize("thing", [None, 1, print, "text"])
def test_run_refuses_what_cannot(aio: ModuleType, thing: Any) -> None:
    with pytest.raises(TypeError, match="a coroutine or an awaitable is required"):
        aio.run(thing)


def test_get_event_loop_makes_none(aio: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="There is no current event loop in thread 'MainThread'"):
        aio.get_event_loop()


# -- contexts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("context", [2.5, "text", {}])
def test_a_context_is_a_context(aio: ModuleType, eager: bool, context: Any) -> None:
    async def child() -> None: ...

    async def main() -> None:
        for make in (aio.create_task, aio.get_running_loop().create_task, aio.Task):
            coro = child()
            with pytest.raises(TypeError, match=r"a contextvars\.Context was expected, got"):
                make(coro, context=context, eager_start=eager)
            coro.close()

    aio.run(main())


def test_an_eager_task_in_a_context_that_is_entered_is_refused(aio: ModuleType) -> None:
    async def child() -> None: ...

    async def main() -> None:
        coro = child()
        before = aio.all_tasks()
        with pytest.raises(RuntimeError, match="cannot enter context"):
            aio.create_task(coro, context=aio.current_task().get_context(), eager_start=True)
        assert aio.all_tasks() == before
        coro.close()

    aio.run(main())


# -- tasks -----------------------------------------------------------------------------------------


def test_a_future_is_initialized_once(aio: ModuleType) -> None:
    class Mine(aio.Future):  # type: ignore[misc, name-defined]
        pass

    async def main() -> None:
        for future in (aio.Future(), Mine(), aio.get_running_loop().create_future()):
            with pytest.raises(RuntimeError, match="object is already initialized"):
                future.__init__()
        coro = aio.sleep(0)
        with pytest.raises(RuntimeError, match="Task object is already initialized"):
            aio.current_task().__init__(coro)
        coro.close()

    aio.run(main())


def test_eager_start_everywhere(aio: ModuleType) -> None:
    log: list[str] = []

    async def child() -> None:
        log.append(aio.current_task().get_name())

    async def main() -> None:
        loop = aio.get_running_loop()
        async with aio.TaskGroup() as group:
            for make in (aio.create_task, loop.create_task, group.create_task):
                make(child(), name="eager", eager_start=True)
                assert log.pop() == "eager"
                make(child(), name="later", eager_start=False)
                assert log == []
        assert log == ["later"] * 3

    aio.run(main())


def test_an_eager_factory_gets_all_keywords(aio: ModuleType) -> None:
    log: list[str] = []

    async def child() -> None:
        log.append(aio.current_task().get_name())

    async def main() -> None:
        loop = aio.get_running_loop()
        loop.set_task_factory(aio.eager_task_factory)
        aio.create_task(child(), name="now")
        assert log.pop() == "now"
        task = aio.create_task(child(), name="later", eager_start=False)
        assert log == []
        await task
        assert log == ["later"]

    aio.run(main())


def test_a_factory_gets_the_keywords_that_were_given(aio: ModuleType) -> None:
    given: list[dict[str, Any]] = []

    def factory(loop: Any, coro: Any, **kwargs: Any) -> Any:
        given.append(kwargs)
        return aio.Task(coro, loop=loop, **kwargs)

    async def main() -> None:
        aio.get_running_loop().set_task_factory(factory)
        context = contextvars.copy_context()
        await aio.create_task(aio.sleep(0))
        await aio.create_task(aio.sleep(0), name=None, context=context)
        with pytest.raises(TypeError, match="colour"):
            aio.create_task(aio.sleep(0), colour="red")
        assert given == [{}, {"name": None, "context": context}, {"colour": "red"}]

    with pytest.warns(RuntimeWarning, match="never awaited"):
        aio.run(main())


# -- TaskGroup.cancel() ----------------------------------------------------------------------------


async def in_the_block(aio: ModuleType, group: Any) -> None:
    group.cancel()


async def by_a_task(aio: ModuleType, group: Any) -> None:
    async def cancel() -> None:
        group.cancel()

    group.create_task(cancel())
    await aio.sleep(1)


async def by_an_eager_task(aio: ModuleType, group: Any) -> None:
    async def cancel() -> None:
        group.cancel()
        await aio.sleep(1)

    assert group.create_task(cancel(), eager_start=True).cancelling() == 1


async def by_a_callback(aio: ModuleType, group: Any) -> None:
    aio.get_running_loop().call_soon(group.cancel)
    await aio.sleep(1)


async def twice(aio: ModuleType, group: Any) -> None:
    group.cancel()
    group.cancel()


@pytest.mark.parametrize("how", [in_the_block, by_a_task, by_an_eager_task, by_a_callback, twice])
def test_a_group_that_is_cancelled_ends_quietly(
    aio: ModuleType, how: Callable[[ModuleType, Any], Any]
) -> None:
    async def main() -> None:
        async with aio.timeout(0.5), aio.TaskGroup() as group:
            child = group.create_task(aio.sleep(1))
            await how(aio, group)
        assert child.cancelled()
        assert aio.current_task().cancelling() == 0
        group.cancel()  # afterwards it does nothing
        await aio.sleep(0)

    aio.run(main())


def test_a_group_can_be_cancelled_before_it_is_entered(aio: ModuleType) -> None:
    async def main() -> None:
        group = aio.TaskGroup()
        group.cancel()
        reached = False
        async with group:
            with pytest.raises(RuntimeError, match="is shutting down"):
                group.create_task(aio.sleep(1))
            await aio.sleep(0)
            reached = True
        assert not reached

    aio.run(main())


def test_errors_of_a_cancelled_group_are_raised(aio: ModuleType) -> None:
    async def fail() -> None:
        try:
            await aio.sleep(1)
        finally:
            raise ValueError

    async def block() -> None:
        async with aio.TaskGroup() as group:
            group.create_task(fail())
            await aio.sleep(0)
            group.cancel()

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await block()
        assert [type(error) for error in caught.value.exceptions] == [ValueError]

    aio.run(main())


def test_a_cancellation_from_outside_is_not_swallowed(aio: ModuleType) -> None:
    async def block() -> None:
        async with aio.TaskGroup() as group:
            group.create_task(aio.sleep(1))
            group.cancel()
            await aio.sleep(1)

    async def main() -> None:
        task = aio.create_task(block())
        await aio.sleep(0)
        task.cancel()
        with pytest.raises(aio.CancelledError):
            await task

    aio.run(main())


# -- others ----------------------------------------------------------------------------------------


def test_an_async_generator_is_closed_inside_a_group(aio: ModuleType) -> None:
    async def generator() -> Any:
        async with aio.TaskGroup() as group:
            group.create_task(aio.sleep(0))
            yield 1

    async def main() -> None:
        numbers = generator()
        assert await anext(numbers) == 1
        await numbers.aclose()

    aio.run(main())


def test_a_cancelled_wait_of_as_completed_loses_nothing(aio: ModuleType) -> None:
    async def main() -> list[str]:
        iterator = aio.as_completed([aio.sleep(0.01, "one"), aio.sleep(0.02, "two")])
        waiting = aio.ensure_future(next(iterator))
        await aio.sleep(0)
        waiting.cancel()
        await aio.wait([waiting])
        return [await one for one in iterator]

    assert aio.run(main()) == ["one", "two"]


def test_chained_futures_of_a_loop_end_at_once_in_its_own_thread(aio: ModuleType) -> None:
    async def main() -> bool:
        from concurrent.futures import Future

        source: Future[int] = Future()
        wrapped = aio.wrap_future(source)
        source.set_result(1)
        return bool(wrapped.done())

    assert aio.run(main())
