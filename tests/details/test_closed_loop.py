"""What can no longer be done with a loop that was closed, and with one that runs."""

import asyncio
import gc
import sys
from types import ModuleType
from typing import Any

import pytest

USES = {
    "call_soon": lambda loop: loop.call_soon(print),
    "call_soon_threadsafe": lambda loop: loop.call_soon_threadsafe(print),
    "call_later": lambda loop: loop.call_later(1, print),
    "call_at": lambda loop: loop.call_at(1, print),
    "run_forever": lambda loop: loop.run_forever(),
    "run_in_executor": lambda loop: loop.run_in_executor(None, print),
    "add_reader": lambda loop: loop.add_reader(0, print),
    "add_writer": lambda loop: loop.add_writer(1, print),
}


@pytest.mark.parametrize("use", USES)
def test_a_closed_loop_takes_nothing(loop: Any, use: str) -> None:
    loop.close()
    with pytest.raises(RuntimeError, match=r"^Event loop is closed$"):
        USES[use](loop)
    assert not loop.is_running()


@pytest.mark.parametrize("method", ["create_task", "run_until_complete"])
def test_a_closed_loop_runs_no_coroutine(loop: Any, aio: ModuleType, method: str) -> None:
    loop.close()
    coroutine = aio.sleep(0)
    with pytest.raises(RuntimeError, match=r"^Event loop is closed$"):
        getattr(loop, method)(coroutine)
    coroutine.close()


def test_a_future_of_a_closed_loop_cannot_call_back(loop: Any) -> None:
    future = loop.create_future()
    future.add_done_callback(print)
    quiet = loop.create_future()
    loop.close()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        future.set_result(1)
    assert future.result() == 1
    quiet.set_result(2)  # nobody waits
    assert quiet.result() == 2


def test_close_forgets_callbacks_and_timers(loop: Any) -> None:
    loop.call_soon(pytest.fail, "called")
    timer = loop.call_later(0, pytest.fail, "called")
    loop.close()
    timer.cancel()


def test_a_running_loop_cannot_be_closed(aio: ModuleType, run: Any) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="Cannot close a running event loop"):
            aio.get_running_loop().close()

    run(main())


def test_no_loop_can_be_run_inside_a_running_one(aio: ModuleType, run: Any) -> None:
    if aio is asyncio and (3, 13) <= sys.version_info < (3, 13, 3):
        pytest.skip("this asyncio cleans up after the loop that it refuses to run, and hangs")

    async def main() -> None:
        loop = aio.get_running_loop()
        with pytest.raises(RuntimeError, match="This event loop is already running"):
            loop.run_forever()
        assert aio.get_running_loop() is loop
        other = aio.new_event_loop()
        with pytest.raises(RuntimeError, match="Cannot run the event loop while another"):
            other.run_forever()
        other.close()
        assert aio.get_running_loop() is loop
        assert loop.is_running()
        coroutine = aio.sleep(0)
        with pytest.raises(RuntimeError, match=r"asyncio\.run\(\) cannot be called from"):
            aio.run(coroutine)
        coroutine.close()
        await aio.sleep(0.001)

    run(main())


def test_a_loop_that_was_not_closed_says_so(aio: ModuleType) -> None:
    def forget_a_loop() -> None:
        loop = aio.new_event_loop()
        loop.run_until_complete(aio.sleep(0))
        del loop
        gc.collect()

    with pytest.warns(ResourceWarning, match=r"unclosed event loop <.*EventLoop running=False"):
        forget_a_loop()


def test_run_until_complete_of_a_future_of_another_loop(loop: Any, aio: ModuleType) -> None:
    other = aio.new_event_loop()
    with pytest.raises(ValueError, match="belongs to a different loop"):
        loop.run_until_complete(other.create_future())
    other.close()


def test_a_runner_that_was_closed(aio: ModuleType) -> None:
    runner = aio.Runner()
    assert runner.run(aio.sleep(0, 1)) == 1
    runner.close()
    runner.close()
    coroutine = aio.sleep(0)
    with pytest.raises(RuntimeError, match="Runner is closed"):
        runner.run(coroutine)
    coroutine.close()
    with pytest.raises(RuntimeError, match="Runner is closed"):
        runner.get_loop()


def test_run_sets_no_current_loop_when_it_has_ended(aio: ModuleType) -> None:
    aio.run(aio.sleep(0))
    with pytest.raises(RuntimeError, match="There is no current event loop in thread"):
        aio.get_event_loop()
