"""What goes wrong on a network, and around a loop: one suffers, the others are served.

The same tests on asyncio, on miniloop's core, and on asyncio's transports over miniloop's loop.
"""

import asyncio
import contextlib
import gc
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import miniloop
import miniloop.interop
from tests.child_process import ROOT

LOOPS: dict[str, tuple[ModuleType, Callable[[], Any]]] = {
    "asyncio": (asyncio, asyncio.new_event_loop),
    "miniloop": (miniloop, miniloop.new_event_loop),
    "interop": (asyncio, miniloop.interop.EventLoop),
}

RESET = b"\1\0\0\0\0\0\0\0"  # SO_LINGER: on, 0 seconds; close() resets the connection
MUCH = 5_000_000  # more than the system's buffers hold


@pytest.fixture(params=LOOPS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def aio(kind: str) -> Any:
    """Give the library whose streams are used."""
    return LOOPS[kind][0]


@pytest.fixture
def loop(kind: str) -> Iterator[Any]:
    loop = LOOPS[kind][1]()
    yield loop
    if not loop.is_closed():
        loop.close()


@pytest.fixture
def reports(loop: Any) -> list[dict[str, Any]]:
    contexts: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda loop, context: contexts.append(context))
    return contexts


@pytest.fixture
def run(aio: Any, loop: Any) -> Callable[[Any], Any]:
    """Give a function that runs a coroutine, a minute at most, and sees that nothing is left."""

    def run(main: Any) -> Any:
        async def bounded() -> Any:
            async with aio.timeout(60):
                result = await main
            others = aio.all_tasks() - {aio.current_task()}
            for _ in range(10):
                if others:  # they are on their way out
                    await aio.wait(others, timeout=1)
                    others = aio.all_tasks() - {aio.current_task()}
            assert others == set()
            return result

        before = descriptors()
        try:
            return loop.run_until_complete(bounded())
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            assert len(loop._selector.get_map()) == 1  # the self-pipe
            if sys.exc_info()[0] is None:
                gc.collect()
                assert descriptors() <= before + 3  # self-pipe and selector, if made just now

    return run


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


class Server:
    """An echo server, for lines."""

    def __init__(self, aio: Any) -> None:
        self.aio = aio
        self.ended: list[str] = []  # how its connections ended, by the first line they sent
        self.writers: list[Any] = []

    async def echo(self, reader: Any, writer: Any) -> None:
        name, how = "", "eof"
        self.writers.append(writer)
        try:
            while line := await reader.readline():
                name = name or line.decode().strip()
                writer.write(line)
                await writer.drain()
        except Exception as exc:
            how = type(exc).__name__
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self.ended.append(f"{name}: {how}")

    @contextlib.asynccontextmanager
    async def serving(self, **options: Any) -> AsyncIterator[tuple[str, int]]:
        server = await self.aio.start_server(self.echo, "127.0.0.1", 0, **options)
        address = server.sockets[0].getsockname()
        try:
            yield address
            await self.serves_well(address)
        finally:
            server.close()
            await server.wait_closed()

    async def serves_well(self, address: Any) -> None:
        """Have ten clients served at once."""

        async def client(number: int) -> None:
            reader, writer = await self.aio.open_connection(*address)
            for count in range(3):
                line = f"good {number} {count}\n".encode()
                writer.write(line)
                assert await reader.readline() == line
            writer.close()
            await writer.wait_closed()

        await self.aio.gather(*[client(number) for number in range(10)])

    async def until_ended(self, count: int) -> list[str]:
        """Return how the first connections ended, when so many have."""
        while len(self.ended) < count:
            await self.aio.sleep(0.001)
        return self.ended


def connect(address: Any, *, reset: bool = False) -> socket.socket:
    """Return a socket that is connected without any loop."""
    sock = socket.create_connection(address)
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    return sock


# -- peers -----------------------------------------------------------------------------------------


