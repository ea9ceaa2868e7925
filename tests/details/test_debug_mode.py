"""Debug mode: slow callbacks, where things were made, and calls from the wrong place."""

import asyncio
import re
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import miniloop
from tests.child_process import run_program
from tests.virtual_clock import new_virtual_loop


@pytest.fixture
def debug_loop(aio: ModuleType) -> Iterator[Any]:
    """Give a loop in debug mode whose clock is moved by the program."""
    loop = new_virtual_loop(aio)
    loop.set_debug(True)
    yield loop
    loop.close()


def same_names(text: str) -> str:
    """Make alike what is not: numbers of tasks, a task's wake-up, where sleep() is defined."""
    text = re.sub(r"sleep\(\) done, defined at [^>]+", "sleep()", text)
    text = re.sub(r"Task-\d+", "Task-N", text)
    text = text.replace("_ThreadSafeHandle", "Handle")  # of asyncio's since Python 3.14
    return re.sub(r"Task\.(task_wakeup\(\)|_wakeup\(\)(?: at [^\]]+)?)", "Task.wakeup()", text)


def on_both(program: Callable[[Any], list[str]]) -> list[str]:
    """Run a program on a debug loop of each library; what it returns must be alike."""
    results = []
    for library in (asyncio, miniloop):
        loop = new_virtual_loop(library)
        loop.set_debug(True)
        try:
            results.append([same_names(text) for text in program(loop)])
        finally:
            loop.close()
    theirs, ours = results
    assert ours == theirs
    return ours


def ticks(loop: Any, count: int = 1) -> None:
    for _ in range(count):
        loop.call_soon(loop.stop)
        loop.run_forever()


# -- slow callbacks --------------------------------------------------------------------------------


def slow_reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    texts = [record.getMessage() for record in caplog.records if "Executing" in record.getMessage()]
    caplog.clear()
    return texts


def test_a_slow_callback_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    def program(loop: Any) -> list[str]:
        def slow(seconds: float) -> None:
            loop.recorder.now += seconds

        loop.call_soon(slow, 0.5)
        loop.call_later(1, slow, 2)
        loop.call_soon(slow, 0.01)
        loop.call_later(2, loop.stop)
        loop.run_forever()
        return slow_reports(caplog)

    first, second = on_both(program)
    assert re.fullmatch(
        r"Executing <Handle .*slow\(0\.5\) at .*:\d+ created at .*:\d+> took 0\.500 seconds", first
    )
    assert re.fullmatch(
        r"Executing <TimerHandle when=1\.0 .*slow\(2\) at .* created at .*> took 2\.000 seconds",
        second,
    )


def test_the_step_of_a_task_with_a_foreign_wait_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def program(loop: Any) -> list[str]:
        async def wait() -> None:
            await asyncio.Future(loop=loop)

        task = loop.create_task(wait())
        ticks(loop)
        task.cancel()
        loop.slow_callback_duration = 0
        ticks(loop)
        assert task.cancelled()
        return [text for text in slow_reports(caplog) if "<Task" in text]

    [text] = on_both(program)
    assert text.startswith("Executing <Task cancelled name='Task-N' coro=<")


