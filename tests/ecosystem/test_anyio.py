"""anyio's asyncio backend on miniloop."""

import asyncio
import math
import sys
import threading
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectSendStream

from miniloop import interop
from tests.ecosystem.on_interop import SECONDS, assert_on_miniloop


def run(function: Any) -> None:
    """Run with anyio's own runner, on the interop loop."""

    async def bounded() -> None:
        assert_on_miniloop()
        with anyio.fail_after(SECONDS):
            await function()

    anyio.run(bounded, backend_options={"loop_factory": interop.EventLoop})


def test_a_task_group() -> None:
    log: list[str] = []

    async def child(name: str, pauses: int) -> None:
        assert_on_miniloop()
        for _ in range(pauses):
            await anyio.lowlevel.checkpoint()
        log.append(name)

    async def service(*, task_status: TaskStatus[int]) -> None:
        await anyio.sleep(0.001)
        task_status.started(42)
        await anyio.sleep_forever()

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(child, "long", 5)
            group.start_soon(child, "short", 1)
        assert log == ["short", "long"]
        async with anyio.create_task_group() as group:
            assert await group.start(service) == 42
            group.cancel_scope.cancel()

    run(main)


def test_a_child_that_fails_ends_the_group() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("waiter")

    async def fail() -> None:
        await anyio.sleep(0.001)
        raise ZeroDivisionError

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            group.start_soon(fail)

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await both()
        assert [type(one) for one in caught.value.exceptions] == [ZeroDivisionError]
        assert ended == ["waiter"]

    run(main)


def test_cancel_scopes() -> None:
    async def main() -> None:
        with anyio.move_on_after(0.001) as scope:
            await anyio.sleep_forever()
        assert scope.cancelled_caught

        with pytest.raises(TimeoutError), anyio.fail_after(0.001):
            await anyio.sleep_forever()

        reached = []
        with anyio.CancelScope() as outer:
            outer.cancel()
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.001)
                reached.append("shielded")
            await anyio.sleep(0)
            reached.append("not here")
        assert (reached, outer.deadline) == (["shielded"], math.inf)

        # Cancelled again and again, until it is out of the scope.
        attempts = 0
        with anyio.CancelScope() as stubborn:
            stubborn.cancel()
            while attempts < 3:
                try:
                    await anyio.sleep_forever()
                except anyio.get_cancelled_exc_class():
                    attempts += 1
                    if attempts == 3:
                        raise
        assert (attempts, stubborn.cancelled_caught) == (3, True)
        await anyio.sleep(0)
        task: Any = asyncio.current_task()
        assert task.cancelling() == 0

    run(main)


def test_memory_streams() -> None:
    async def main() -> None:
        send, receive = anyio.create_memory_object_stream[int](max_buffer_size=2)

        async def produce(mine: MemoryObjectSendStream[int], start: int) -> None:
            async with mine:
                for number in range(start, start + 100):
                    await mine.send(number)

        async with anyio.create_task_group() as group, receive:
            async with send:
                for start in (0, 100, 200):
                    group.start_soon(produce, send.clone(), start)
            numbers = [number async for number in receive]
        assert sorted(numbers) == list(range(300))
        for start in (0, 100, 200):  # each producer's in order
            mine = [number for number in numbers if start <= number < start + 100]
            assert mine == sorted(mine)

    run(main)


def test_an_item_that_is_sent_is_not_lost_to_a_cancel() -> None:
    """anyio holds the cancel back, but only where the task waits for an asyncio.Future."""

    async def main() -> None:
        send, receive = anyio.create_memory_object_stream[str]()
        got: list[str] = []

        async def consume() -> None:
            got.append(await receive.receive())

        async with send, receive, anyio.create_task_group() as group:
            group.start_soon(consume)
            await anyio.wait_all_tasks_blocked()
            send.send_nowait("item")
            group.cancel_scope.cancel()
        assert got == ["item"]

    run(main)


def test_threads_there_and_back() -> None:
    async def main() -> None:
        loop_thread = threading.get_ident()

        async def back(number: int) -> tuple[int, int]:
            assert_on_miniloop()
            await anyio.sleep(0)
            return number, threading.get_ident()

        def work(number: int) -> tuple[int, int]:
            assert threading.get_ident() != loop_thread
            return anyio.from_thread.run(back, number)

        results: dict[int, Any] = {}

        async def one(number: int) -> None:
            results[number] = await anyio.to_thread.run_sync(work, number)

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(one, number)
        assert results == {number: (number, loop_thread) for number in range(20)}

    run(main)


def test_a_blocking_portal_from_another_thread() -> None:
    async def kind() -> str:
        return type(asyncio.get_running_loop()).__module__

    options = {"loop_factory": interop.EventLoop}
    with anyio.from_thread.start_blocking_portal(backend_options=options) as portal:
        assert portal.call(kind) == interop.__name__
        assert portal.start_task_soon(kind).result(SECONDS) == interop.__name__


def test_tcp_and_a_subprocess() -> None:
    async def main() -> None:
        async def echo(stream: anyio.abc.SocketStream) -> None:
            async with stream:
                async for data in stream:
                    await stream.send(data.upper())

        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, echo)
            port = listener.extra(anyio.abc.SocketAttribute.local_port)
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                await stream.send(b"hello")
                assert await stream.receive() == b"HELLO"
            group.cancel_scope.cancel()

        done = await anyio.run_process([sys.executable, "-c", "print(input()[::-1])"], input=b"abc")
        assert done.stdout.strip() == b"cba"

    run(main)


def test_the_root_task_is_found() -> None:
    """anyio looks for the task that run_until_complete() has marked with a callback."""

    async def main() -> None:
        names = {task.name for task in anyio.get_running_tasks()}
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.lowlevel.checkpoint, name="child")
            assert {task.name for task in anyio.get_running_tasks()} == names | {"child"}
        from anyio._backends._asyncio import find_root_task

        root: Any = asyncio.current_task()
        assert find_root_task() is root

    run(main)