def test_a_peer_that_resets(aio: Any, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        server = Server(aio)
        async with server.serving() as address:
            with connect(address, reset=True) as peer:
                peer.send(b"bad\n")
                while not server.writers:
                    await aio.sleep(0.001)
                await aio.sleep(0.01)
            assert await server.until_ended(1) == ["bad: ConnectionResetError"]

    run(main())


def test_a_server_that_resets(aio: Any, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            reader, writer = await aio.open_connection(*listening.getsockname())
            connection, _ = listening.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            reading = aio.create_task(reader.readline())
            await aio.sleep(0)
            connection.close()
            with pytest.raises(ConnectionResetError):
                await reading
            with pytest.raises(ConnectionResetError):
                await reader.read()
            with pytest.raises(ConnectionResetError):
                await writer.drain()
            with pytest.raises(ConnectionResetError):
                await writer.wait_closed()
            assert writer.is_closing()

    run(main())


def test_a_peer_that_resets_while_we_drain(aio: Any, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            _, writer = await aio.open_connection(*listening.getsockname())
            connection, _ = listening.accept()
            writer.write(bytes(MUCH))
            draining = [aio.create_task(writer.drain()) for _ in range(3)]
            await aio.sleep(0.01)
            assert not any(task.done() for task in draining)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.close()
            ended = await aio.gather(*draining, return_exceptions=True)
            assert {type(each) for each in ended} <= {ConnectionResetError, BrokenPipeError}
            assert len(ended) == 3

    run(main())


def test_a_peer_that_sends_slowly(aio: Any, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        server = Server(aio)
        async with server.serving() as address:
            reader, writer = await aio.open_connection(*address)
            for byte in b"slow\n":
                writer.write(bytes([byte]))
                await server.serves_well(address)
            assert await reader.readline() == b"slow\n"
            writer.close()
            await writer.wait_closed()

    run(main())


def test_a_peer_that_never_reads(aio: Any, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        server = Server(aio)
        async with server.serving() as address:
            with connect(address) as peer:
                peer.setblocking(False)
                sent = 0
                line = b"x" * 9_999 + b"\n"
                refused = 0
                while refused < 200:  # in a row: everything between us is full
                    try:
                        sent += peer.send(line * 100)
                        refused = 0
                    except BlockingIOError:
                        refused += 1
                    await aio.sleep(0.001)
                # The server has stopped reading, as its answers find no room.
                [writer] = server.writers
                before = sent
                for _ in range(100):
                    with contextlib.suppress(BlockingIOError):
                        sent += peer.send(line)
                    await aio.sleep(0.001)
                assert not writer.transport.is_reading()
                # A million bytes would pass. The kernel may find room for a few.
                assert sent - before < 200_000
                assert writer.transport.get_write_buffer_size() < 200_000
                await server.serves_well(address)
            ended = await server.until_ended(11)
            assert next(how for how in ended if not how.startswith("good")).startswith("xxx")

    run(main())


def test_peers_that_connect_and_vanish(
    aio: Any, run: Callable[[Any], Any], reports: list[dict[str, Any]]
) -> None:
    async def main() -> None:
        server = Server(aio)
        async with server.serving() as address:
            for number in range(50):
                connect(address, reset=number % 2 == 0).close()
            ended = await server.until_ended(50)
            assert set(ended) <= {": eof", ": ConnectionResetError"}

    run(main())
    assert reports == []


def test_a_full_backlog(aio: Any, run: Callable[[Any], Any]) -> None:
    """Some wait in vain and give up; when the server wakes up, the others are served."""

    async def main() -> None:
        server = Server(aio)
        with socket.create_server(("127.0.0.1", 0), backlog=1) as listening:
            address = listening.getsockname()

            async def client(number: int) -> bytes:
                reader, writer = await aio.wait_for(aio.open_connection(*address), 0.1)
                connected.append(number)
                writer.write(b"hello\n")
                answer: bytes = await reader.readline()
                writer.close()
                await writer.wait_closed()
                return answer

            connected: list[int] = []
            clients = [aio.create_task(client(number)) for number in range(5)]
            await aio.sleep(0.2)
            assert [number for number in range(5) if not clients[number].done()] == connected
            serving = await aio.start_server(server.echo, sock=listening)
            answers = await aio.gather(*clients, return_exceptions=True)
            assert connected
            for number, answer in enumerate(answers):
                if number in connected:
                    assert answer == b"hello\n"
                else:
                    assert isinstance(answer, TimeoutError)
            await server.serves_well(address)
            serving.close()
            await serving.wait_closed()

    run(main())


def test_a_cancelled_drain(aio: Any, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        here, there = socket.socketpair()
        _, writer = await aio.open_connection(sock=here)
        other, back = await aio.open_connection(sock=there)
        writer.write(bytes(MUCH))
        draining = [aio.create_task(writer.drain()) for _ in range(3)]
        await aio.sleep(0.001)
        draining[0].cancel()
        await aio.sleep(0)
        assert draining[0].cancelled()
        assert not any(task.done() for task in draining[1:])
        received = 0
        while received < MUCH:
            received += len(await other.read(1_000_000))
        await aio.gather(*draining[1:])
        writer.write(b"goes on")
        assert await other.read(100) == b"goes on"
        for each in (writer, back):
            each.close()
            await each.wait_closed()

    run(main())


def test_close_in_mid_write(aio: Any, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        here, there = socket.socketpair()
        _, writer = await aio.open_connection(sock=here)
        other, back = await aio.open_connection(sock=there)
        data = random.Random(4).randbytes(MUCH)
        writer.write(data)
        draining = aio.create_task(writer.drain())
        await aio.sleep(0)
        writer.close()
        assert await other.read() == data  # nothing is lost
        await draining
        await writer.wait_closed()
        with pytest.raises(ConnectionResetError):
            await writer.drain()
        back.close()
        await back.wait_closed()

    run(main())


def test_abort_in_mid_write(aio: Any, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        here, there = socket.socketpair()
        reader, writer = await aio.open_connection(sock=here)
        other, back = await aio.open_connection(sock=there)
        writer.write(bytes(MUCH))
        draining = aio.create_task(writer.drain())
        reading = aio.create_task(reader.read())
        await aio.sleep(0)
        writer.transport.abort()
        await draining
        assert await reading == b""
        assert 0 < len(await other.read()) < MUCH
        await writer.wait_closed()
        back.close()
        await back.wait_closed()

    run(main())


def test_handlers_that_fail_do_not_stop_the_server(
    aio: Any, run: Callable[[Any], Any], reports: list[dict[str, Any]]
) -> None:
    if aio is asyncio and sys.version_info < (3, 12):
        pytest.skip("asyncio 3.11 leaves the connection of a handler that has failed open")

    async def fail_if_asked(reader: Any, writer: Any) -> None:
        if await reader.readline() == b"fail\n":
            raise ZeroDivisionError
        writer.write(b"fine\n")
        writer.close()

    async def client(address: Any, ask: bytes) -> bytes:
        reader, writer = await aio.open_connection(*address)
        writer.write(ask)
        answer: bytes = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    async def main() -> None:
        server = await aio.start_server(fail_if_asked, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        asked = [b"fail\n", b"hello\n"] * 5
        answers = await aio.gather(*[client(address, ask) for ask in asked])
        assert answers == [b"", b"fine\n"] * 5
        server.close()
        await server.wait_closed()

    run(main())
    assert [report["message"] for report in reports] == [
        "Unhandled exception in client_connected_cb"
    ] * 5


# -- threads and signals ---------------------------------------------------------------------------


def test_callbacks_from_many_threads(loop: Any) -> None:
    """100,000 from 8 threads: none lost, none twice, each thread's in its order."""
    each = 12_500
    came: list[list[int]] = [[] for _ in range(8)]
    left = 8 * each

    def arrive(thread: int, number: int) -> None:
        nonlocal left
        came[thread].append(number)
        left -= 1
        if not left:
            loop.stop()

    def send(thread: int) -> None:
        for number in range(each):
            loop.call_soon_threadsafe(arrive, thread, number)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    watchdog = loop.call_later(60, loop.stop)
    for thread in threads:
        thread.start()
    loop.run_forever()
    for thread in threads:
        thread.join()
    watchdog.cancel()
    assert came == [list(range(each))] * 8


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="the system merges signals here")
def test_a_storm_of_signals(loop: Any) -> None:
    """3,000 of three kinds: none lost, none twice, and the loop goes on meanwhile."""
    first = signal.SIGRTMIN  # real-time signals are queued, others are merged if they come too fast
    kinds = [first, first + 1, first + 2]
    came = dict.fromkeys(kinds, 0)
    burst = 90  # so many at once have room in the self-pipe, whatever the loop is doing
    caught_up = threading.Event()

    def arrive(signum: int) -> None:
        came[signum] += 1
        if sum(came.values()) % burst == 0:
            caught_up.set()

    def storm() -> None:
        for _ in range(34):
            caught_up.clear()
            for number in range(burst):
                os.kill(os.getpid(), kinds[number % 3])
            if not caught_up.wait(60):
                break
        loop.call_soon_threadsafe(loop.stop)

    ticks = 0

    def tick() -> None:
        nonlocal ticks, ticking
        ticks += 1
        ticking = loop.call_soon(tick)

    for signum in kinds:
        loop.add_signal_handler(signum, arrive, signum)
    ticking = loop.call_soon(tick)
    thread = threading.Thread(target=storm)
    thread.start()
    loop.run_forever()
    thread.join()
    ticking.cancel()
    assert came == dict.fromkeys(kinds, 34 * burst // 3)
    assert ticks > 34
    for signum in kinds:
        loop.remove_signal_handler(signum)


# -- the loop itself -------------------------------------------------------------------------------


def test_a_loop_closed_from_another_thread(loop: Any) -> None:
    errors: list[BaseException] = []

    def close() -> None:
        try:
            loop.close()
        except BaseException as exc:
            errors.append(exc)
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=close)
    loop.call_soon(thread.start)
    loop.run_forever()
    thread.join()
    [error] = errors
    assert isinstance(error, RuntimeError)
    assert str(error) == "Cannot close a running event loop"
    assert not loop.is_closed()


def test_threads_that_call_a_loop_while_it_is_closed(loop: Any) -> None:
    ended: list[str] = []

    def call() -> None:
        while True:
            try:
                loop.call_soon_threadsafe(int)
            except RuntimeError as exc:
                ended.append(str(exc))
                return

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        loop.call_later(0.001, loop.stop)
        loop.run_forever()
    loop.close()
    for thread in threads:
        thread.join(60)
    assert ended == ["Event loop is closed"] * 4


class Broken(selectors.DefaultSelector):
    """Raises when it has been asked often enough."""

    asked = 0

    def select(self, timeout: float | None = None) -> Any:
        self.asked += 1
        if self.asked == 3:
            raise OSError("the selector is broken")
        return super().select(timeout)


def test_a_selector_that_raises(kind: str, aio: Any) -> None:
    loop_class: Any = {
        "asyncio": asyncio.SelectorEventLoop,
        "miniloop": miniloop.EventLoop,
        "interop": miniloop.interop.EventLoop,
    }[kind]
    loop = loop_class(Broken())
    ran: list[str] = []

    async def main() -> None:
        for number in range(3):
            ran.append(str(number))
            await aio.sleep(0)

    with pytest.raises(OSError, match="the selector is broken"):
        loop.run_until_complete(main())
    assert ran == ["0", "1"]
    assert not loop.is_running()
    loop.run_until_complete(aio.sleep(0))  # the loop is not broken
    assert ran == ["0", "1", "2"]
    loop.close()


FORK = """
import asyncio, os, sys, warnings
warnings.simplefilter("ignore")
import miniloop, miniloop.interop
aio, factory = {
    "asyncio": (asyncio, asyncio.new_event_loop),
    "miniloop": (miniloop, miniloop.new_event_loop),
    "interop": (asyncio, miniloop.interop.EventLoop),
}[sys.argv[1]]

async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)
    writer.close()

async def ask(address, line):
    reader, writer = await aio.open_connection(*address)
    writer.write(line)
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer

def in_child(address):
    print("child:", aio._get_running_loop(), flush=True)
    loop = factory()
    print("child:", loop.run_until_complete(ask(address, b"from the child\\n")), flush=True)
    loop.close()
    os._exit(7)

async def main():
    server = await aio.start_server(echo, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    reader, writer = await aio.open_connection(*address)
    pid = os.fork()
    if pid == 0:
        in_child(address)
    status = await aio.get_running_loop().run_in_executor(None, os.waitpid, pid, 0)
    print("parent:", os.waitstatus_to_exitcode(status[1]))
    writer.write(b"still here\\n")
    print("parent:", await reader.readline())
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()

loop = factory()
loop.run_until_complete(main())
loop.run_until_complete(loop.shutdown_default_executor())
loop.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_in_mid_run(kind: str) -> None:
    """The child has its own loop and talks to the server of its parent, which goes on."""
    done = subprocess.run(
        [sys.executable, "-c", FORK, kind],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.splitlines() == [
        "child: None",
        "child: b'from the child\\n'",
        "parent: 7",
        "parent: b'still here\\n'",
    ]
