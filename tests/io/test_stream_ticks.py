"""Sockets and streams take the same ticks on miniloop as on asyncio.

Each program logs what happens. Compared are the ticks of all that, and the timeouts of all calls of
select(). The sockets are real. Data sent through them arrives at once, and the clock is moved by
the selector, so there is nothing left to chance.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import miniloop
from miniloop.difftest.register import this_python
from tests.virtual_clock import run_on_virtual_clock

Log = Callable[[object], None]
Program = Callable[[ModuleType, Log, str], Coroutine[Any, Any, None]]

PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    PROGRAMS[function.__name__] = function
    return function


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets between which not much fits."""
    here, there = socket.socketpair()
    for sock in (here, there):
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return here, there


async def streams(aio: Any) -> tuple[Any, Any, Any, Any]:
    here, there = pair()
    return *await aio.open_connection(sock=here), *await aio.open_connection(sock=there)


def logged(aio: Any, log: Log, name: str, awaitable: Any) -> Any:
    """Return a task that logs when it starts to wait, and what comes of it."""

    async def wait() -> None:
        log(f"{name} waits")
        try:
            result = await awaitable
            log(f"{name}: {len(result) if isinstance(result, bytes) else type(result).__name__}")
        except BaseException as exc:
            log(f"{name}: {type(exc).__name__}")

    return aio.create_task(wait(), name=name)


# -- sockets ---------------------------------------------------------------------------------------


@program
async def sock_recv_waits(aio: Any, log: Log, path: str) -> None:
    loop = aio.get_running_loop()
    here, there = pair()
    with here, there:
        task = logged(aio, log, "recv", loop.sock_recv(here, 2))
        await aio.sleep(0)
        log("send")
        await loop.sock_sendall(there, b"hello")
        log("sent")
        await task
        await logged(aio, log, "recv", loop.sock_recv_into(here, bytearray(3)))


@program
async def sock_recv_at_once(aio: Any, log: Log, path: str) -> None:
    loop = aio.get_running_loop()
    here, there = pair()
    with here, there:
        await loop.sock_sendall(there, b"hello")
        log(await loop.sock_recv(here, 10))
        log("no tick went by")


@program
async def sock_recv_cancelled(aio: Any, log: Log, path: str) -> None:
    loop = aio.get_running_loop()
    here, there = pair()
    with here, there:
        for when in range(1, 4):
            task = logged(aio, log, "recv", loop.sock_recv(here, 10))
            for _ in range(when):
                await aio.sleep(0)
            task.cancel()
            log("cancel")
            with contextlib.suppress(aio.CancelledError):
                await task
            log(len(loop._selector.get_map()))


@program
async def sock_recv_cancelled_when_it_has_come(aio: Any, log: Log, path: str) -> None:
    loop = aio.get_running_loop()
    here, there = pair()
    with here, there:
        task = logged(aio, log, "recv", loop.sock_recv(here, 10))
        await aio.sleep(0)
        await aio.sleep(0)
        there.send(b"x")
        for _ in range(4):
            await aio.sleep(0)
            log("tick")
        await task


@program
async def sock_recv_cancelled_in_the_tick_in_which_it_comes(aio: Any, log: Log, path: str) -> None:
    loop = aio.get_running_loop()
    here, there = pair()
    with here, there:
        task = logged(aio, log, "recv", loop.sock_recv(here, 10))
        await aio.sleep(0)
        await aio.sleep(0)
        there.send(b"x")
        await aio.sleep(0)
        task.cancel()  # select() has reported it, and its callback is the next to run
        await aio.wait([task])
        log(here.recv(10))


@program
async def sock_sendall_much(aio: Any, log: Log, path: str) -> None:
    loop = aio.get_running_loop()
    here, there = pair()
    with here, there:
        task = logged(aio, log, "sendall", loop.sock_sendall(there, bytes(100_000)))
        left = 100_000
        while left:
            left -= len(await loop.sock_recv(here, 3_000))
            log(left)
        await task


