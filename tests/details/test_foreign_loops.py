"""Futures and tasks on a loop of one's own, which has what asyncio documents of loops, no more."""

import gc
import sys
import weakref
from collections import deque
from types import ModuleType
from typing import Any

import pytest

import miniloop


def tiny_loop(aio: ModuleType, base: Any) -> Any:
    """Return a loop as tutorials write it."""

    class TinyLoop(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self._ready: deque[Any] = deque()  # not what the library has by that name
            self.reports: list[dict[str, Any]] = []

        def get_debug(self) -> bool:
            return False

        def is_running(self) -> bool:
            return True

        def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
            handle = aio.Handle(callback, args, self, context)
            self._ready.append((handle, "ready"))
            return handle

        def call_exception_handler(self, context: dict[str, Any]) -> None:
            self.reports.append(context)

        def run(self, coro: Any) -> Any:
            aio._set_running_loop(self)
            try:
                task = aio.Task(coro, loop=self)
                while not task.done():
                    self._ready.popleft()[0]._run()
                return task.result()
            finally:
                aio._set_running_loop(None)

    return TinyLoop()


@pytest.fixture(params=["a subclass", "a class of its own"])
def tiny(aio: ModuleType, request: pytest.FixtureRequest) -> Any:
    if aio is not miniloop and request.param != "a subclass" and sys.version_info < (3, 12):
        pytest.skip("asyncio's tasks ask more of a loop before 3.12")
    return tiny_loop(aio, aio.AbstractEventLoop if request.param == "a subclass" else object)


def test_a_program_runs_on_it(aio: ModuleType, tiny: Any) -> None:
    log: list[str] = []

    async def child(name: str) -> str:
        for step in range(2):
            log.append(f"{name}{step}")
            await aio.sleep(0)
        return name

    async def main() -> list[str]:
        assert aio.get_running_loop() is tiny
        task = aio.Task(child("a"), loop=tiny)
        assert task.get_loop() is tiny
        assert aio.current_task() in aio.all_tasks() >= {task}
        future = aio.Future(loop=tiny)
        tiny.call_soon(future.set_result, "c")
        return [await aio.Task(child("b"), loop=tiny), await task, await future]

    assert tiny.run(main()) == ["b", "a", "c"]
    assert log == ["a0", "b0", "a1", "b1"]
    assert aio.all_tasks(tiny) == set()
    assert aio.current_task(tiny) is None


def test_errors_and_cancelling(aio: ModuleType, tiny: Any) -> None:
    async def fail() -> None:
        raise ValueError

    async def main() -> None:
        waiting = aio.Task(aio.sleep(0), loop=tiny)
        waiting.cancel()
        with pytest.raises(aio.CancelledError):
            await waiting
        with pytest.raises(ValueError):  # noqa: PT011
            await aio.Task(fail(), loop=tiny)
        future = aio.Future(loop=tiny)
        future.set_exception(KeyError())
        del future
        gc.collect()
        with pytest.raises(RuntimeError, match="cannot await on itself"):
            await aio.current_task()

    tiny.run(main())
    assert [type(report["exception"]) for report in tiny.reports] == [KeyError]


def test_an_eager_task_begins_at_once(aio: ModuleType, tiny: Any) -> None:
    async def main() -> bool:
        if aio is not miniloop and sys.version_info < (3, 12):
            return True
        task = aio.Task(aio.sleep(0), loop=tiny, eager_start=True)
        began: bool = task.get_stack() == [] or not task.done()
        await task
        return began

    assert tiny.run(main())


def test_futures_of_two_loops_do_not_mix(aio: ModuleType, tiny: Any, loop: Any) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="attached to a different loop"):
            await loop.create_future()

    tiny.run(main())


def test_every_loop_is_an_abstract_event_loop(aio: ModuleType, loop: Any) -> None:
    assert isinstance(loop, aio.AbstractEventLoop)
    assert not isinstance(object(), aio.AbstractEventLoop)


def test_methods_that_are_missing_say_so(aio: ModuleType) -> None:
    class Loop(aio.AbstractEventLoop):  # type: ignore[misc, name-defined]
        pass

    loop = Loop()
    for name in ("time", "close", "get_debug", "run_forever", "create_future"):
        with pytest.raises(NotImplementedError):
            getattr(loop, name)()
    with pytest.raises(NotImplementedError):
        loop.call_soon(print)


def test_the_abstract_loop_has_what_a_loop_has() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    of_ones_own = {"slow_callback_duration"}
    assert public(miniloop.EventLoop) - of_ones_own == public(miniloop.AbstractEventLoop) - {
        "register"
    }


def test_a_loop_of_ones_own_dies_with_its_last_reference(aio: ModuleType) -> None:
    loop = tiny_loop(aio, aio.AbstractEventLoop)
    future = aio.Future(loop=loop)
    reference = weakref.ref(loop)
    gc.disable()
    try:
        del loop, future
        assert reference() is None
    finally:
        gc.enable()
