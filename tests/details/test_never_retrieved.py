"""Exceptions that nobody asked for, and tasks destroyed while pending, are reported once."""

import gc
import logging
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

Make = Callable[[BaseException], Any]


def subclass(base: Any) -> Any:
    """Return a subclass as users write them: with arguments, attributes and a repr of its own."""

    class Named(base):  # type: ignore[misc]
        def __init__(self, *args: Any, tag: str, **options: Any) -> None:
            super().__init__(*args, **options)
            self.tag = tag

        def __repr__(self) -> str:
            return f"<Named {self.tag}>"

    return Named


@pytest.fixture(params=["Future", "Task", "subclass of Future", "subclass of Task", "eager Task"])
def make(request: pytest.FixtureRequest, aio: ModuleType, loop: Any) -> Make:
    """Give a function that returns a future or task that has failed."""
    if request.param == "eager Task" and not hasattr(aio, "eager_task_factory"):
        pytest.skip("asyncio has eager tasks since 3.12")

    async def fail(exception: BaseException) -> None:
        raise exception

    async def start_eagerly(exception: BaseException) -> Any:
        return [aio.Task(fail(exception), loop=loop, eager_start=True)]

    def make(exception: BaseException) -> Any:
        match request.param:
            case "Future":
                future = loop.create_future()
                future.set_exception(exception)
            case "subclass of Future":
                future = subclass(aio.Future)(loop=loop, tag="here")
                future.set_exception(exception)
            case "Task":
                future = loop.create_task(fail(exception))
            case "subclass of Task":
                future = subclass(aio.Task)(fail(exception), loop=loop, tag="here")
            case "eager Task":
                [future] = loop.run_until_complete(start_eagerly(exception))
        loop.call_soon(loop.stop)
        loop.run_forever()
        assert future.done()
        return future

    return make


def test_reported_once_when_it_is_destroyed(make: Make, reports: list[dict[str, Any]]) -> None:
    future = make(ZeroDivisionError("here"))
    kind, text = type(future).__name__, repr(future)
    assert reports == []
    del future
    gc.collect()
    [report] = reports
    assert report["message"] == f"{kind} exception was never retrieved"
    assert repr(report["exception"]) == "ZeroDivisionError('here')"
    assert repr(report["future"]) == text
    assert type(report["future"]).__name__ == kind
    assert set(report) == {"message", "exception", "future"}
    reports.clear()
    del report
    gc.collect()
    assert reports == []


