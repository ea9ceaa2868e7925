"""Plain generators are coroutines too: `await` is `yield from` with better manners."""

import asyncio
import collections.abc
import inspect
import types
import warnings
from collections.abc import Callable, Generator
from typing import Any

import pytest

import miniloop
from tests.virtual_clock import run_on_virtual_clock

Log = Callable[[object], None]


# -- twins -----------------------------------------------------------------------------------------

# Each pair is written twice, in the two languages; everything that they log must be the same, with
# the tick and the time at which they log it.


async def sleeper(log: Log, name: str) -> str:
    for delay in (0, 1, 0.5, 0):
        await miniloop.sleep(delay)
        log((name, delay))
    return name


@miniloop.coroutine
def sleeper_twin(log: Log, name: str) -> Generator[Any, Any, str]:
    for delay in (0, 1, 0.5, 0):
        yield from miniloop.sleep(delay)  # type: ignore[attr-defined]
        log((name, delay))
    return name


async def waiter(log: Log, future: Any) -> None:
    try:
        log(await future)
    except ZeroDivisionError as exc:
        log(repr(exc))
    finally:
        await miniloop.sleep(1)
        log("cleaned up")


@miniloop.coroutine
def waiter_twin(log: Log, future: Any) -> Generator[Any, Any, None]:
    try:
        log((yield from future))
    except ZeroDivisionError as exc:
        log(repr(exc))
    finally:
        yield from miniloop.sleep(1)  # type: ignore[attr-defined]
        log("cleaned up")


async def several_sleepers(log: Log, sleeper: Any, waiter: Any) -> None:
    log(await miniloop.gather(sleeper(log, "a"), sleeper(log, "b")))
    async with miniloop.TaskGroup() as group:
        group.create_task(sleeper(log, "c"))
        group.create_task(sleeper(log, "d"))
    log(await sleeper(log, "awaited"))


async def a_result(log: Log, sleeper: Any, waiter: Any) -> None:
    future = miniloop.get_running_loop().create_future()
    tasks = [miniloop.create_task(waiter(log, future)) for _ in range(2)]
    await miniloop.sleep(1)
    future.set_result("result")
    await miniloop.wait(tasks)


async def an_error(log: Log, sleeper: Any, waiter: Any) -> None:
    future = miniloop.get_running_loop().create_future()
    task = miniloop.create_task(waiter(log, future))
    await miniloop.sleep(0)
    future.set_exception(ZeroDivisionError("here"))
    await task


async def a_cancel(log: Log, sleeper: Any, waiter: Any) -> None:
    future = miniloop.get_running_loop().create_future()
    task = miniloop.create_task(waiter(log, future))
    await miniloop.sleep(0)
    task.cancel()
    log(await miniloop.gather(task, return_exceptions=True) and task.cancelled())
    log(future.cancelled())


async def a_timeout(log: Log, sleeper: Any, waiter: Any) -> None:
    try:
        await miniloop.wait_for(sleeper(log, "late"), 1.25)
    except TimeoutError:
        log("timeout")


@pytest.mark.parametrize(
    "program",
    [several_sleepers, a_result, an_error, a_cancel, a_timeout],
    ids=lambda program: program.__name__,
)
def test_a_coroutine_and_its_twin_have_the_same_schedule(program: Any) -> None:
    one, one_timeouts = run_on_virtual_clock(miniloop, lambda log: program(log, sleeper, waiter))
    twin, twin_timeouts = run_on_virtual_clock(
        miniloop, lambda log: program(log, sleeper_twin, waiter_twin)
    )
    assert one
    assert (twin, twin_timeouts) == (one, one_timeouts)


# -- unmarked generators ---------------------------------------------------------------------------


def plain(result: object = "result", ticks: int = 1) -> Generator[Any, Any, object]:
    """A generator that nothing marks as a coroutine."""
    for _ in range(ticks):
        yield
    future = miniloop.get_running_loop().create_future()
    miniloop.get_running_loop().call_soon(future.set_result, result)
    return (yield from future)


