"""What a program may ask of asyncio's own loop, asked of both loops: the answers must be equal."""

import asyncio
import concurrent.futures
import contextvars
import gc
import os
import signal
import socket
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

import miniloop
from miniloop import interop

Run = Callable[[Coroutine[Any, Any, Any]], Any]

FACTORIES = [asyncio.SelectorEventLoop, interop.EventLoop]


@pytest.fixture(params=FACTORIES, ids=["asyncio", "interop"])
def factory(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def run(factory: Any) -> Run:
    """Run a coroutine, for a minute at most."""

    def run(main: Coroutine[Any, Any, Any]) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(60):
                return await main

        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(bounded())

    return run


# -- executors and names ---------------------------------------------------------------------------


def test_executors(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(None, threading.get_ident)
        assert isinstance(future, asyncio.Future)
        assert await future != threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            loop.set_default_executor(pool)
            assert await asyncio.to_thread(lambda: "own") == "own"
            assert await asyncio.wrap_future(pool.submit(pow, 2, 5)) == 32
        await loop.shutdown_default_executor()
        with pytest.raises(RuntimeError, match="Executor shutdown has been called"):
            loop.run_in_executor(None, print)

    run(main())


def test_a_context_variable_goes_to_the_thread(run: Run) -> None:
    variable = contextvars.ContextVar("variable", default="outside")

    async def main() -> str:
        variable.set("inside")
        return await asyncio.to_thread(variable.get)

    assert run(main()) == "inside"


def test_names_and_addresses(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
        assert found[0][4] == ("127.0.0.1", 80)
        with pytest.raises(OSError):  # noqa: PT011  (its number depends on the system)
            await loop.getaddrinfo("127.0.0.1", "no such service")
        numbers = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        assert await loop.getnameinfo(("127.0.0.1", 80), numbers) == ("127.0.0.1", "80")

    run(main())


def test_run_coroutine_threadsafe(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        never = asyncio.Event()

        def elsewhere() -> list[Any]:
            failed = asyncio.run_coroutine_threadsafe(fail(), loop)
            cancelled = asyncio.run_coroutine_threadsafe(never.wait(), loop)  # type: ignore[arg-type,var-annotated]
            results: list[Any] = [type(failed.exception(60))]
            results.append(cancelled.cancel())
            results.append(asyncio.run_coroutine_threadsafe(asyncio.sleep(0, 1), loop).result(60))
            return results

        assert await asyncio.to_thread(elsewhere) == [ZeroDivisionError, True, 1]

    run(main())


async def fail() -> None:
    raise ZeroDivisionError


# -- signals ---------------------------------------------------------------------------------------

unix = pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")


@unix
def test_signal_handlers(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        came = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, came.set)
        os.kill(os.getpid(), signal.SIGUSR1)
        await came.wait()
        assert loop.remove_signal_handler(signal.SIGUSR1)
        assert not loop.remove_signal_handler(signal.SIGUSR1)

    run(main())
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


@unix
def test_ctrl_c_cancels_the_main_task(factory: Any) -> None:
    log: list[str] = []

    async def main() -> None:
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            log.append("cleaned up")
            raise

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with asyncio.Runner(loop_factory=factory) as runner, pytest.raises(KeyboardInterrupt):
            runner.run(main())
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, handler)
    assert log == ["cleaned up"]


# -- reports ---------------------------------------------------------------------------------------


def test_debug_mode(factory: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def slow() -> None:
        time.sleep(0.01)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert loop.get_debug()
        loop.slow_callback_duration = 0.005
        await asyncio.create_task(slow(), name="the slow one")
        loop.slow_callback_duration = 10
        assert "created at" in repr(loop.create_future())

        def from_elsewhere() -> None:
            with pytest.raises(RuntimeError, match="Non-thread-safe operation"):
                loop.call_soon(print)

        await asyncio.to_thread(from_elsewhere)
        with pytest.raises(TypeError, match="coroutines cannot be used with call_soon"):
            loop.call_soon(slow)

    with asyncio.Runner(debug=True, loop_factory=factory) as runner:
        runner.run(main())
    assert any("the slow one" in text and "took" in text for text in caplog.messages)


def test_the_exception_handler(run: Run) -> None:
    messages: list[str] = []  # not all of a report: asyncio 3.14 lists a dead task that is kept

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: messages.append(context["message"]))
        loop.call_soon(divmod, 1, 0)
        await asyncio.sleep(0)

        future = loop.create_future()  # the exceptions of both are never asked for
        future.set_exception(KeyError("nobody asks"))
        del future
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        del task
        gc.collect()

        async def wait_for_nobody() -> None:
            await loop.create_future()

        task = asyncio.create_task(wait_for_nobody())  # type: ignore[assignment]
        await asyncio.sleep(0)
        del task
        gc.collect()

    run(main())
    assert [message.partition(" <")[0].partition(" div")[0] for message in messages] == [
        "Exception in callback",
        "Future exception was never retrieved",
        "Task exception was never retrieved",
        "Task was destroyed but it is pending!",
    ]


def test_an_asked_for_exception_is_not_reported(run: Run) -> None:
    reports: list[dict[str, Any]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reports.append(context))
        future = loop.create_future()
        future.set_exception(KeyError())
        with pytest.raises(KeyError):
            await future
        results = await asyncio.gather(fail(), asyncio.sleep(0, 1), return_exceptions=True)
        assert [type(results[0]), results[1]] == [ZeroDivisionError, 1]
        del future, results
        gc.collect()

    run(main())
    assert reports == []


# -- tasks -----------------------------------------------------------------------------------------


def test_the_current_task(run: Run) -> None:
    seen: list[Any] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        me = asyncio.current_task()
        assert me in asyncio.all_tasks()
        done = loop.create_future()
        loop.call_soon(lambda: seen.append(asyncio.current_task()))
        me_again = asyncio.create_task(asyncio.sleep(0))
        me_again.add_done_callback(lambda _: seen.append(asyncio.current_task()))
        me_again.add_done_callback(lambda _: done.set_result(None))
        await done
        assert asyncio.current_task() is me
        assert asyncio.current_task(loop) is me
        with pytest.raises(RuntimeError, match="no running event loop"):
            await asyncio.to_thread(asyncio.current_task)

    run(main())
    assert seen == [None, None]


def test_futures_and_tasks_are_asyncios_by_isinstance(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        future, task = loop.create_future(), asyncio.current_task()
        assert isinstance(future, asyncio.Future)
        assert not isinstance(future, asyncio.Task)
        assert isinstance(task, asyncio.Task)
        assert isinstance(task, asyncio.Future)
        assert asyncio.isfuture(future)
        assert miniloop.isfuture(future)
        assert asyncio.ensure_future(future) is future
        future.cancel()
        assert repr(future) == "<Future cancelled>"
        assert repr(task).startswith("<Task pending name=")

    run(main())


def test_task_factories(run: Run) -> None:
    class Own(asyncio.Task[Any]):
        pass

    made: list[Any] = []

    def own(loop: Any, coro: Any, **options: Any) -> Any:
        made.append(Own(coro, loop=loop, **options))
        return made[-1]

    async def child() -> Any:
        await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
        return asyncio.current_task()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(own)
        assert loop.get_task_factory() is own
        task = asyncio.create_task(child(), name="own")
        assert type(task) is Own
        assert task in asyncio.all_tasks()
        assert await task is task
        loop.set_task_factory(None)
        assert type(asyncio.create_task(asyncio.sleep(0))) is not Own

    run(main())
    assert [task.get_name() for task in made] == ["own"]


def test_tasks_of_asyncios_own_class(run: Run) -> None:
    """They wait for futures and tasks of the loop, are waited for, cancelled, and current."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        async def wait() -> list[Any]:
            inner = asyncio.create_task(asyncio.sleep(0, "inner"))
            return [await future, await inner, asyncio.current_task()]

        task: asyncio.Task[Any] = asyncio.Task(wait(), loop=loop)
        assert task in asyncio.all_tasks()
        loop.call_later(0.001, future.set_result, "outer")
        assert await task == ["outer", "inner", task]

        async def hang() -> None:
            async with asyncio.timeout(0.001):
                await loop.create_future()

        with pytest.raises(TimeoutError):
            await asyncio.Task(hang(), loop=loop)
        hanging = asyncio.Task(asyncio.Event().wait(), loop=loop)  # type: ignore[var-annotated,arg-type]
        await asyncio.sleep(0)
        hanging.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await hanging

    run(main())


needs_eager_tasks = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="asyncio has eager tasks since 3.12"
)


@needs_eager_tasks
def test_eager_tasks(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        me = asyncio.current_task()
        log: list[str] = []

        async def child(name: str) -> Any:
            assert asyncio.current_task() in asyncio.all_tasks()
            assert me in asyncio.all_tasks()
            log.append(f"{name} begins")
            async with asyncio.timeout(60):
                await asyncio.sleep(0)
            log.append(f"{name} ends")
            return asyncio.current_task()

        eager: Any = asyncio.eager_task_factory  # type: ignore[attr-defined]
        loop.set_task_factory(eager)
        a = asyncio.create_task(child("a"))
        b = asyncio.create_task(child("b"))
        log.append("both made")
        assert asyncio.current_task() is me
        assert [await a, await b] == [a, b]
        assert log == ["a begins", "b begins", "both made", "a ends", "b ends"]

        made = loop.create_future()  # where no task is current
        loop.call_soon(lambda: made.set_result(asyncio.create_task(child("c"))))
        task = await made
        assert await task is task

    run(main())


@needs_eager_tasks
@pytest.mark.parametrize("made_by", ["eager_task_factory", "create_eager_task_factory"])
def test_the_name_of_an_eager_task(made_by: str) -> None:
    """When an eager task has its name differs between Pythons, not between the loops."""

    def names(loop_factory: Any) -> list[str]:
        seen: list[str] = []

        def name() -> str:
            me: Any = asyncio.current_task()
            return "of its own" if me.get_name() == "of its own" else "by default"

        async def child() -> None:
            seen.append(name())
            await asyncio.sleep(0)
            seen.append(name())

        async def main() -> None:
            factory: Any = getattr(asyncio, made_by)
            if made_by != "eager_task_factory":
                factory = factory(asyncio.Task)
            asyncio.get_running_loop().set_task_factory(factory)
            await asyncio.create_task(child(), name="of its own")
            async with asyncio.TaskGroup() as group:
                group.create_task(child(), name="of its own")

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(main())
        return seen

    assert names(interop.EventLoop) == names(asyncio.SelectorEventLoop)
    if sys.version_info >= (3, 14):
        assert names(interop.EventLoop) == ["of its own"] * 4


def test_a_factory_is_given_what_asyncio_gives_it() -> None:
    def keywords(loop_factory: Any) -> list[dict[str, Any]]:
        given: list[dict[str, Any]] = []

        def factory(loop: Any, coro: Any, **options: Any) -> Any:
            given.append(options)
            return asyncio.Task(coro, loop=loop, **options)

        async def main() -> None:
            asyncio.get_running_loop().set_task_factory(factory)
            context = contextvars.Context()
            await asyncio.create_task(asyncio.sleep(0))
            await asyncio.create_task(asyncio.sleep(0), name="name")
            await asyncio.create_task(asyncio.sleep(0), context=context)
            if sys.version_info >= (3, 14):
                eager: Any = {"eager_start": True}
                await asyncio.create_task(asyncio.sleep(0), **eager)
            for options in given:
                if options.get("context") is context:
                    options["context"] = "the one given"

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(main())
        return given

    assert keywords(interop.EventLoop) == keywords(asyncio.SelectorEventLoop)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="create_task(eager_start=...) is of 3.14")
def test_eager_start(run: Run) -> None:
    async def main() -> None:
        me = asyncio.current_task()
        log: list[Any] = []

        async def child(name: str) -> Any:
            task: Any = asyncio.current_task()
            assert {task, me} <= asyncio.all_tasks()
            log.append((name, task.get_name()))
            await asyncio.sleep(0)
            assert asyncio.current_task() is task
            return task

        eager: Any = {"eager_start": True}
        first = asyncio.create_task(child("first"), name="one", **eager)
        assert log == [("first", "one")]
        assert asyncio.current_task() is me
        assert first in asyncio.all_tasks()
        async with asyncio.TaskGroup() as group:
            second = group.create_task(child("second"), name="two", **eager)
            third = group.create_task(child("third"), name="three")
            assert log == [("first", "one"), ("second", "two")]
        assert [await first, second.result(), third.result()] == [first, second, third]

        ended = asyncio.create_task(asyncio.sleep(0, "at once"), **eager)
        assert not ended.done()
        assert await ended == "at once"
        failed = asyncio.create_task(fail(), **eager)
        assert failed.done()
        assert failed not in asyncio.all_tasks()
        assert type(failed.exception()) is ZeroDivisionError
        with pytest.raises(TypeError):
            await asyncio.create_task(5, **eager)  # type: ignore[arg-type]
        assert asyncio.all_tasks() == {me}

    run(main())


def test_a_loop_made_inside_a_task_leaves_the_task_current(run: Run, factory: Any) -> None:
    async def main() -> None:
        me = asyncio.current_task()
        other = factory()
        assert asyncio.current_task() is me
        assert asyncio.current_task(other) is None
        assert asyncio.all_tasks(other) == set()
        other.close()
        assert asyncio.current_task() is me

    run(main())


def test_loops_in_two_threads_have_a_current_task_each(run: Run, factory: Any) -> None:
    async def inner(loop: Any, task: Any) -> None:
        assert asyncio.current_task() is not task
        assert asyncio.current_task() in asyncio.all_tasks()
        assert asyncio.current_task(loop) in (task, None)  # it goes on meanwhile
        assert task in asyncio.all_tasks(loop)
        assert task not in asyncio.all_tasks()

    def elsewhere(loop: Any, task: Any) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(inner(loop, task))

    async def main() -> None:
        task = asyncio.current_task()
        await asyncio.to_thread(elsewhere, asyncio.get_running_loop(), task)
        assert asyncio.current_task() is task

    run(main())


def test_handles_are_asyncios_by_isinstance(run: Run) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        soon, later = loop.call_soon(print), loop.call_later(60, print)
        at, from_thread = loop.call_at(0, int), loop.call_soon_threadsafe(int)
        reader = loop._add_reader(loop._ssock, loop._read_from_self)
        assert [isinstance(handle, asyncio.Handle) for handle in (soon, from_thread, reader)] == [
            True
        ] * 3
        assert not isinstance(soon, asyncio.TimerHandle)
        for timer in (later, at):
            assert isinstance(timer, asyncio.TimerHandle)
            assert isinstance(timer, asyncio.Handle)
        assert repr(soon) == "<Handle print()>"
        assert repr(later) == f"<TimerHandle when={later.when()} print()>"
        soon.cancel()
        later.cancel()
        await asyncio.sleep(0)

    run(main())


def test_debug_mode_notes_where_handles_were_made(factory: Any) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        for handle in (
            loop.call_soon(int),
            loop.call_later(60, int),
            loop.call_at(0, int),
            loop.call_soon_threadsafe(int),
        ):
            assert handle._source_traceback[-1].filename == __file__
            handle.cancel()

    with asyncio.Runner(debug=True, loop_factory=factory) as runner:
        runner.run(main())


def test_a_subclass_may_wrap_its_selector(factory: Any) -> None:
    class Counting:
        def __init__(self, selector: Any) -> None:
            self.selector, self.ticks = selector, 0

        def select(self, timeout: float | None) -> Any:
            self.ticks += 1
            return self.selector.select(timeout)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.selector, name)

    class Loop(factory):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._selector = Counting(self._selector)

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(asyncio.sleep(0))
        assert runner.get_loop()._selector.ticks >= 2  # type: ignore[attr-defined]


def test_timeouts_and_groups_cancel_no_more_than_their_own(run: Run) -> None:
    async def main() -> None:
        task: Any = asyncio.current_task()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await asyncio.sleep(60)
        assert task.cancelling() == 0
        with pytest.raises(ExceptionGroup):
            await group_that_fails()
        await asyncio.sleep(0)

    async def group_that_fails() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(asyncio.sleep(60))

    run(main())


def test_async_generators_are_closed(run: Run) -> None:
    log: list[str] = []

    async def numbers(name: str) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            log.append(name)

    kept = []

    async def main() -> None:
        async for _ in numbers("left by break"):
            break
        for _ in range(3):
            await asyncio.sleep(0)
        assert log == ["left by break"]
        kept.append(numbers("kept"))
        await anext(kept[0])

    run(main())
    assert log == ["left by break", "kept"]


# -- the loop's own life ---------------------------------------------------------------------------


def test_nothing_keeps_a_loop_alive(factory: Any) -> None:
    loop = factory()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.call_soon(print)
    reference = weakref.ref(loop)
    del loop
    gc.collect()
    assert reference() is None


def test_a_loop_that_is_not_closed_says_so(factory: Any) -> None:
    with pytest.warns(ResourceWarning, match="unclosed event loop"):
        drop(factory())


def drop(loop: Any) -> None:
    del loop
    gc.collect()


def test_stopping_too_soon(factory: Any) -> None:
    loop = factory()
    loop.call_soon(loop.stop)
    with pytest.raises(RuntimeError, match="Event loop stopped before Future completed"):
        loop.run_until_complete(loop.create_future())
    loop.close()


def test_a_descriptor_of_ones_own(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        with here, there:
            can_be_read, can_be_written = asyncio.Event(), asyncio.Event()
            loop.add_reader(here, can_be_read.set)
            loop.add_writer(there.fileno(), can_be_written.set)
            await can_be_written.wait()
            assert loop.remove_writer(there)
            there.send(b"x")
            await can_be_read.wait()
            assert loop.remove_reader(here)
            assert not loop.remove_reader(here)

    run(main())


def test_unix_sockets_pipes_and_datagrams(run: Run, tmp_path: Any) -> None:
    async def main() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read())
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_unix_server(echo, tmp_path / "socket"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
            writer.write(b"hello")
            writer.write_eof()
            assert await reader.read() == b"hello"
            writer.close()
            await writer.wait_closed()

        loop = asyncio.get_running_loop()
        came: asyncio.Future[bytes] = loop.create_future()

        class Catch(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                came.set_result(data)

        local = ("127.0.0.1", 0)
        receiver, _ = await loop.create_datagram_endpoint(Catch, local_addr=local)
        sender, _ = await loop.create_datagram_endpoint(
            Catch, remote_addr=receiver.get_extra_info("sockname")
        )
        sender.sendto(b"datagram")
        assert await came == b"datagram"
        sender.close()
        receiver.close()

        reading, writing = os.pipe()
        reader = asyncio.StreamReader()
        pipe, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb")
        )
        os.write(writing, b"through the pipe")
        os.close(writing)
        assert await reader.read() == b"through the pipe"
        pipe.close()
        await asyncio.sleep(0)

    if sys.platform != "win32":
        run(main())


def test_sendfile(run: Run, tmp_path: Any) -> None:
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)

    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with (tmp_path / "file").open("rb") as file:
                assert await loop.sendfile(writer.transport, file) == len(content)
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(send, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == content
            writer.close()
            await writer.wait_closed()

    run(main())