def test_the_log_has_the_text_and_the_traceback(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    future = make(ZeroDivisionError("here"))
    expected = f"{type(future).__name__} exception was never retrieved\nfuture: {future!r}"
    del future
    gc.collect()
    [record] = caplog.records
    assert (record.name, record.levelno) == ("asyncio", logging.ERROR)
    assert record.getMessage() == expected
    assert record.exc_info
    assert repr(record.exc_info[1]) == "ZeroDivisionError('here')"


def ask_for_the_result(future: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        future.result()


WAYS_TO_ASK: dict[str, Callable[[Any], Any]] = {
    "result": ask_for_the_result,
    "exception": lambda future: future.exception(),
    "cancel": lambda future: future.cancel(),
    "_log_traceback": lambda future: setattr(future, "_log_traceback", False),
}


@pytest.mark.parametrize("way", WAYS_TO_ASK)
def test_not_reported_after(make: Make, reports: list[dict[str, Any]], way: str) -> None:
    future = make(ZeroDivisionError("here"))
    WAYS_TO_ASK[way](future)
    del future
    gc.collect()
    assert reports == []


def test_not_reported_after_it_was_awaited(
    make: Make, loop: Any, reports: list[dict[str, Any]]
) -> None:
    async def wait(future: Any) -> None:
        with pytest.raises(ZeroDivisionError):
            await future

    loop.run_until_complete(wait(make(ZeroDivisionError("here"))))
    gc.collect()
    assert reports == []


def test_not_reported_by_combinators_that_asked(
    make: Make, loop: Any, aio: ModuleType, reports: list[dict[str, Any]]
) -> None:
    async def main() -> None:
        await aio.gather(make_later(), return_exceptions=True)
        with pytest.raises(ZeroDivisionError):
            await aio.shield(make_later())

    def make_later() -> Any:
        return futures.pop()

    futures = [make(ZeroDivisionError("here")) for _ in range(2)]
    loop.run_until_complete(main())
    gc.collect()
    assert reports == []


def test_a_callback_alone_does_not_count_as_asking(
    make: Make, loop: Any, reports: list[dict[str, Any]]
) -> None:
    future = make(ZeroDivisionError("here"))
    future.add_done_callback(lambda future: None)
    loop.call_soon(loop.stop)
    loop.run_forever()
    del future
    gc.collect()
    assert len(reports) == 1


def test_setting_log_traceback_to_true_is_refused(make: Make) -> None:
    future = make(ZeroDivisionError("here"))
    assert future._log_traceback is True
    with pytest.raises(ValueError, match="_log_traceback can only be set to False"):
        future._log_traceback = True
    future.exception()
    assert future._log_traceback is False


def test_a_report_while_another_exception_is_handled(
    make: Make, reports: list[dict[str, Any]]
) -> None:
    future = make(ZeroDivisionError("here"))
    try:
        raise KeyError("being handled")
    except KeyError:
        del future
        gc.collect()
    assert len(reports) == 1


def test_a_report_after_the_loop_was_closed(
    make: Make, loop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    future = make(ZeroDivisionError("here"))
    loop.close()
    del future
    gc.collect()
    assert [record.getMessage().partition("\n")[0] for record in caplog.records] == [
        caplog.records[0].getMessage().partition(" ")[0] + " exception was never retrieved"
    ]


def test_a_handler_that_fails_is_logged(
    make: Make, loop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(loop: Any, context: dict[str, Any]) -> None:
        raise KeyError("handler")

    loop.set_exception_handler(handler)
    future = make(ZeroDivisionError("here"))
    del future
    gc.collect()
    [record] = caplog.records
    assert record.getMessage().startswith("Unhandled error in exception handler\ncontext: {")


def test_in_debug_mode_the_report_tells_where_it_was_made(
    make: Make, loop: Any, reports: list[dict[str, Any]]
) -> None:
    loop.set_debug(True)
    loop.slow_callback_duration = 60
    future = make(ZeroDivisionError("here"))
    text = repr(future)
    del future
    gc.collect()
    [report] = reports
    assert repr(report["future"]) == text
    assert __file__ in [frame.filename for frame in report["source_traceback"]]


# -- subclasses of Future that the class alone does not describe -----------------------------------


def test_a_subclass_with_a_constructor_of_its_own(
    aio: ModuleType, loop: Any, reports: list[dict[str, Any]]
) -> None:
    class New(aio.Future):  # type: ignore[name-defined, misc]
        def __new__(cls, tag: str, **options: Any) -> Any:
            return super().__new__(cls)

        def __init__(self, tag: str, **options: Any) -> None:
            super().__init__(**options)
            self.tag = tag

    future = New("here", loop=loop)
    future.set_exception(ZeroDivisionError("here"))
    del future
    gc.collect()
    [report] = reports
    assert report["future"].tag == "here"


def test_a_subclass_that_overrides_set_exception(
    aio: ModuleType, loop: Any, reports: list[dict[str, Any]]
) -> None:
    class Counted(aio.Future):  # type: ignore[name-defined, misc]
        count = 0

        def set_exception(self, exception: Any) -> None:
            self.count += 1
            super().set_exception(exception)

    future = Counted(loop=loop)
    future.set_exception(ZeroDivisionError("here"))
    del future
    gc.collect()
    assert [report["future"].count for report in reports] == [1]


# -- destroyed while pending -----------------------------------------------------------------------


def test_a_pending_task_that_is_destroyed_is_reported(
    aio: ModuleType, loop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def wait() -> None:
        await loop.create_future()

    loop.create_task(wait(), name="lost")
    loop.call_soon(loop.stop)
    loop.run_forever()
    gc.collect()
    [record] = caplog.records
    first, second = record.getMessage().splitlines()
    assert first == "Task was destroyed but it is pending!"
    assert re.match(r"task: <Task pending name='lost' coro=<.*wait\(\) (running|done)", second)


@pytest.mark.parametrize("as_a_task", [True, False])
def test_a_main_program_that_is_stopped_and_destroyed(
    loop: Any, reports: list[dict[str, Any]], as_a_task: bool
) -> None:
    # A task of one's own is reported. run_until_complete() has made the other one, and raises.
    async def wait() -> None:
        await loop.create_future()

    loop.call_soon(loop.stop)
    with pytest.raises(RuntimeError, match="stopped before Future completed"):
        loop.run_until_complete(loop.create_task(wait()) if as_a_task else wait())
    gc.collect()
    assert [report["message"] for report in reports] == (
        ["Task was destroyed but it is pending!"] if as_a_task else []
    )


def test_a_pending_future_that_is_destroyed_is_no_report(
    loop: Any, reports: list[dict[str, Any]]
) -> None:
    loop.create_future().add_done_callback(print)
    gc.collect()
    assert reports == []


def test_children_of_gather_are_not_reported_as_destroyed(
    aio: ModuleType, loop: Any, reports: list[dict[str, Any]]
) -> None:
    async def wait() -> None:
        await loop.create_future()

    async def main() -> None:
        aio.gather(wait(), wait())
        await aio.sleep(0)

    loop.run_until_complete(main())
    gc.collect()
    assert reports == []


# -- set_exception ---------------------------------------------------------------------------------


@pytest.fixture
def future(loop: Any) -> Any:
    return loop.create_future()


def test_set_exception_takes_a_class(future: Any) -> None:
    future.set_exception(ZeroDivisionError)
    assert isinstance(future.exception(), ZeroDivisionError)


@pytest.mark.parametrize("wrong", [None, "text", 1, int, object()])
def test_set_exception_refuses_what_is_no_exception(future: Any, wrong: Any) -> None:
    with pytest.raises(TypeError, match="invalid exception object"):
        future.set_exception(wrong)
    assert not future.done()
    future.set_result("goes on")
    assert future.result() == "goes on"


def test_set_exception_of_a_class_that_cannot_be_made(future: Any) -> None:
    with pytest.raises(TypeError, match="argument"):
        future.set_exception(UnicodeDecodeError)
    assert not future.done()


@pytest.mark.parametrize("end", ["set_result", "set_exception", "cancel"])
def test_a_future_ends_once(aio: ModuleType, future: Any, end: str) -> None:
    if end == "cancel":
        future.cancel()
    else:
        getattr(future, end)({"set_result": 1, "set_exception": ZeroDivisionError()}[end])
    with pytest.raises(aio.InvalidStateError):
        future.set_exception(KeyError())
    with pytest.raises(aio.InvalidStateError):
        future.set_result(1)
    assert future.cancel() is False
    assert future.cancelled() is (end == "cancel")


def test_base_exceptions_pass_through(future: Any) -> None:
    future.set_exception(GeneratorExit("here"))
    with pytest.raises(GeneratorExit, match="here"):
        future.result()


def test_result_raises_the_same_exception_with_the_traceback_it_came_with(future: Any) -> None:
    def lines(exception: BaseException) -> int:
        count, trace = 0, exception.__traceback__
        while trace is not None:
            count, trace = count + 1, trace.tb_next
        return count

    exception = ZeroDivisionError("here")
    future.set_exception(exception)
    lengths = set()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError) as caught:
            future.result()
        assert caught.value is exception
        lengths.add(lines(exception))
    assert len(lengths) == 1  # does not grow with every call


def test_asking_too_soon(aio: ModuleType, future: Any) -> None:
    with pytest.raises(aio.InvalidStateError, match=r"^Result is not set\.$"):
        future.result()
    with pytest.raises(aio.InvalidStateError, match=r"^Exception is not set\.$"):
        future.exception()


def test_a_future_that_was_never_initialised(aio: ModuleType) -> None:
    class Bare(aio.Future):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            pass

    with pytest.raises((RuntimeError, AttributeError)):
        Bare().get_loop()
