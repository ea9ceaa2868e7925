"""Call graphs: asyncio, where it has them, shows that what is expected here is right."""

import asyncio
import dataclasses
import inspect
import io
import re
import sys
import textwrap
import types
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import miniloop

# The first releases of asyncio's call graphs had faults (gh-156408, gh-156523, gh-156988, gh-157058
# and gh-157213).
ASYNCIO_IS_RIGHT = sys.version_info >= (3, 15, 2) or (3, 14, 10) <= sys.version_info < (3, 15)
LIBRARIES = [asyncio, miniloop] if ASYNCIO_IS_RIGHT else [miniloop]


@pytest.fixture(params=LIBRARIES, ids=lambda library: library.__name__)
def aio(request: pytest.FixtureRequest) -> ModuleType:
    return request.param  # type: ignore[no-any-return]


Run = Callable[..., Any]


def outline(graph: Any, file: str = __file__, indent: str = "") -> str:
    """Return a graph in short: each future, its frames in a file, below it what awaits it.

    What awaits a future is sorted: asyncio keeps it in a set.
    """
    future = graph.future
    name = future.get_name() if hasattr(future, "get_name") else "Future"
    frames = [entry.frame.f_code for entry in graph.call_stack]
    stack = ", ".join(code.co_name for code in frames if code.co_filename == file)
    below = sorted(outline(awaiting, file, indent + "    ") for awaiting in graph.awaited_by)
    return "\n".join([f"{indent}{name}: {stack}" if stack else f"{indent}{name}", *below])


def of(aio: ModuleType, future: Any = None, **options: Any) -> str:
    """Return the outline of a future's graph."""
    return outline(aio.capture_call_graph(future, **options))


def expected(text: str) -> str:
    return inspect.cleandoc(text)


async def ticks(aio: ModuleType, count: int) -> None:
    for _ in range(count):
        await aio.sleep(0)


async def waits(future: Any) -> Any:
    return await future


# -- who awaits whom -------------------------------------------------------------------------------


def test_a_chain_of_tasks(aio: ModuleType, run: Run) -> None:
    async def main() -> None:
        aio.current_task().set_name("main")
        future = aio.get_running_loop().create_future()
        inner = aio.create_task(waits(future), name="inner")
        outer = aio.create_task(waits(waits(inner)), name="outer")
        await aio.sleep(0)
        assert of(aio, outer) == "outer: waits, waits"
        assert of(aio, future) == expected("""
            Future
                inner: waits
                    outer: waits, waits
            """)
        future.set_result(None)  # inner awaits it until its turn comes
        assert of(aio, future) == expected("""
            Future
                inner: waits
                    outer: waits, waits
            """)
        await aio.sleep(0)
        assert of(aio, future) == "Future"
        assert of(aio, inner) == "inner\n    outer: waits, waits"
        await outer
        assert of(aio, outer) == "outer"

    run(main())


def test_several_tasks_await_one_future(aio: ModuleType, run: Run) -> None:
    async def main() -> None:
        future = aio.get_running_loop().create_future()
        tasks = [aio.create_task(waits(future), name=name) for name in "abc"]
        await aio.sleep(0)
        assert of(aio, future) == "Future\n    a: waits\n    b: waits\n    c: waits"
        assert future._asyncio_awaited_by == frozenset(tasks)
        tasks[1].cancel()
        await aio.wait(tasks)
        assert not future._asyncio_awaited_by

    run(main())


def test_gather(aio: ModuleType, run: Run) -> None:
    async def main() -> None:
        aio.current_task().set_name("main")
        future = aio.get_running_loop().create_future()
        a, b = (aio.create_task(waits(future), name=name) for name in "ab")
        seen = []
        aio.get_running_loop().call_later(0, lambda: seen.append(of(aio, future)))
        aio.get_running_loop().call_later(0, future.set_result, None)
        await aio.gather(a, b, a)
        assert seen == [
            expected("""
                Future
                    a: waits
                        main: main
                    b: waits
                        main: main
            """)
        ]
        assert not a._asyncio_awaited_by

    run(main())