@program
async def sock_accept_and_connect(aio: Any, log: Log, path: str) -> None:
    loop = aio.get_running_loop()
    with socket.socket() as listening, socket.socket() as connecting:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        connecting.setblocking(False)
        task = logged(aio, log, "accept", loop.sock_accept(listening))
        await aio.sleep(0)
        log("connect")
        await loop.sock_connect(connecting, listening.getsockname())
        log("connected")
        await task


@program
async def sock_connect_refused(aio: Any, log: Log, path: str) -> None:
    loop = aio.get_running_loop()
    with socket.socket() as bound, socket.socket() as connecting:
        bound.bind(("127.0.0.1", 0))
        connecting.setblocking(False)
        await logged(aio, log, "connect", loop.sock_connect(connecting, bound.getsockname()))
        log(len(loop._selector.get_map()))


@program
async def two_tasks_at_one_socket(aio: Any, log: Log, path: str) -> None:
    loop = aio.get_running_loop()
    here, there = pair()
    with here, there:
        first = logged(aio, log, "first", loop.sock_recv(here, 1))
        await aio.sleep(0)
        second = logged(aio, log, "second", loop.sock_recv(here, 1))
        await aio.sleep(0)
        first.cancel()
        await aio.sleep(0)
        there.send(b"x")
        await aio.wait([first, second])
        log(len(loop._selector.get_map()))


# -- streams ---------------------------------------------------------------------------------------


async def echo(log: Log, reader: Any, writer: Any) -> None:
    log("accepted")
    async for line in reader:
        log(f"server has {line}")
        writer.write(line)
        await writer.drain()
    log("server: eof")
    writer.close()
    await writer.wait_closed()
    log("server: closed")


async def one_line(aio: Any, log: Log, connecting: Any) -> None:
    reader, writer = await connecting
    log("connected")
    writer.write(b"hello\n")
    await writer.drain()
    log("written")
    log(await reader.readline())
    writer.write_eof()
    log(await reader.read())
    writer.close()
    log("closing")
    await writer.wait_closed()
    log("closed")


@program
async def echo_over_unix_sockets(aio: Any, log: Log, path: str) -> None:
    server = await aio.start_unix_server(lambda *pair: echo(log, *pair), path)
    log("serving")
    await one_line(aio, log, aio.open_unix_connection(path))
    server.close()
    log("close")
    await server.wait_closed()
    log("server closed")


@program
async def echo_over_tcp(aio: Any, log: Log, path: str) -> None:
    server = await aio.start_server(lambda *pair: echo(log, *pair), "127.0.0.1", 0)
    log("serving")
    await one_line(aio, log, aio.open_connection(*server.sockets[0].getsockname()))
    server.close()
    await server.wait_closed()
    log("server closed")


@program
async def servers_on_two_addresses(aio: Any, log: Log, path: str) -> None:
    server = await aio.start_server(print, ["127.0.0.1", "127.0.0.2"], 0)
    log(len(server.sockets))
    server.close()
    await server.wait_closed()
    log("closed")


@program
async def several_clients(aio: Any, log: Log, path: str) -> None:
    server = await aio.start_unix_server(lambda *pair: echo(log, *pair), path)

    async def client(name: str) -> None:
        await one_line(aio, lambda what: log(f"{name}: {what!r}"), aio.open_unix_connection(path))

    await aio.gather(client("a"), client("b"), client("c"))
    server.close()
    await server.wait_closed()


@program
async def a_callback_that_is_no_coroutine(aio: Any, log: Log, path: str) -> None:
    def greet(reader: Any, writer: Any) -> None:
        log("greet")
        writer.write(b"hello")
        writer.close()

    server = await aio.start_unix_server(greet, path)
    reader, writer = await aio.open_unix_connection(path)
    log("connected")
    log(await reader.read())
    writer.close()
    await writer.wait_closed()
    log("closed")
    server.close()
    await server.wait_closed()