def failing() -> Generator[Any, Any, None]:
    yield
    raise ZeroDivisionError("here")


async def main_of(awaitable: Any) -> Any:
    async with miniloop.timeout(60):
        return await awaitable()


WAYS: dict[str, Callable[[], Any]] = {
    "run": lambda: miniloop.run(plain()),
    "Runner.run": lambda: run_in_runner(plain()),
    "create_task": lambda: miniloop.run(main_of(lambda: miniloop.create_task(plain()))),
    "Task": lambda: miniloop.run(main_of(lambda: miniloop.Task(plain()))),
    "ensure_future": lambda: miniloop.run(main_of(lambda: miniloop.ensure_future(plain()))),
    "shield": lambda: miniloop.run(main_of(lambda: miniloop.shield(plain()))),
    "gather": lambda: miniloop.run(main_of(lambda: miniloop.gather(plain())))[0],
    "as_completed": lambda: miniloop.run(main_of(lambda: next(miniloop.as_completed([plain()])))),
    "TaskGroup": lambda: miniloop.run(in_group(plain())),
    "run_until_complete": lambda: run_in_loop(plain()),
    "yield from": lambda: miniloop.run(calls_plain()),
    "run_coroutine_threadsafe": lambda: miniloop.run(from_thread()),
    "eager": lambda: miniloop.run(eagerly()),
}


def run_in_runner(generator: Any) -> Any:
    with miniloop.Runner() as runner:
        return runner.run(generator)


def run_in_loop(generator: Any) -> Any:
    loop = miniloop.new_event_loop()
    try:
        return loop.run_until_complete(generator)
    finally:
        loop.close()


async def in_group(generator: Any) -> Any:
    async with miniloop.TaskGroup() as group:
        task = group.create_task(generator)
    return task.result()


def calls_plain() -> Generator[Any, Any, object]:
    return (yield from plain())


async def from_thread() -> Any:
    loop = miniloop.get_running_loop()
    return await miniloop.to_thread(
        lambda: miniloop.run_coroutine_threadsafe(plain(), loop).result(60)
    )


async def eagerly() -> Any:
    task = miniloop.Task(plain(), loop=miniloop.get_running_loop(), eager_start=True)
    return await task


@pytest.mark.parametrize("way", WAYS)
def test_an_unmarked_generator_can_be_driven_by(way: str) -> None:
    assert WAYS[way]() == "result"


def test_an_unmarked_generator_that_fails() -> None:
    with pytest.raises(ZeroDivisionError, match="here"):
        miniloop.run(failing())


def test_an_unmarked_generator_cannot_be_awaited() -> None:
    async def main() -> None:
        await plain()  # type: ignore[misc]

    with pytest.raises(TypeError, match=r"generator.* can't be"):
        miniloop.run(main())


def test_a_marked_generator_can_be_awaited_and_awaits_async_functions() -> None:
    @miniloop.coroutine
    def marked() -> Generator[Any, Any, str]:
        yield from miniloop.sleep(0)  # type: ignore[attr-defined]
        return "result"

    async def main() -> str:
        return await marked()  # type: ignore[no-any-return, misc]

    assert miniloop.run(main()) == miniloop.run(marked()) == "result"


def test_a_generator_that_was_never_started_makes_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del [plain()][0]


def test_a_generator_task_shows_its_stack_and_name() -> None:
    loop = miniloop.new_event_loop()
    task = loop.create_task(plain(ticks=5), name="generator")
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert [frame.f_code.co_name for frame in task.get_stack()] == ["plain"]
    assert repr(task).startswith("<Task pending name='generator' coro=<plain() running at ")
    assert loop.run_until_complete(task) == "result"
    loop.close()