def test_gather_that_nobody_awaits_yet(aio: ModuleType, run: Run) -> None:
    async def main() -> None:
        aio.current_task().set_name("main")
        future = aio.get_running_loop().create_future()
        gathered = aio.gather(future, return_exceptions=True)
        assert of(aio, future) == "Future\n    main"
        assert of(aio, gathered) == "Future"
        gathered.cancel()
        with pytest.raises(aio.CancelledError):
            await gathered
        assert of(aio, future) == "Future"

    run(main())


def test_nested_gather(aio: ModuleType, run: Run) -> None:
    async def gathers(name: str, *futures: Any) -> None:
        await aio.gather(*futures)

    async def main() -> None:
        aio.current_task().set_name("main")
        future = aio.get_running_loop().create_future()
        a = aio.create_task(waits(future), name="a")
        b = aio.create_task(gathers("b", a, future), name="b")
        c = aio.create_task(gathers("c", aio.gather(a, b), b), name="c")
        await ticks(aio, 2)
        assert of(aio, future) == expected("""
            Future
                a: waits
                    b: gathers
                        c: gathers
                        main
                    main
                b: gathers
                    c: gathers
                    main
            """)
        future.set_result(None)
        await c

    run(main())


def test_what_outlives_a_failed_gather_is_not_awaited(aio: ModuleType, run: Run) -> None:
    async def fails() -> None:
        raise ValueError("on purpose")

    async def main() -> None:
        future = aio.get_running_loop().create_future()
        task = aio.create_task(waits(future), name="survivor")
        with pytest.raises(ValueError, match="on purpose"):
            await aio.gather(task, fails())
        assert of(aio, task) == "survivor: waits"
        cancelled = aio.create_task(waits(aio.get_running_loop().create_future()))
        aio.get_running_loop().call_soon(cancelled.cancel)
        with pytest.raises(aio.CancelledError):
            await aio.gather(task, cancelled)
        assert of(aio, task) == "survivor: waits"
        task.cancel()

    run(main())


def test_groups_in_groups(aio: ModuleType, run: Run) -> None:
    async def inner(future: Any) -> None:
        async with aio.TaskGroup() as group:
            group.create_task(waits(future), name="leaf 1")
            group.create_task(waits(future), name="leaf 2")

    async def outer(future: Any) -> None:
        async with aio.TaskGroup() as group:
            group.create_task(inner(future), name="inner")

    async def main() -> None:
        future = aio.get_running_loop().create_future()
        task = aio.create_task(outer(future), name="outer")
        await ticks(aio, 3)
        assert of(aio, future) == expected("""
            Future
                leaf 1: waits
                    inner: inner
                        outer: outer
                leaf 2: waits
                    inner: inner
                        outer: outer
            """)
        future.set_result(None)
        await task

    run(main())


def test_the_body_of_a_group(aio: ModuleType, run: Run) -> None:
    """The group's task awaits its children also while it does something else."""

    async def main() -> None:
        aio.current_task().set_name("main")
        future = aio.get_running_loop().create_future()
        async with aio.TaskGroup() as group:
            child = group.create_task(waits(future), name="child")
            assert of(aio, child) == "child: waits\n    main"
            # asyncio has one note of each pair: whatever ends first takes it away.
            await aio.wait([child], timeout=0)
            assert of(aio, child) == "child: waits"
            again = aio.gather(child)
            assert of(aio, child) == "child: waits\n    main"
            future.set_result(None)
            await again

    run(main())


