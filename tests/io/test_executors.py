"""run_in_executor with threads and processes, to_thread, and the default executor's end."""

import concurrent.futures
import contextvars
import multiprocessing
import operator
import os
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import miniloop


@pytest.fixture(params=["threads", "processes"])
def pool(request: pytest.FixtureRequest) -> Iterator[concurrent.futures.Executor]:
    if request.param == "threads":
        with concurrent.futures.ThreadPoolExecutor(2) as executor:
            yield executor
    else:
        spawn = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=spawn) as processes:
            yield processes


class Blocked:
    """A function that blocks its thread until it is told to go on."""

    def __init__(self) -> None:
        self.started, self.go_on, self.ended = (threading.Event() for _ in range(3))

    def __call__(self) -> str:
        self.started.set()
        assert self.go_on.wait(60)
        self.ended.set()
        return "result"


def test_results_and_errors_come_back(aio: ModuleType, run: Any, pool: Any) -> None:
    async def main() -> Any:
        loop = aio.get_running_loop()
        calls = [loop.run_in_executor(pool, operator.pow, 2, number) for number in range(5)]
        assert await aio.gather(*calls) == [1, 2, 4, 8, 16]
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(pool, operator.truediv, 1, 0)
        return await loop.run_in_executor(pool, os.getpid)

    in_this_process = isinstance(pool, concurrent.futures.ThreadPoolExecutor)
    assert (run(main()) == os.getpid()) is in_this_process


def test_combinators_take_calls_of_an_executor(aio: ModuleType, run: Any, pool: Any) -> None:
    async def main() -> None:
        loop = aio.get_running_loop()
        calls = [loop.run_in_executor(pool, abs, -number) for number in range(4)]
        done, pending = await aio.wait(calls)
        assert ({call.result() for call in done}, pending) == ({0, 1, 2, 3}, set())
        calls = [loop.run_in_executor(pool, abs, -number) for number in range(4)]
        assert {await call for call in aio.as_completed(calls)} == {0, 1, 2, 3}
        assert await aio.wait_for(loop.run_in_executor(pool, abs, -9), 60) == 9

    run(main())


def test_a_broken_process_pool_is_told_to_who_waits(run: Any, aio: ModuleType) -> None:
    async def main() -> None:
        spawn = multiprocessing.get_context("spawn")
        with (
            concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as processes,
            pytest.raises(concurrent.futures.BrokenExecutor),
        ):
            await aio.get_running_loop().run_in_executor(processes, os._exit, 1)

    run(main())