def test_yielding_a_generator_is_explained() -> None:
    def wrong() -> Generator[Any, Any, None]:
        yield plain()

    with pytest.raises(RuntimeError, match="yield was used instead of yield from for generator"):
        miniloop.run(wrong())


def test_yielding_a_future_is_explained() -> None:
    def wrong() -> Generator[Any, Any, None]:
        yield miniloop.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="yield was used instead of yield from in task"):
        miniloop.run(wrong())


# -- what is a coroutine ---------------------------------------------------------------------------


async def native() -> None: ...


@types.coroutine
def marked_by_types() -> Generator[Any, Any, None]:
    yield


async def async_generator() -> Any:
    yield


class Duck(collections.abc.Coroutine[Any, Any, Any]):
    def send(self, value: Any) -> Any:
        raise StopIteration("result")

    def throw(self, *args: Any) -> Any:
        raise args[0]

    def close(self) -> None: ...

    def __await__(self) -> Any:
        return iter(())


def test_iscoroutine() -> None:
    coroutine, marked, unmarked = native(), marked_by_types(), plain()
    agen = async_generator()
    assert miniloop.iscoroutine(coroutine)
    assert miniloop.iscoroutine(marked)
    assert miniloop.iscoroutine(Duck())
    for other in (unmarked, agen, native, plain, None, 1, [coroutine]):
        assert not miniloop.iscoroutine(other), other
    coroutine.close()


def test_iscoroutinefunction() -> None:
    with pytest.deprecated_call():
        assert miniloop.iscoroutinefunction(native)
        assert miniloop.iscoroutinefunction(marked_by_types)
        for other in (plain, async_generator, Duck, None, lambda: native()):
            assert not miniloop.iscoroutinefunction(other), other


@pytest.mark.parametrize("thing", [native, async_generator, Duck, Duck(), None, 1, print, "text"])
def test_answers_agree_with_asyncio_but_for_generators(thing: Any) -> None:
    assert miniloop.iscoroutine(thing) == asyncio.iscoroutine(thing)
    with pytest.deprecated_call():
        assert miniloop.iscoroutinefunction(thing) == inspect.iscoroutinefunction(thing)


def test_a_coroutine_of_a_class_of_ones_own_is_driven() -> None:
    assert miniloop.run(Duck()) == "result"


def test_wait_and_as_completed_take_generators_of_tasks() -> None:
    async def main() -> None:
        done, pending = await miniloop.wait(
            miniloop.create_task(miniloop.sleep(0, number)) for number in range(3)
        )
        assert ({task.result() for task in done}, pending) == ({0, 1, 2}, set())
        results = [
            await one
            for one in miniloop.as_completed(miniloop.sleep(0, number) for number in range(3))
        ]
        assert results == [0, 1, 2]

    miniloop.run(main())


def test_wait_refuses_coroutines_of_either_kind() -> None:
    @miniloop.coroutine
    def marked() -> Generator[Any, Any, None]:
        yield

    async def main() -> None:
        for coroutine in (native(), marked()):
            with pytest.raises(TypeError, match="Passing coroutines is forbidden"):
                await miniloop.wait([coroutine])
            with pytest.raises(TypeError, match="expect a list of futures"):
                await miniloop.wait(coroutine)
            coroutine.close()

    miniloop.run(main())


def test_an_unmarked_generator_given_to_wait_is_an_iterable_of_futures() -> None:
    async def main() -> None:
        def futures() -> Generator[Any, Any, None]:
            yield miniloop.ensure_future(miniloop.sleep(0, 1))
            yield miniloop.ensure_future(plain(2))

        done, _ = await miniloop.wait(futures())
        assert {task.result() for task in done} == {1, 2}

    miniloop.run(main())


@pytest.mark.parametrize("timeout", [60, None])
def test_wait_for_drives_an_unmarked_generator(timeout: Any) -> None:
    assert miniloop.run(main_of(lambda: miniloop.wait_for(plain(), timeout))) == "result"