def test_shield(aio: ModuleType, run: Run) -> None:
    async def shields(inner: Any) -> None:
        await aio.shield(inner)

    async def main() -> None:
        future = aio.get_running_loop().create_future()
        inner = aio.create_task(waits(future), name="inner")
        outer = aio.create_task(shields(inner), name="outer")
        await aio.sleep(0)
        assert of(aio, inner) == "inner: waits\n    outer: shields"
        outer.cancel()
        assert of(aio, inner) == "inner: waits\n    outer: shields"
        await ticks(aio, 2)
        assert of(aio, inner) == "inner: waits"
        again = aio.create_task(shields(inner), name="again")
        await aio.sleep(0)
        future.set_result(None)
        await aio.sleep(0)
        assert of(aio, inner) == "inner\n    again: shields"
        await again
        assert of(aio, inner) == "inner"

    run(main())


@pytest.mark.parametrize("how", ["FIRST_COMPLETED", "ALL_COMPLETED"])
def test_wait(aio: ModuleType, run: Run, how: str) -> None:
    async def main() -> None:
        one, two = (aio.get_running_loop().create_future() for _ in range(2))
        waiting = aio.create_task(aio.wait([one, two], return_when=how), name="waiting")
        await aio.sleep(0)
        assert of(aio, one) == of(aio, two) == "Future\n    waiting"
        one.set_result(None)
        await ticks(aio, 1)
        assert of(aio, one) == "Future"
        assert of(aio, two) == "Future\n    waiting"
        await ticks(aio, 1)
        assert bool(two._asyncio_awaited_by) is (how == "ALL_COMPLETED")
        two.set_result(None)
        await waiting
        assert not two._asyncio_awaited_by

    run(main())


def test_a_cancelled_wait(aio: ModuleType, run: Run) -> None:
    async def main() -> None:
        future = aio.get_running_loop().create_future()
        waiting = aio.create_task(aio.wait([future]), name="waiting")
        await aio.sleep(0)
        waiting.cancel()
        assert of(aio, future) == "Future\n    waiting"
        await aio.sleep(0)
        assert of(aio, future) == "Future"

    run(main())


def test_as_completed(aio: ModuleType, run: Run) -> None:
    async def plain(futures: Any) -> None:
        for coroutine in aio.as_completed(futures):
            await coroutine

    async def timed(futures: Any) -> None:
        (coroutine,) = aio.as_completed(futures, timeout=0.001)
        with pytest.raises(TimeoutError):
            await coroutine

    async def main() -> None:
        future = aio.get_running_loop().create_future()
        task = aio.create_task(plain([future]), name="plain")
        limited = aio.create_task(timed([future]), name="timed")
        await aio.sleep(0)
        assert of(aio, future) == "Future\n    plain: plain\n    timed: timed"
        await limited
        assert of(aio, future) == "Future\n    plain: plain"
        future.set_result(None)
        await task
        assert of(aio, future) == "Future"

    run(main())


def test_as_completed_wants_a_running_loop(aio: ModuleType) -> None:
    loop = aio.new_event_loop()
    future = loop.create_future()
    aio.set_event_loop(loop)
    try:
        with pytest.raises(RuntimeError, match="no running event loop"):
            aio.as_completed([future])
    finally:
        aio.set_event_loop(None)
        loop.close()


def test_gather_wants_futures_of_the_running_loop(aio: ModuleType, run: Run) -> None:
    other = aio.new_event_loop()
    future = other.create_future()
    other.close()

    async def main() -> None:
        with pytest.raises(ValueError, match="belongs to a different loop"):
            aio.gather(future)

    run(main())


@pytest.mark.parametrize("timeout", [None, 60])
def test_wait_for(aio: ModuleType, run: Run, timeout: float | None) -> None:
    async def main() -> None:
        future = aio.get_running_loop().create_future()
        task = aio.create_task(aio.wait_for(future, timeout), name="waiting")
        in_time = aio.create_task(aio.wait_for(waits(future), timeout), name="coroutine")
        await aio.sleep(0)
        assert of(aio, future) == "Future\n    coroutine: waits\n    waiting"
        task.cancel()
        await aio.wait([task, in_time])
        assert of(aio, future) == "Future"

    run(main())


