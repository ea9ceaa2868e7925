"""miniloop.interop.EventLoop: asyncio's own library on miniloop's scheduling."""

import asyncio
import contextvars
import socket
import sys
from typing import Any

import pytest

import miniloop
import miniloop.interop


def run(main: Any) -> Any:
    """Run under asyncio's Runner, for a minute at most."""

    async def bounded() -> Any:
        async with asyncio.timeout(60):
            return await main

    with asyncio.Runner(loop_factory=miniloop.interop.EventLoop) as runner:
        return runner.run(bounded())


def test_the_loop_is_both_libraries_running_loop() -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        assert loop is miniloop.get_running_loop() is asyncio.get_event_loop()
        assert isinstance(loop, asyncio.AbstractEventLoop)
        assert isinstance(loop, miniloop.EventLoop)

    run(main())


def test_tasks_are_miniloops_and_both_libraries_know_them() -> None:
    async def wait() -> None:
        await asyncio.sleep(0.001)

    async def main() -> None:
        task: Any = asyncio.create_task(wait(), name="other")
        assert isinstance(task, miniloop.Task)
        current: Any = asyncio.current_task()
        assert current is miniloop.current_task()
        assert asyncio.all_tasks() == miniloop.all_tasks() == {current, task}
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == miniloop.all_tasks() == {current, task}
        await task
        assert asyncio.all_tasks() == miniloop.all_tasks() == {current}

    run(main())


def test_no_task_is_current_in_a_callback() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        seen: asyncio.Future[Any] = loop.create_future()
        loop.call_soon(lambda: seen.set_result((asyncio.current_task(), miniloop.current_task())))
        assert await seen == (None, None)

    run(main())


@pytest.mark.parametrize("library", [asyncio, miniloop], ids=["asyncio", "miniloop"])
def test_timeouts_groups_locks_and_queues_of_either(library: Any) -> None:
    async def group_that_fails() -> None:
        async with library.TaskGroup() as group:
            group.create_task(library.wait_for(library.sleep(60), 0.001))
            await library.sleep(60)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with library.timeout(0.001):
                await library.sleep(60)
        with pytest.raises(TimeoutError):
            await library.wait_for(library.sleep(60), 0.001)

        log: list[str] = []
        lock = library.Lock()

        async def locked(name: str) -> None:
            async with lock:
                log.append(f"{name} in")
                await library.sleep(0)
                log.append(f"{name} out")

        async with library.TaskGroup() as group:
            group.create_task(locked("a"))
            group.create_task(locked("b"))
        assert log == ["a in", "a out", "b in", "b out"]

        with pytest.raises(ExceptionGroup):
            await group_that_fails()

        queue = library.Queue(1)

        async def produce() -> None:
            for number in range(5):
                await queue.put(number)

        task = library.create_task(produce())
        assert [await queue.get() for _ in range(5)] == list(range(5))
        await task

    run(main())


def test_streams_echo() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def ask(port: int, text: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text.encode() + b"\n")
        await writer.drain()
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return answer.decode().strip()

    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        answers = await asyncio.gather(*[ask(port, f"hello {number}") for number in range(10)])
        assert answers == [f"HELLO {number}" for number in range(10)]
        server.close()
        await server.wait_closed()

    run(main())


def test_a_large_transfer() -> None:
    size = 3_000_000

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * size)
        await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(send, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert len(await reader.read()) == size
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(main())


def test_low_level_sockets() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        with here, there:
            here.setblocking(False)
            there.setblocking(False)
            receiving = asyncio.create_task(loop.sock_recv(here, 100))
            await asyncio.sleep(0)
            await loop.sock_sendall(there, b"hello")
            assert await receiving == b"hello"

    run(main())


@pytest.mark.skipif(sys.platform == "win32", reason="selector loops have no subprocesses there")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of asyncio's child watchers
def test_subprocess() -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "import sys; print(sys.stdin.read()[::-1]); sys.exit(3)",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        stdout, _ = await process.communicate(b"abc")
        assert (stdout.strip(), process.returncode) == (b"cba", 3)

    run(main())


def test_to_thread_and_run_coroutine_threadsafe() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()

        def in_thread() -> Any:
            return asyncio.run_coroutine_threadsafe(
                asyncio.sleep(0, "there and back"), loop
            ).result(60)

        assert await asyncio.to_thread(in_thread) == "there and back"

    run(main())


def test_a_reader_on_a_descriptor_of_a_transport_is_refused() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        descriptor = writer.get_extra_info("socket").fileno()
        with pytest.raises(RuntimeError, match="is used by transport"):
            asyncio.get_running_loop().add_reader(descriptor, print)
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio has eager tasks since 3.12")
@pytest.mark.parametrize("library", [asyncio, miniloop], ids=["asyncio", "miniloop"])
def test_eager_tasks(library: Any) -> None:
    async def child() -> tuple[Any, Any]:
        return library.current_task(), asyncio.current_task()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(library.eager_task_factory)
        before = asyncio.current_task()
        task = loop.create_task(child())
        assert task.done()
        assert asyncio.current_task() is before
        assert task.result()[0] is task
        assert await loop.create_task(asyncio.sleep(0, "later")) == "later"

    run(main())


def test_eager_start_of_its_own_task_class() -> None:
    async def inner() -> list[Any]:
        seen = [asyncio.current_task(), miniloop.current_task()]
        await asyncio.sleep(0)
        return [*seen, asyncio.current_task(), miniloop.current_task()]

    async def main() -> None:
        outer = asyncio.current_task()
        task: Any = miniloop.interop.Task(
            inner(), loop=miniloop.get_running_loop(), eager_start=True
        )
        assert asyncio.current_task() is miniloop.current_task() is outer
        assert {outer, task} <= asyncio.all_tasks()
        assert await task == [task] * 4

    run(main())


def test_contexts_and_cancel_messages_pass_through() -> None:
    variable = contextvars.ContextVar("variable", default="outside")

    async def child() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as exc:
            return f"{variable.get()} {exc.args[0]}"
        return ""

    async def main() -> None:
        variable.set("inside")
        task = asyncio.create_task(child())
        await asyncio.sleep(0)
        task.cancel("why")
        assert await task == "inside why"

    run(main())


def test_no_loop_is_left_running() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fail())
    assert asyncio._get_running_loop() is None
    with pytest.raises(RuntimeError, match="no running event loop"):
        miniloop.get_running_loop()


def test_it_refuses_to_run_inside_a_loop_of_asyncio() -> None:
    async def main() -> None:
        loop = miniloop.interop.EventLoop()
        with pytest.raises(RuntimeError, match="another loop is running"):
            loop.run_forever()
        loop.close()
        assert asyncio.get_running_loop().is_running()

    asyncio.run(main())


def test_it_works_as_the_loop_of_miniloops_runner() -> None:
    async def main() -> str:
        reader = asyncio.StreamReader()
        reader.feed_data(b"text")
        reader.feed_eof()
        return (await reader.read()).decode()

    with miniloop.Runner(loop_factory=miniloop.interop.EventLoop) as runner:
        assert runner.run(main()) == "text"


def test_unfinished_tasks_are_cancelled_by_asyncios_runner() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(asyncio.current_task().get_name())  # type: ignore[union-attr]

    async def main() -> None:
        tasks = [asyncio.create_task(wait(), name=name) for name in "ab"]
        await asyncio.sleep(0)
        assert len(tasks) == 2

    run(main())
    assert sorted(ended) == ["a", "b"]
