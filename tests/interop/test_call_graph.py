"""asyncio's own call graphs of tasks on the interop loop are those of tasks on asyncio's loop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import miniloop
from miniloop import interop
from tests.details.test_call_graph import ASYNCIO_IS_RIGHT, outline, ticks

Way = Callable[[Any], Coroutine[Any, Any, Any]]

LOOPS = [asyncio.SelectorEventLoop, interop.EventLoop]


def run(loop_factory: Callable[[], Any], main: Any) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(60):
            return await main

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(bounded())


async def waits(future: Any) -> None:
    await future


async def gathers(future: Any) -> None:
    await asyncio.gather(future, asyncio.get_running_loop().create_future())


async def gathers_in_vain(future: Any) -> None:
    try:
        await asyncio.gather(future, asyncio.sleep(0), fails())
    except ValueError:
        await asyncio.get_running_loop().create_future()


async def fails() -> None:
    raise ValueError


async def waits_for_all(future: Any) -> None:
    await asyncio.wait([future])


async def shields(future: Any) -> None:
    await asyncio.shield(future)


async def takes_as_completed(future: Any) -> None:
    for coroutine in asyncio.as_completed([future]):
        await coroutine


async def has_a_timeout(future: Any) -> None:
    await asyncio.wait_for(future, 60)


async def has_a_group(future: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(waits(future), name="child")


WAYS = [
    waits,
    gathers,
    gathers_in_vain,
    waits_for_all,
    shields,
    takes_as_completed,
    has_a_timeout,
    has_a_group,
]


async def graphs(library: Any, *ways: Way) -> list[Any]:
    """Return the graphs of a future that tasks wait for in these ways, and of the current task."""
    asyncio.current_task().set_name("main")  # type: ignore[union-attr]
    future = asyncio.get_running_loop().create_future()
    tasks = [asyncio.create_task(way(future), name=way.__name__) for way in ways]
    seen: list[Any] = []
    for _ in range(4):
        await ticks(asyncio, 1)
        seen.append(outline(library.capture_call_graph(future), __file__))
        seen.append(library.format_call_graph(future).count("* Task(name="))
    seen.append(outline(library.capture_call_graph(), __file__))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    seen.append(outline(library.capture_call_graph(future), __file__))
    return seen


@pytest.mark.skipif(not ASYNCIO_IS_RIGHT, reason="asyncio has no call graphs, or faulty ones")
@pytest.mark.parametrize("way", WAYS)
def test_as_on_asyncio(way: Way) -> None:
    theirs, ours = (run(loop, graphs(asyncio, way)) for loop in LOOPS)
    assert ours == theirs
    assert f"    {way.__name__}" in ours[2]
    assert run(interop.EventLoop, graphs(miniloop, way)) == theirs


@pytest.mark.skipif(not ASYNCIO_IS_RIGHT, reason="asyncio has no call graphs, or faulty ones")
def test_all_ways_at_once() -> None:
    theirs, ours = (run(loop, graphs(asyncio, *WAYS)) for loop in LOOPS)
    assert ours == theirs


def test_what_every_python_shows() -> None:
    """Before 3.14 the callbacks of gather() and the like do not tell for whom they wait."""
    seen = run(interop.EventLoop, graphs(miniloop, waits, has_a_group))
    assert seen[2] == (
        "Future\n    child: waits\n        has_a_group: has_a_group\n    waits: waits"
    )
    assert seen[-1] == "Future"