def test_wait_for_no_time(aio: ModuleType, run: Run) -> None:
    async def slow(future: Any) -> None:
        try:
            await aio.get_running_loop().create_future()
        finally:
            await future

    async def main() -> None:
        future = aio.get_running_loop().create_future()
        task = aio.create_task(slow(future), name="slow")
        await aio.sleep(0)
        waiting = aio.create_task(aio.wait_for(task, 0), name="waiting")
        await ticks(aio, 3)
        assert of(aio, task) == "slow: slow\n    waiting"
        waiting.cancel()
        await ticks(aio, 2)
        assert of(aio, task) == "slow: slow"
        future.set_result(None)
        await aio.wait([task])

    run(main())


def test_timeout(aio: ModuleType, run: Run) -> None:
    async def timed(future: Any) -> None:
        async with aio.timeout(0.001):
            await future

    async def main() -> None:
        future = aio.get_running_loop().create_future()
        task = aio.create_task(timed(future), name="timed")
        await aio.sleep(0)
        assert of(aio, future) == "Future\n    timed: timed"
        await aio.wait([task])
        assert of(aio, future) == "Future"

    run(main())


def test_what_is_no_wait(aio: ModuleType, run: Run) -> None:
    class Mine:
        _parent_task = None

        def __getattr__(self, name: str) -> Any:
            return self

        def __call__(self, future: Any) -> None:
            pass

    async def main() -> None:
        future = aio.get_running_loop().create_future()
        later = aio.create_task(waits(future), name="later")
        other = aio.get_running_loop().create_future()
        for callback in (later.cancel, print, [].append, Mine(), Mine().__call__, lambda f: None):
            other.add_done_callback(callback)
        await aio.sleep(0)
        assert not other._asyncio_awaited_by
        later.cancel()

    run(main())


def test_telling_who_awaits_whom(aio: ModuleType, run: Run) -> None:
    async def main() -> None:
        aio.current_task().set_name("main")
        loop = aio.get_running_loop()
        future, told = loop.create_future(), loop.create_future()
        aio.future_add_to_awaited_by(future, told)
        aio.future_add_to_awaited_by(future, told)
        aio.future_add_to_awaited_by(future, aio.current_task())
        assert of(aio, future) == "Future\n    Future\n    main"
        aio.future_discard_from_awaited_by(future, told)
        aio.future_discard_from_awaited_by(future, told)
        assert of(aio, future) == "Future\n    main"
        aio.future_discard_from_awaited_by(future, aio.current_task())
        assert not future._asyncio_awaited_by

        task = aio.create_task(waits(future), name="task")
        await aio.sleep(0)
        aio.future_add_to_awaited_by(future, task)  # it is known already
        aio.future_discard_from_awaited_by(future, task)
        assert of(aio, future) == "Future"
        aio.future_add_to_awaited_by(future, task)
        assert of(aio, future) == "Future\n    task: waits"

        for wrong in (None, 1, object()):
            assert aio.future_add_to_awaited_by(future, wrong) is None
            assert aio.future_add_to_awaited_by(wrong, future) is None
            assert aio.future_discard_from_awaited_by(future, wrong) is None
            assert aio.future_discard_from_awaited_by(wrong, future) is None
        assert of(aio, future) == "Future\n    task: waits"
        task.cancel()

    run(main())


def test_a_task_that_was_left_out_and_waits_once_more(aio: ModuleType, run: Run) -> None:
    async def twice(one: Any, two: Any) -> None:
        await one
        await two

    async def main() -> None:
        one, two = (aio.get_running_loop().create_future() for _ in range(2))
        task = aio.create_task(twice(one, two), name="task")
        await aio.sleep(0)
        aio.future_discard_from_awaited_by(one, task)
        assert of(aio, one) == "Future"
        one.set_result(None)
        await aio.sleep(0)
        assert of(aio, two) == "Future\n    task: twice"
        task.cancel()

    run(main())