def test_slow_callback_duration_is_the_bound(
    debug_loop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def slow() -> None:
        debug_loop.recorder.now += 1

    assert debug_loop.slow_callback_duration == 0.1
    debug_loop.slow_callback_duration = 2
    debug_loop.call_soon(slow)
    ticks(debug_loop)
    assert slow_reports(caplog) == []
    debug_loop.slow_callback_duration = 1
    debug_loop.call_soon(slow)
    ticks(debug_loop)
    assert len(slow_reports(caplog)) == 1


def test_a_handle_cancelled_in_its_own_slow_callback_is_still_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def program(loop: Any) -> list[str]:
        def slow() -> None:
            handle.cancel()
            loop.recorder.now += 1

        handle = loop.call_soon(slow)
        ticks(loop)
        return [*slow_reports(caplog), repr(handle)]

    report, _ = on_both(program)
    assert "slow() at " in report


def test_nothing_is_timed_without_debug_mode(
    debug_loop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    debug_loop.set_debug(False)
    debug_loop.slow_callback_duration = 0
    debug_loop.call_soon(int)
    ticks(debug_loop)
    assert slow_reports(caplog) == []


# -- where things were made ------------------------------------------------------------------------


def make(loop: Any) -> list[Any]:
    """Make one of each thing that notes where it was made."""
    library: Any = miniloop if isinstance(loop, miniloop.EventLoop) else asyncio

    async def main() -> list[Any]:
        tasks = [
            library.create_task(library.sleep(0)),
            library.ensure_future(library.sleep(0)),
        ]
        await library.wait(tasks)
        return tasks

    things = [
        loop.create_future(),
        library.Future(loop=loop),
        library.Task(library.sleep(0), loop=loop),
        loop.create_task(library.sleep(0)),
        library.ensure_future(library.sleep(0), loop=loop),
        loop.call_soon(int),
        loop.call_soon_threadsafe(int),
        loop.call_later(1, int),
        loop.call_at(1, int),
        library.gather(loop.create_future()),
        loop.run_in_executor(None, int),
    ]
    things += loop.run_until_complete(main())
    outer = things[9]
    outer.cancel()
    loop.run_until_complete(library.wait([things[2], things[3], things[4], outer, things[10]]))
    assert isinstance(outer.exception(), library.CancelledError)
    loop.run_until_complete(loop.shutdown_default_executor())
    return things


def last_line_here(thing: Any) -> int:
    """Return in which line of this file the thing was made."""
    return [frame.lineno for frame in thing._source_traceback if frame.filename == __file__][-1]


def test_things_tell_where_they_were_made() -> None:
    def program(loop: Any) -> list[str]:
        loop.slow_callback_duration = 60
        things = make(loop)
        return [same_names(f"{type(thing).__name__} {last_line_here(thing)}") for thing in things]

    assert len(set(on_both(program))) == 13


def test_reprs_tell_where_things_were_made() -> None:
    reprs = []
    for library in (asyncio, miniloop):
        loop = new_virtual_loop(library)
        loop.set_debug(True)
        loop.slow_callback_duration = 60
        reprs.append([same_names(repr(thing)) for thing in make(loop)])
        loop.close()
    compared = 0
    for theirs, ours in zip(*reprs, strict=True):
        if f"created at {__file__}" in theirs:  # else it is a line inside asyncio
            compared += 1
            assert ours == theirs
    assert compared >= 6


def test_nothing_is_noted_without_debug_mode(loop: Any) -> None:
    loop.set_debug(False)
    assert loop.call_soon(int)._source_traceback is None
    assert loop.create_future()._source_traceback is None


# -- the wrong thread ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["call_soon", "call_later", "call_at"])
def test_calls_from_another_thread_are_refused(debug_loop: Any, method: str) -> None:
    errors: list[str] = []

    def call() -> None:
        args = (print,) if method == "call_soon" else (1, print)
        try:
            getattr(debug_loop, method)(*args)
        except RuntimeError as exc:
            errors.append(str(exc))

    def in_thread() -> None:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    debug_loop.slow_callback_duration = 60
    debug_loop.call_soon(in_thread)
    ticks(debug_loop)
    assert errors == [
        "Non-thread-safe operation invoked on an event loop other than the current one"
    ]


@pytest.mark.parametrize("what", ["create_task", "set_result", "task.cancel"])
def test_tasks_and_futures_touched_from_another_thread_are_refused(
    aio: ModuleType, debug_loop: Any, what: str
) -> None:
    errors: list[str] = []
    future = debug_loop.create_future()
    future.add_done_callback(print)
    inner = debug_loop.create_future()

    async def wait() -> None:
        await inner

    waiting = debug_loop.create_task(wait())
    coroutine = aio.sleep(0)
    calls: dict[str, Callable[[], Any]] = {
        "create_task": lambda: debug_loop.create_task(coroutine),
        "set_result": lambda: future.set_result(1),
        "task.cancel": waiting.cancel,
    }

    def call() -> None:
        try:
            calls[what]()
        except RuntimeError as exc:
            errors.append(str(exc))

    def in_thread() -> None:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    debug_loop.slow_callback_duration = 60
    ticks(debug_loop)
    debug_loop.call_soon(in_thread)
    ticks(debug_loop)
    assert len(errors) == 1
    assert errors[0].startswith("Non-thread-safe operation")
    coroutine.close()
    waiting._log_destroy_pending = False


def test_call_soon_threadsafe_is_allowed(debug_loop: Any) -> None:
    debug_loop.slow_callback_duration = 60
    thread = threading.Thread(target=lambda: debug_loop.call_soon_threadsafe(debug_loop.stop))
    debug_loop.call_soon(thread.start)
    debug_loop.run_forever()
    thread.join()


# -- the wrong thing -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_later", "call_at"])
def test_what_is_no_callback_is_refused(aio: ModuleType, debug_loop: Any, method: str) -> None:
    coroutine = aio.sleep(0)
    first = () if method.startswith("call_soon") else (1,)
    shown = "call_at" if method == "call_later" else method
    for wrong in (coroutine, aio.sleep):
        with pytest.raises(TypeError, match=rf"coroutines cannot be used with {shown}\(\)"):
            getattr(debug_loop, method)(*first, wrong)
    with pytest.raises(TypeError, match=rf"a callable object was expected by {shown}\(\), got 5"):
        getattr(debug_loop, method)(*first, 5)
    coroutine.close()


def test_run_in_executor_refuses_coroutines(aio: ModuleType, debug_loop: Any) -> None:
    coroutine = aio.sleep(0)
    for wrong in (coroutine, aio.sleep):
        with pytest.raises(TypeError, match="coroutines cannot be used with run_in_executor"):
            debug_loop.run_in_executor(None, wrong)
    coroutine.close()


# -- where coroutines were made --------------------------------------------------------------------


def test_origin_tracking_is_on_while_the_loop_runs_and_then_as_before(debug_loop: Any) -> None:
    depths: list[int] = []
    sys.set_coroutine_origin_tracking_depth(3)
    try:
        debug_loop.call_soon(lambda: depths.append(sys.get_coroutine_origin_tracking_depth()))
        ticks(debug_loop)
        depths.append(sys.get_coroutine_origin_tracking_depth())
    finally:
        sys.set_coroutine_origin_tracking_depth(0)
    assert depths == [10, 3]


def test_debug_mode_can_be_switched_while_the_loop_runs(loop: Any) -> None:
    depths: list[int] = []

    async def main() -> None:
        sleep = miniloop.sleep if isinstance(loop, miniloop.EventLoop) else asyncio.sleep
        for enabled in (True, False):
            loop.set_debug(enabled)
            await sleep(0)
            depths.append(sys.get_coroutine_origin_tracking_depth())

    loop.set_debug(False)
    loop.run_until_complete(main())
    assert depths == [10, 0]


def test_a_failing_run_restores_origin_tracking(debug_loop: Any) -> None:
    def fail() -> None:
        raise KeyboardInterrupt

    debug_loop.call_soon(fail)
    with pytest.raises(KeyboardInterrupt):
        debug_loop.run_forever()
    assert sys.get_coroutine_origin_tracking_depth() == 0


# -- turning it on ---------------------------------------------------------------------------------

ASK = "print(aio.new_event_loop().get_debug()); import warnings; warnings.simplefilter('ignore')"


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        ((), {}, "False"),
        ((), {"PYTHONASYNCIODEBUG": "1"}, "True"),
        ((), {"PYTHONASYNCIODEBUG": ""}, "False"),
        (("-X", "dev", "-W", "ignore"), {}, "True"),
    ],
    ids=["plain", "PYTHONASYNCIODEBUG", "PYTHONASYNCIODEBUG empty", "-X dev"],
)
def test_where_debug_mode_comes_from(
    aio: ModuleType, options: tuple[str, ...], environ: dict[str, str], expected: str
) -> None:
    ended = run_program(aio, ASK, *options, **environ)
    assert (ended.stdout.strip(), ended.stderr) == (expected, "")


def test_run_sets_debug_mode(aio: ModuleType) -> None:
    async def main() -> bool:
        return aio.get_running_loop().get_debug()  # type: ignore[no-any-return]

    assert aio.run(main(), debug=True) is True
    assert aio.run(main(), debug=False) is False


def test_a_slow_step_is_reported_with_the_task(caplog: pytest.LogCaptureFixture) -> None:
    def program(loop: Any) -> list[str]:
        async def main() -> None:
            loop.recorder.now += 0.25
            await future
            loop.recorder.now += 0.75

        future = type(loop.create_future())(loop=loop)
        task = loop.create_task(main())
        ticks(loop)
        future.set_result(None)
        ticks(loop)
        assert task.done()
        return slow_reports(caplog)

    first, second = on_both(program)
    assert re.fullmatch(
        r"Executing <Task pending name='Task-N' coro=<.*main\(\) running at .*:\d+> "
        r"wait_for=<Future pending cb=\[Task\.wakeup\(\)\] created at .*:\d+> "
        r"created at .*:\d+> took 0\.250 seconds",
        first,
    )
    assert "<Task finished name='Task-N'" in second
    assert second.endswith("took 0.750 seconds")