@program
async def reading_what_is_there(aio: Any, log: Log, path: str) -> None:
    reader, writer, _, other = await streams(aio)
    other.write(b"one\ntwo\nthree")
    log("written")
    log(await reader.readline())
    log(await reader.readline())
    log(await reader.readexactly(3))
    log(await reader.read(1))
    task = logged(aio, log, "read", reader.read(100))
    await task
    task = logged(aio, log, "read", reader.read(100))
    await aio.sleep(0)
    other.write_eof()
    await task
    for each in (writer, other):
        each.close()
        await each.wait_closed()
        log("closed")


@program
async def drain(aio: Any, log: Log, path: str) -> None:
    reader, writer, _, other = await streams(aio)
    other.transport.set_write_buffer_limits(high=20_000)
    log(other.transport.get_write_buffer_limits())
    other.write(bytes(10_000))
    log(other.transport.get_write_buffer_size() > 0)
    await other.drain()
    log("not full")
    other.write(bytes(90_000))
    task = logged(aio, log, "drain", other.drain())
    second = logged(aio, log, "second drain", other.drain())
    left = 100_000
    while left:
        data = await reader.read(3_000)
        left -= len(data)
        log(left)
        if left < 50_000:
            second.cancel()
    await task
    for each in (writer, other):
        each.close()
        await each.wait_closed()
        log("closed")


@program
async def a_reader_that_keeps_its_peer_back(aio: Any, log: Log, path: str) -> None:
    here, there = pair()
    reader, writer = await aio.open_connection(sock=here, limit=2_000)
    _, other = await aio.open_connection(sock=there)
    other.write(bytes(50_000))
    for _ in range(12):
        await aio.sleep(0)
    log(len(reader._buffer))
    log(len(await reader.readexactly(20_000)))
    log(len(await reader.read(1)))
    log(len(await reader.readexactly(29_999)))
    for each in (writer, other):
        each.close()
        await each.wait_closed()


@program
async def close_in_mid_write(aio: Any, log: Log, path: str) -> None:
    reader, writer, _, other = await streams(aio)
    other.write(bytes(100_000))
    other.close()
    log(other.is_closing())
    task = logged(aio, log, "wait_closed", other.wait_closed())
    log(len(await reader.read()))
    await task
    writer.close()
    await writer.wait_closed()


@program
async def eof_after_much(aio: Any, log: Log, path: str) -> None:
    reader, writer, back, other = await streams(aio)
    other.write(bytes(100_000))
    other.write_eof()
    log(len(await reader.read()))
    writer.write(b"thanks")
    log(await back.read(100))
    for each in (writer, other):
        each.close()
        await each.wait_closed()


@program
async def abort_wakes_all_who_wait(aio: Any, log: Log, path: str) -> None:
    reader, writer, back, other = await streams(aio)
    other.write(bytes(100_000))
    tasks = [
        logged(aio, log, "drain", other.drain()),
        logged(aio, log, "read", back.read(1)),
        logged(aio, log, "wait_closed", other.wait_closed()),
        logged(aio, log, "peer reads", reader.readexactly(100_001)),
    ]
    await aio.sleep(0)
    other.transport.abort()
    log("abort")
    await aio.wait(tasks)
    writer.close()
    await writer.wait_closed()


@program
async def a_peer_that_resets(aio: Any, log: Log, path: str) -> None:
    loop = aio.get_running_loop()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        reader, writer = await aio.open_connection(*listening.getsockname())
        peer, _ = listening.accept()
        with peer:
            peer.send(b"hello")
            log(await reader.read(5))
            tasks = [
                logged(aio, log, "read", reader.read(1)),
                logged(aio, log, "wait_closed", writer.wait_closed()),
            ]
            await aio.sleep(0)
            linger = b"\1\0\0\0\0\0\0\0"  # on, 0 seconds: close() sends a reset
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await aio.wait(tasks)
        log(writer.is_closing())
        await logged(aio, log, "drain", writer.drain())
        await logged(aio, log, "read again", reader.read(1))
        log(len(loop._selector.get_map()))