def test_the_default_executor_is_made_at_first_use_and_once(
    aio: ModuleType, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    class Counted(concurrent.futures.ThreadPoolExecutor):
        def __init__(self, *args: Any, **options: Any) -> None:
            made.append(options.get("thread_name_prefix", ""))
            super().__init__(*args, **options)

    monkeypatch.setattr(concurrent.futures, "ThreadPoolExecutor", Counted)

    async def main() -> None:
        await aio.sleep(0)
        assert made == []
        name = await aio.to_thread(lambda: threading.current_thread().name)
        assert name.startswith("asyncio")
        await aio.get_running_loop().run_in_executor(None, int)
        assert made == ["asyncio"]

    run(main())


def test_run_waits_for_the_threads_of_the_default_executor(aio: ModuleType, run: Any) -> None:
    async def main() -> None:
        await aio.to_thread(int)

    before = threading.active_count()
    run(main())
    assert threading.active_count() == before


def test_cancelling_the_wait_does_not_stop_a_call_that_has_begun(aio: ModuleType, run: Any) -> None:
    blocked = Blocked()

    async def main() -> None:
        task = aio.create_task(aio.to_thread(blocked))
        while not blocked.started.is_set():
            await aio.sleep(0.001)
        task.cancel()
        with pytest.raises(aio.CancelledError):
            await task
        assert not blocked.ended.is_set()
        blocked.go_on.set()

    run(main())
    assert blocked.ended.is_set()


def test_a_call_cancelled_before_its_turn_is_never_made(aio: ModuleType, run: Any) -> None:
    blocked = Blocked()

    async def main() -> None:
        loop = aio.get_running_loop()
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            first = loop.run_in_executor(executor, blocked)
            second = loop.run_in_executor(executor, pytest.fail, "called")
            assert second.cancel()
            await aio.sleep(0)  # the pool's future is cancelled by a callback
            blocked.go_on.set()
            assert await first == "result"
            assert second.cancelled()

    run(main())


def test_an_executor_that_refuses_raises_at_once(loop: Any) -> None:
    executor = concurrent.futures.ThreadPoolExecutor()
    executor.shutdown()
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        loop.run_in_executor(executor, int)


def test_any_executor_will_do(loop: Any) -> None:
    class AtOnce(concurrent.futures.Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            future: concurrent.futures.Future[Any] = concurrent.futures.Future()
            future.set_result(fn(*args, **kwargs))
            return future

    assert loop.run_until_complete(loop.run_in_executor(AtOnce(), divmod, 7, 2)) == (3, 1)


def test_stop_iteration_from_a_thread_becomes_runtime_error(aio: ModuleType, run: Any) -> None:
    if aio.__name__ == "asyncio" and sys.version_info < (3, 13):
        pytest.skip("asyncio before 3.13 (3.12.1) never ends the wait")

    async def main() -> None:
        with pytest.raises(RuntimeError, match="StopIteration interacts badly") as caught:
            await aio.to_thread(next, iter(()))
        assert isinstance(caught.value.__cause__, StopIteration)

    run(main())


# -- to_thread -------------------------------------------------------------------------------------


def test_to_thread_passes_arguments_and_context(aio: ModuleType, run: Any) -> None:
    variable = contextvars.ContextVar("variable", default="outside")

    def work(*args: Any, **kwargs: Any) -> Any:
        seen = variable.get()
        variable.set("in the thread")
        return threading.current_thread() is threading.main_thread(), seen, args, kwargs

    async def main() -> None:
        variable.set("in the task")
        result = await aio.to_thread(work, 1, 2, key=3, func=4)
        assert result == (False, "in the task", (1, 2), {"key": 3, "func": 4})
        assert variable.get() == "in the task"

    run(main())


def test_to_thread_raises_what_the_function_raises(aio: ModuleType, run: Any) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="no number"):
            await aio.to_thread(int, "no number")

    run(main())


# -- the default executor --------------------------------------------------------------------------


def test_a_default_executor_of_ones_own_is_used_and_shut_down(aio: ModuleType, run: Any) -> None:
    executor = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="mine")

    async def main() -> str:
        aio.get_running_loop().set_default_executor(executor)
        return await aio.to_thread(lambda: threading.current_thread().name)

    assert run(main()) == "mine_0"
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(int)


@pytest.mark.parametrize("wrong", [None, "threads", concurrent.futures.ProcessPoolExecutor])
def test_the_default_executor_must_have_threads(loop: Any, wrong: Any) -> None:
    with pytest.raises(TypeError, match="executor must be ThreadPoolExecutor instance"):
        loop.set_default_executor(wrong)


def test_nothing_is_taken_after_shutdown_default_executor(loop: Any) -> None:
    loop.run_until_complete(loop.shutdown_default_executor())
    with pytest.raises(RuntimeError, match="Executor shutdown has been called"):
        loop.run_in_executor(None, int)


def test_shutdown_with_a_timeout_warns_and_lets_the_threads_go(aio: ModuleType) -> None:
    if aio is not miniloop and sys.version_info < (3, 13):
        pytest.skip("asyncio has no timeout in 3.11, and waits longer than that in 3.12.1")
    others = threading.enumerate()
    loop = aio.new_event_loop()
    blocked = Blocked()
    call = loop.run_in_executor(None, blocked)
    assert blocked.started.wait(60)
    with pytest.warns(RuntimeWarning, match=r"did not finishing joining its threads within 0\.01"):
        loop.run_until_complete(loop.shutdown_default_executor(timeout=0.01))
    assert not blocked.ended.is_set()
    blocked.go_on.set()
    assert loop.run_until_complete(call) == "result"
    for thread in threading.enumerate():
        if thread not in others and not thread.daemon:
            thread.join(60)
    loop.close()


def test_close_does_not_wait_for_the_threads(loop: Any) -> None:
    blocked = Blocked()
    loop.run_in_executor(None, blocked)
    assert blocked.started.wait(60)
    loop.close()
    assert not blocked.ended.is_set()
    blocked.go_on.set()
    assert blocked.ended.wait(60)