def test_awaited_by_can_only_be_read(aio: ModuleType, run: Run) -> None:
    async def main() -> None:
        future = aio.get_running_loop().create_future()
        assert future._asyncio_awaited_by is None
        with pytest.raises(AttributeError):
            future._asyncio_awaited_by = frozenset()
        task = aio.create_task(waits(future))
        await aio.sleep(0)
        assert type(future._asyncio_awaited_by) is frozenset
        task.cancel()

    run(main())


# -- stacks ----------------------------------------------------------------------------------------


def test_the_current_task_from_inside(aio: ModuleType, run: Run) -> None:
    seen = []

    def plain() -> None:
        seen.append(of(aio))
        seen.append(of(aio, aio.current_task()))
        seen.append(of(aio, depth=2))
        seen.append(of(aio, depth=3))
        for limit in (0, 1, 2, -1, -2, 100, -100):
            seen.append(of(aio, limit=limit))  # noqa: PERF401 (the generator would be a frame)

    def values() -> Iterator[int]:
        plain()
        yield 1

    async def produces() -> Any:
        for _ in values():
            yield await aio.sleep(0, 1)

    @types.coroutine
    def generator() -> Any:
        yield from iterates().__await__()

    async def iterates() -> None:
        async for _ in produces():
            pass

    async def main() -> None:
        aio.current_task().set_name("main")
        await generator()

    run(main())
    whole = "main: of, plain, values, produces, iterates, generator, main"
    assert seen == [
        whole,
        whole,
        whole.replace("of, ", ""),
        whole.replace("of, plain, ", ""),
        "main",
        "main",  # the oldest frame: the one in which `run` bounds the time
        "main: main",
        "main: of",
        "main: of, plain",
        whole,
        whole,
    ]


def test_limits_of_a_task_that_waits(aio: ModuleType, run: Run) -> None:
    async def a(future: Any) -> None:
        await b(future)

    async def b(future: Any) -> None:
        await waits(future)

    async def main() -> None:
        aio.current_task().set_name("main")
        future = aio.get_running_loop().create_future()
        task = aio.create_task(a(future), name="task")
        await aio.sleep(0)
        for limit, stack in [
            (None, "task: waits, b, a"),
            (0, "task"),
            (1, "task: a"),
            (2, "task: b, a"),
            (9, "task: waits, b, a"),
            (-1, "task: waits"),
            (-2, "task: waits, b"),
            (-9, "task: waits, b, a"),
        ]:
            assert of(aio, task, limit=limit) == stack
            assert of(aio, future, limit=limit) == f"Future\n    {stack}"
        assert of(aio, task, depth=50) == "task: waits, b, a"
        task.cancel()

    run(main())


def test_a_task_in_a_generator(aio: ModuleType, run: Run) -> None:
    @types.coroutine
    def generator(future: Any) -> Any:
        yield from future

    async def main() -> None:
        future = aio.get_running_loop().create_future()
        task = aio.create_task(waits(generator(future)), name="task")
        await aio.sleep(0)
        assert of(aio, future) == "Future\n    task: waits"
        task.cancel()

    run(main())


def test_tasks_that_have_ended_or_not_begun(aio: ModuleType, run: Run) -> None:
    async def fails() -> None:
        raise ValueError("on purpose")

    async def main() -> None:
        new = aio.create_task(waits(aio.sleep(0)), name="new")
        assert of(aio, new) == "new: waits"
        failed = aio.create_task(fails(), name="failed")
        await aio.wait([new, failed])
        assert of(aio, new) == "new"
        assert of(aio, failed) == "failed"

    run(main())