@program
async def a_write_that_finds_the_peer_gone(aio: Any, log: Log, path: str) -> None:
    _reader, writer, _back, other = await streams(aio)
    other.transport.abort()
    await aio.sleep(0)
    await aio.sleep(0)
    for number in range(4):
        writer.write(b"x")
        await logged(aio, log, f"drain {number}", writer.drain())
    await logged(aio, log, "wait_closed", writer.wait_closed())


@program
async def writing_on_and_on_to_a_peer_that_is_gone(aio: Any, log: Log, path: str) -> None:
    _reader, writer, _back, other = await streams(aio)
    other.transport.abort()
    await aio.sleep(0)
    await aio.sleep(0)
    with contextlib.suppress(OSError):
        for number in range(10):
            writer.write(b"x")
            log(number)
            await writer.drain()
    log("heard of it")


@program
async def serve_forever_cancelled(aio: Any, log: Log, path: str) -> None:
    server = await aio.start_unix_server(lambda *pair: echo(log, *pair), path, start_serving=False)
    log(server.is_serving())
    task = logged(aio, log, "serve_forever", server.serve_forever())
    await aio.sleep(0)
    log(server.is_serving())
    reader, writer = await aio.open_unix_connection(path)
    writer.write(b"hello\n")
    log(await reader.readline())
    task.cancel()
    await aio.sleep(0)
    log(server.is_serving())
    writer.write(b"still there?\n")
    await logged(aio, log, "answer", reader.readline())
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()
    await task


@program
async def close_ends_serve_forever(aio: Any, log: Log, path: str) -> None:
    server = await aio.start_unix_server(lambda *pair: echo(log, *pair), path)
    task = logged(aio, log, "serve_forever", server.serve_forever())
    await aio.sleep(0)
    server.close()
    log("close")
    await task


@program
async def a_server_closed_while_a_connection_knocks(aio: Any, log: Log, path: str) -> None:
    server = await aio.start_unix_server(lambda *pair: echo(log, *pair), path)
    connecting = logged(aio, log, "connect", aio.open_unix_connection(path))
    await aio.sleep(0)
    log("close")
    server.close()
    await connecting
    await server.wait_closed()
    log("closed")


@program
async def open_connection_cancelled(aio: Any, log: Log, path: str) -> None:
    server = await aio.start_unix_server(lambda *pair: echo(log, *pair), path)
    for when in range(1, 4):
        task = logged(aio, log, "open", aio.open_unix_connection(path))
        for _ in range(when):
            await aio.sleep(0)
        task.cancel()
        with contextlib.suppress(aio.CancelledError):
            await task
        for _ in range(10):
            await aio.sleep(0)
        log(f"cancelled after {when}")
    server.close()
    await server.wait_closed()


# What asyncio has not done in this way from the beginning.
NOT_YET = {
    # Older releases leave the connections open when serve_forever() is cancelled.
    "serve_forever_cancelled": this_python(
        ("3.11", "3.12", "3.13.0-3.13.14", "3.14.0-3.14.6"),
    ),
    # early releases of 3.11 leave connections open whose streams are dropped
    "open_connection_cancelled": not hasattr(asyncio.StreamWriter, "__del__"),
}


def schedule(aio: ModuleType, name: str, path: Path) -> Any:
    """Run a program; return the ticks of what it logged, and the timeouts of all selects."""
    where = str(path / aio.__name__)
    return run_on_virtual_clock(aio, lambda log: PROGRAMS[name](aio, log, where))


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # cancelled while connecting
@pytest.mark.parametrize("name", PROGRAMS)
def test_same_ticks(name: str, tmp_path: Path) -> None:
    if NOT_YET.get(name):
        pytest.skip("asyncio does otherwise on this Python")
    on_asyncio, on_miniloop = (schedule(aio, name, tmp_path) for aio in (asyncio, miniloop))
    assert on_miniloop[0] == on_asyncio[0]
    assert on_miniloop[1] == on_asyncio[1]
    assert len(on_asyncio[0]) >= 1
