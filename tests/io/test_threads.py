"""call_soon_threadsafe, run_coroutine_threadsafe, wrap_future: from thread to thread."""

import concurrent.futures
import contextvars
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest


def test_calls_from_many_threads_arrive_all_and_in_order(loop: Any) -> None:
    threads, calls = 8, 300
    arrived: dict[int, list[int]] = defaultdict(list)
    left = threads * calls
    start = threading.Barrier(threads)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def arrive(sender: int, number: int) -> None:
        nonlocal left
        arrived[sender].append(number)
        left -= 1
        if not left:
            loop.stop()

    def send(sender: int) -> None:
        start.wait(60)
        for number in range(calls):
            loop.call_soon_threadsafe(arrive, sender, number)

    senders = [threading.Thread(target=send, args=(number,)) for number in range(threads)]
    guard = loop.call_later(60, loop.stop)
    try:
        for sender in senders:
            sender.start()
        loop.run_forever()
        for sender in senders:
            sender.join()
    finally:
        sys.setswitchinterval(interval)
    guard.cancel()
    assert left == 0
    assert dict(arrived) == {number: list(range(calls)) for number in range(threads)}


def test_a_cancelled_threadsafe_call_is_not_made(loop: Any) -> None:
    loop.call_soon_threadsafe(pytest.fail, "called").cancel()
    loop.call_soon(loop.stop)
    loop.run_forever()


def test_a_threadsafe_call_sees_the_context_of_its_caller(loop: Any) -> None:
    variable = contextvars.ContextVar("variable", default="outside")
    seen: list[str] = []

    def send() -> None:
        variable.set("in the thread")
        loop.call_soon_threadsafe(lambda: (seen.append(variable.get()), loop.stop()))

    thread = threading.Thread(target=send)
    loop.call_soon(thread.start)
    loop.run_forever()
    thread.join()
    assert seen == ["in the thread"]


def in_thread(run: Callable[..., Any], aio: ModuleType, job: Callable[[Any], Any]) -> Any:
    """Call `job(loop)` in another thread while `loop` runs, and return its result."""

    async def main() -> Any:
        loop = aio.get_running_loop()
        return await loop.run_in_executor(None, job, loop)

    return run(main())


def test_run_coroutine_threadsafe_returns_the_result(aio: ModuleType, run: Any) -> None:
    def job(loop: Any) -> Any:
        return aio.run_coroutine_threadsafe(aio.sleep(0, "result"), loop).result(60)

    assert in_thread(run, aio, job) == "result"


def test_run_coroutine_threadsafe_raises_what_the_coroutine_raises(
    aio: ModuleType, run: Any
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError("here")

    def job(loop: Any) -> Any:
        return repr(aio.run_coroutine_threadsafe(fail(), loop).exception(60))

    assert in_thread(run, aio, job) == "ZeroDivisionError('here')"


def test_cancelling_the_threads_future_cancels_the_task(aio: ModuleType, run: Any) -> None:
    started, ended = threading.Event(), threading.Event()

    async def wait() -> None:
        try:
            started.set()
            await aio.sleep(60)
        finally:
            ended.set()

    def job(loop: Any) -> Any:
        future = aio.run_coroutine_threadsafe(wait(), loop)
        assert started.wait(60)
        return future.cancel(), ended.wait(60), future.cancelled()

    assert in_thread(run, aio, job) == (True, True, True)


def test_cancelling_the_task_cancels_the_threads_future(aio: ModuleType, run: Any) -> None:
    async def cancel_oneself() -> None:
        aio.current_task().cancel()
        await aio.sleep(0)

    def job(loop: Any) -> Any:
        future = aio.run_coroutine_threadsafe(cancel_oneself(), loop)
        with pytest.raises(concurrent.futures.CancelledError):
            future.result(60)
        return future.cancelled()

    assert in_thread(run, aio, job) is True


def test_run_coroutine_threadsafe_wants_a_coroutine(loop: Any, aio: ModuleType) -> None:
    with pytest.raises(TypeError, match="A coroutine object is required"):
        aio.run_coroutine_threadsafe(print, loop)


def test_a_task_factory_that_fails_is_told_to_the_thread(
    aio: ModuleType, loop: Any, reports: list[dict[str, Any]]
) -> None:
    def factory(loop: Any, coro: Any, **options: Any) -> Any:
        coro.close()
        loop.call_soon(loop.stop)
        raise ZeroDivisionError

    loop.set_task_factory(factory)
    future = aio.run_coroutine_threadsafe(aio.sleep(0), loop)
    loop.run_forever()
    assert isinstance(future.exception(60), ZeroDivisionError)
    assert [type(report["exception"]) for report in reports] == [ZeroDivisionError]


def test_wrap_future_returns_a_future_of_the_loop_as_it_is(loop: Any, aio: ModuleType) -> None:
    future = loop.create_future()
    assert aio.wrap_future(future) is future


def test_wrap_future_passes_results_and_cancels(loop: Any, aio: ModuleType) -> None:
    theirs: Any = concurrent.futures.Future()
    ours = aio.wrap_future(theirs, loop=loop)
    theirs.set_result(1)
    assert loop.run_until_complete(ours) == 1

    theirs = concurrent.futures.Future()
    ours = aio.wrap_future(theirs, loop=loop)
    ours.cancel()
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert theirs.cancelled()

    theirs = concurrent.futures.Future()
    ours = aio.wrap_future(theirs, loop=loop)
    theirs.cancel()
    theirs.set_running_or_notify_cancel()
    with pytest.raises(aio.CancelledError):
        loop.run_until_complete(ours)


def test_a_result_that_comes_after_close_is_dropped(aio: ModuleType) -> None:
    loop = aio.new_event_loop()
    theirs: Any = concurrent.futures.Future()
    aio.wrap_future(theirs, loop=loop)
    loop.close()
    theirs.set_result(1)


def test_each_thread_has_its_own_running_loop(aio: ModuleType, run: Any) -> None:
    def job(outer: Any) -> Any:
        async def inner() -> Any:
            return aio.get_running_loop()

        with pytest.raises(RuntimeError, match="no running event loop"):
            aio.get_running_loop()
        with pytest.raises(RuntimeError, match="There is no current event loop in thread"):
            aio.get_event_loop()
        return aio.run(inner()) is not outer

    assert in_thread(run, aio, job) is True