def test_outside_of_a_loop(aio: ModuleType) -> None:
    loop = aio.new_event_loop()
    future = loop.create_future()
    task = loop.create_task(waits(future), name="task")
    loop.run_until_complete(aio.sleep(0))
    assert of(aio, future) == "Future\n    task: waits"
    assert aio.format_call_graph(future).startswith("* Future(id=0x")
    task.cancel()
    loop.run_until_complete(aio.wait([task]))
    loop.close()


def test_no_task(aio: ModuleType, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    def callback() -> None:
        seen.append(aio.capture_call_graph())
        seen.append(aio.format_call_graph())
        aio.print_call_graph()

    async def main() -> None:
        aio.get_running_loop().call_soon(callback)
        await ticks(aio, 2)

    run(main())
    assert seen == [None, ""]
    assert capsys.readouterr().out == "\n"


NO_LOOP = (
    "capture_call_graph() is called outside of a running event loop and no *future* to introspect "
    "was provided"
)


@pytest.mark.parametrize("name", ["capture_call_graph", "format_call_graph", "print_call_graph"])
def test_errors(aio: ModuleType, run: Run, name: str) -> None:
    function = getattr(aio, name)
    with pytest.raises(RuntimeError) as no_loop:
        function()
    assert str(no_loop.value) == NO_LOOP

    async def main() -> None:
        with pytest.raises(ValueError, match="call stack is not deep enough"):
            function(depth=100_000)
        with pytest.raises(TypeError):
            function(future=aio.current_task())
        with pytest.raises(TypeError):
            function(aio.current_task(), 1)

    for wrong in (1, "future", object):
        with pytest.raises(TypeError) as no_future:
            function(wrong)
        assert str(no_future.value) == (
            f"{wrong!r} object does not appear to be compatible with asyncio.Future"
        )
    run(main())


def test_a_ring(aio: ModuleType, run: Run) -> None:
    async def main() -> None:
        future = aio.get_running_loop().create_future()
        aio.future_add_to_awaited_by(future, future)
        with pytest.raises(RecursionError):
            aio.capture_call_graph(future)
        aio.future_discard_from_awaited_by(future, future)

    run(main())


# -- types and text --------------------------------------------------------------------------------


def test_types(aio: ModuleType, run: Run) -> None:
    async def main() -> None:
        future = aio.get_running_loop().create_future()
        task = aio.create_task(waits(future))
        await aio.sleep(0)
        graph = aio.capture_call_graph(future)
        assert type(graph) is aio.FutureCallGraph
        assert graph.future is future
        assert graph.call_stack == ()
        (awaiting,) = graph.awaited_by
        assert graph == aio.FutureCallGraph(future, (), (awaiting,))
        assert awaiting.future is task
        (entry,) = awaiting.call_stack
        assert type(entry) is aio.FrameCallGraphEntry
        assert entry == aio.FrameCallGraphEntry(task.get_coro().cr_frame)
        assert entry.frame.f_lineno == waits.__code__.co_firstlineno + 1
        for thing, field in ((graph, "future"), (entry, "frame")):
            assert not hasattr(thing, "__dict__")
            hash(thing)
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(thing, field, None)
        task.cancel()

    run(main())


@pytest.mark.parametrize("name", ["FrameCallGraphEntry", "FutureCallGraph"])
@pytest.mark.skipif(not ASYNCIO_IS_RIGHT, reason="asyncio has no call graphs, or faulty ones")
def test_fields(name: str) -> None:
    theirs, ours = (dataclasses.fields(getattr(library, name)) for library in LIBRARIES)
    assert [field.name for field in ours] == [field.name for field in theirs]


@pytest.mark.parametrize(
    "name",
    [
        "FrameCallGraphEntry",
        "FutureCallGraph",
        "capture_call_graph",
        "format_call_graph",
        "future_add_to_awaited_by",
        "future_discard_from_awaited_by",
        "print_call_graph",
    ],
)
@pytest.mark.skipif(not ASYNCIO_IS_RIGHT, reason="asyncio has no call graphs, or faulty ones")
def test_signatures(name: str) -> None:
    theirs, ours = (
        [
            parameter.replace(annotation=inspect.Parameter.empty)
            for parameter in inspect.signature(getattr(library, name)).parameters.values()
        ]
        for library in LIBRARIES
    )
    assert ours == theirs


def shown(text: str) -> str:
    """Leave addresses and the library's own frames out of a printed graph."""
    text = re.sub(r"id=0x[0-9a-f]+", "id=...", text)
    lines = text.splitlines(keepends=True)
    return "".join(
        line.replace(repr(__file__), "here")
        for line in lines
        if "| " not in line or repr(__file__) in line
    )


def test_text(aio: ModuleType, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    def graphs() -> list[str]:
        printed = io.StringIO()
        aio.print_call_graph(file=printed)
        aio.print_call_graph(depth=2)
        return [aio.format_call_graph(), printed.getvalue(), capsys.readouterr().out]

    def values() -> Iterator[list[str]]:
        yield graphs()

    async def produces() -> Any:
        for value in values():
            yield value

    async def leaf() -> None:
        await aio.sleep(0)
        async for value in produces():
            seen.extend(value)

    async def main() -> None:
        aio.current_task().set_name("it's main")
        async with aio.TaskGroup() as group:
            task = group.create_task(leaf(), name="leaf")
            group.create_task(waits(task), name="waits")

    run(main())
    formatted, printed, printed_from_depth_2 = seen
    start = test_text.__code__.co_firstlineno
    assert shown(formatted).rstrip() in orders(
        f"""
        * Task(name='leaf', id=...)
          + Call stack:
          |   File here, line {start + 7}, in test_text.<locals>.graphs()
          |   File here, line {start + 10}, in generator test_text.<locals>.values()
          |   File here, line {start + 13}, in async generator test_text.<locals>.produces()
          |   File here, line {start + 18}, in async test_text.<locals>.leaf()
          + Awaited by:
        """,
        f"""
            * Task(name="it's main", id=...)
              + Call stack:
              |   File here, line {start + 23}, in async test_text.<locals>.main()
        """,
        f"""
            * Task(name='waits', id=...)
              + Call stack:
              |   File here, line {waits.__code__.co_firstlineno + 1}, in async waits()
              + Awaited by:
                * Task(name="it's main", id=...)
                  + Call stack:
                  |   File here, line {start + 23}, in async test_text.<locals>.main()
        """,
    )
    # print_call_graph() shows itself, unless depth leaves it out.
    lines = printed.splitlines()
    assert lines[2].endswith("in print_call_graph()")
    assert not any("print_call_graph" in line for line in printed_from_depth_2.splitlines())
    assert len(printed_from_depth_2.splitlines()) == len(formatted.splitlines()) == len(lines) - 1
    assert printed.endswith("\n")
    assert not formatted.endswith("\n")


def orders(head: str, first: str, second: str) -> list[str]:
    """Put texts together in both orders: what awaits a future is a set in asyncio."""
    head, first, second = (inspect.cleandoc(part) for part in (head, first, second))
    indented = [textwrap.indent(part, "    ") for part in (first, second)]
    return ["\n".join([head, *order]) for order in (indented, indented[::-1])]


def test_a_graph_keeps_nothing_alive(aio: ModuleType, run: Run, no_gc: None) -> None:
    class Thing:
        pass

    async def has_a_thing(future: Any) -> Any:
        thing = Thing()
        aio.format_call_graph()
        aio.capture_call_graph(future)
        await future
        return weakref.ref(thing)

    async def main() -> None:
        future = aio.get_running_loop().create_future()
        task = aio.create_task(has_a_thing(future))
        await aio.sleep(0)
        aio.format_call_graph(future)
        future.set_result(None)
        assert (await task)() is None

    run(main())
