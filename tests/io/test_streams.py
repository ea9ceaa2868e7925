"""open_connection(), start_server(), and what they return."""

import asyncio
import gc
import os
import socket
import ssl
import sys
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import miniloop
from miniloop.difftest.register import this_python

unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")


def reader_of(aio: Any, loop: Any, *chunks: bytes, eof: bool = True, **options: Any) -> Any:
    reader = aio.StreamReader(loop=loop, **options)
    for chunk in chunks:
        reader.feed_data(chunk)
    if eof:
        reader.feed_eof()
    return reader


async def streams(aio: Any, **options: Any) -> tuple[Any, Any, Any, Any]:
    """Return reader and writer of both ends of a connection."""
    here, there = socket.socketpair()
    return (
        *await aio.open_connection(sock=here, **options),
        *await aio.open_connection(sock=there, **options),
    )


async def close(*writers: Any) -> None:
    for writer in writers:
        writer.close()
    for writer in writers:
        await writer.wait_closed()


async def ticks(aio: Any, times: int) -> None:
    for _ in range(times):
        await aio.sleep(0)


class Transport:
    """Stands in for a transport, and notes whether it is to read."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")


# -- StreamReader ----------------------------------------------------------------------------------


def test_read(aio: ModuleType, loop: Any) -> None:
    run = loop.run_until_complete
    reader = reader_of(aio, loop, b"abc", b"defg")
    assert run(reader.read(0)) == b""
    assert run(reader.read(2)) == b"ab"
    assert not reader.at_eof()
    assert run(reader.read()) == b"cdefg"
    assert reader.at_eof()
    assert run(reader.read()) == run(reader.read(1)) == run(reader.read(-5)) == b""


def test_readexactly(aio: ModuleType, loop: Any) -> None:
    run = loop.run_until_complete
    reader = reader_of(aio, loop, b"abc", b"defg")
    assert run(reader.readexactly(0)) == b""
    assert run(reader.readexactly(5)) == b"abcde"
    with pytest.raises(aio.IncompleteReadError) as raised:
        run(reader.readexactly(3))
    assert (raised.value.partial, raised.value.expected) == (b"fg", 3)
    assert reader.at_eof()
    with pytest.raises(ValueError, match="readexactly size can not be less than zero"):
        run(reader.readexactly(-1))


def test_readline(aio: ModuleType, loop: Any) -> None:
    run = loop.run_until_complete
    reader = reader_of(aio, loop, b"one\ntw", b"o\n\nrest")
    lines = [run(reader.readline()) for _ in range(6)]
    assert lines == [b"one\n", b"two\n", b"\n", b"rest", b"", b""]


@pytest.mark.parametrize(
    ("chunks", "separator", "expected"),
    [
        ([b"one--two"], b"--", b"one--"),
        ([b"one-", b"-two"], b"--", b"one--"),
        ([b"-", b"-", b"-"], b"--", b"--"),
        ([b"abcabd"], b"abd", b"abcabd"),
    ],
)
def test_readuntil(
    aio: ModuleType, loop: Any, chunks: list[bytes], separator: Any, expected: bytes
) -> None:
    reader = reader_of(aio, loop, *chunks)
    assert loop.run_until_complete(reader.readuntil(separator)) == expected


@pytest.mark.parametrize(
    ("chunks", "separators", "expected"),
    [
        ([b"one,two;"], (b";", b","), b"one,"),
        ([b"one", b";two,"], (b",", b";"), b"one;"),
        ([b"abcd"], (b"bcd", b"c"), b"abc"),
        ([b"xab"], (b"b", b"ab"), b"xab"),
        ([b"one\r", b"\n"], (b"\r\n", b"\n"), b"one\r\n"),
        ([b"--+", b"+..."], (b"xx", b"--++"), b"--++"),
    ],
)
def test_readuntil_one_of_several(
    aio: ModuleType, loop: Any, chunks: list[bytes], separators: Any, expected: bytes
) -> None:
    if aio is asyncio and sys.version_info < (3, 13):
        pytest.skip("asyncio: 3.13")
    reader = reader_of(aio, loop, chunks[0], eof=False)
    for chunk in chunks[1:]:
        loop.call_soon(loop.call_soon, reader.feed_data, chunk)
    reading = aio.wait_for(reader.readuntil(separators), 60)
    assert loop.run_until_complete(reading) == expected


def test_readuntil_that_comes_bit_by_bit(aio: ModuleType, loop: Any) -> None:
    reader = reader_of(aio, loop, eof=False)

    async def main() -> bytes:
        task = loop.create_task(reader.readuntil(b"<end>"))
        for byte in b"<e<en<endd<end>":
            await aio.sleep(0)
            reader.feed_data(bytes([byte]))
        return await task  # type: ignore[no-any-return]

    assert loop.run_until_complete(main()) == b"<e<en<endd<end>"


def test_readuntil_incomplete(aio: ModuleType, loop: Any) -> None:
    reader = reader_of(aio, loop, b"one-")
    with pytest.raises(aio.IncompleteReadError) as raised:
        loop.run_until_complete(reader.readuntil(b"--"))
    assert (raised.value.partial, raised.value.expected) == (b"one-", None)
    assert reader.at_eof()


@pytest.mark.parametrize("wrong", [b"", (), (b"x", b"")])
def test_readuntil_nothing(aio: ModuleType, loop: Any, wrong: Any) -> None:
    if aio is asyncio and sys.version_info < (3, 13) and wrong != b"":
        pytest.skip("asyncio: 3.13")
    with pytest.raises(ValueError, match="Separator should"):
        loop.run_until_complete(reader_of(aio, loop, b"x").readuntil(wrong))


def test_limit_of_readuntil(aio: ModuleType, loop: Any) -> None:
    run = loop.run_until_complete
    reader = reader_of(aio, loop, b"123456789-", limit=5)
    with pytest.raises(aio.LimitOverrunError, match="found, but chunk is longer") as raised:
        run(reader.readuntil(b"-"))
    assert raised.value.consumed == 9
    assert run(reader.read(100)) == b"123456789-"
    reader = reader_of(aio, loop, b"123456789-", limit=5)
    with pytest.raises(aio.LimitOverrunError, match="is not found") as raised:
        run(reader.readuntil(b"--"))
    assert raised.value.consumed == 9
    reader = reader_of(aio, loop, b"12345-", limit=5)
    assert run(reader.readuntil(b"-")) == b"12345-"


def test_limit_of_readline(aio: ModuleType, loop: Any) -> None:
    run = loop.run_until_complete
    reader = reader_of(aio, loop, b"123456\nabc\n", limit=5)
    with pytest.raises(ValueError, match="chunk is longer than limit"):
        run(reader.readline())
    assert run(reader.readline()) == b"abc\n"
    reader = reader_of(aio, loop, b"123456789", limit=5, eof=False)
    with pytest.raises(ValueError, match="chunk exceed the limit"):
        run(reader.readline())
    assert reader._buffer == b""


def test_no_limit(aio: ModuleType, loop: Any) -> None:
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="Limit cannot be <= 0"):
            aio.StreamReader(limit=wrong, loop=loop)


def test_iteration(aio: ModuleType, loop: Any) -> None:
    async def lines() -> list[bytes]:
        return [line async for line in reader_of(aio, loop, b"one\ntwo\nrest")]

    assert loop.run_until_complete(lines()) == [b"one\n", b"two\n", b"rest"]


@pytest.mark.parametrize("method", ["read", "readline", "readexactly", "readuntil"])
def test_an_exception_outranks_what_is_in_the_buffer(
    aio: ModuleType, loop: Any, method: str
) -> None:
    reader = reader_of(aio, loop, b"one\n", eof=False)
    error = ConnectionResetError("gone")
    reader.set_exception(error)
    assert reader.exception() is error
    arguments = (1,) if method == "readexactly" else ()
    with pytest.raises(ConnectionResetError, match="gone"):
        loop.run_until_complete(getattr(reader, method)(*arguments))


@pytest.mark.parametrize("method", ["read", "readexactly", "readuntil"])
def test_two_cannot_wait(aio: ModuleType, loop: Any, method: str) -> None:
    reader = reader_of(aio, loop, eof=False)

    async def main() -> None:
        first = loop.create_task(reader.readline())
        await aio.sleep(0)
        text = rf"{method}\(\) called while another coroutine is already waiting"
        with pytest.raises(RuntimeError, match=text):
            await getattr(reader, method)(*((1,) if method != "readuntil" else ()))
        reader.feed_data(b"for the first\n")
        assert await first == b"for the first\n"

    loop.run_until_complete(main())


def test_a_cancelled_reader_loses_nothing(aio: ModuleType, loop: Any) -> None:
    reader = reader_of(aio, loop, eof=False)

    async def main() -> None:
        task = loop.create_task(reader.readline())
        await aio.sleep(0)
        reader.feed_data(b"one")
        await aio.sleep(0)
        task.cancel()
        await aio.wait([task])
        assert task.cancelled()
        reader.feed_data(b"\n")
        assert await reader.readline() == b"one\n"

    loop.run_until_complete(main())


def test_the_transport_is_paused_and_resumed(aio: ModuleType, loop: Any) -> None:
    reader = reader_of(aio, loop, eof=False, limit=10)
    transport = Transport()
    reader.set_transport(transport)
    reader.feed_data(bytes(20))
    assert transport.asked == []
    reader.feed_data(bytes(1))
    reader.feed_data(bytes(1))
    assert transport.asked == ["pause"]
    loop.run_until_complete(reader.read(11))
    assert transport.asked == ["pause"]
    loop.run_until_complete(reader.read(1))
    assert transport.asked == ["pause", "resume"]

    reader.feed_data(bytes(20))
    task = loop.create_task(reader.readexactly(31))
    loop.call_soon(reader.feed_data, bytes(1))
    loop.run_until_complete(task)
    assert transport.asked == ["pause", "resume"] * 3


def test_a_transport_that_cannot_pause(aio: ModuleType, loop: Any) -> None:
    class Stubborn(Transport):
        def pause_reading(self) -> None:
            self.asked.append("pause")
            raise NotImplementedError

    reader = reader_of(aio, loop, eof=False, limit=1)
    transport = Stubborn()
    reader.set_transport(transport)
    reader.feed_data(bytes(9))
    reader.feed_data(bytes(9))
    assert transport.asked == ["pause"]


def test_reader_repr(aio: ModuleType, loop: Any) -> None:
    reader = aio.StreamReader(loop=loop, limit=7)
    assert repr(reader) == "<StreamReader limit=7>"
    reader.feed_data(b"abc")
    reader.feed_eof()
    reader.set_exception(ValueError("x"))
    assert repr(reader) == "<StreamReader 3 bytes eof limit=7 exception=ValueError('x')>"


# -- connections -----------------------------------------------------------------------------------


def test_there_and_back(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def answer(reader: Any, writer: Any) -> None:
        assert writer.get_extra_info("sockname") == server.sockets[0].getsockname()
        data = await reader.read()
        writer.write(data.upper())
        await close(writer)

    async def main() -> None:
        nonlocal server
        async with await aio.start_server(answer, "127.0.0.1", 0) as server:
            assert server.is_serving()
            reader, writer = await aio.open_connection(*server.sockets[0].getsockname())
            assert writer.get_extra_info("peername") == server.sockets[0].getsockname()
            assert writer.get_extra_info("sockname") == (
                writer.get_extra_info("socket").getsockname()
            )
            own_socket = writer.get_extra_info("socket")
            assert own_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            assert writer.get_extra_info("nothing") is None
            assert writer.get_extra_info("nothing", "else") == "else"
            assert writer.can_write_eof()
            writer.writelines([b"one, ", bytearray(b"two, "), memoryview(b"three")])
            writer.write_eof()
            with pytest.raises(RuntimeError, match="after write_eof"):
                writer.write(b"x")
            assert await reader.read() == b"ONE, TWO, THREE"
            assert not writer.is_closing()
            await close(writer)
            assert writer.is_closing()
        assert not server.is_serving()
        assert server.sockets == ()

    server: Any = None
    run(main())


@pytest.mark.parametrize("size", [1, 70_000, 3_000_000])
def test_sizes(aio: ModuleType, run: Callable[..., Any], size: int) -> None:
    data = os.urandom(size)

    async def main() -> None:
        reader, writer, back, other = await streams(aio)

        async def send() -> None:
            for start in range(0, size, 50_000):
                other.write(data[start : start + 50_000])
                await other.drain()
                assert other.transport.get_write_buffer_size() <= 64 * 1024
            other.write_eof()

        sending = aio.create_task(send())
        assert await reader.read() == data
        await sending
        await close(writer, other)
        assert await back.read() == b""

    run(main())


@pytest.mark.parametrize("wrong", ["text", None, 3, [b"x"]])
def test_what_is_not_bytes(aio: ModuleType, run: Callable[..., Any], wrong: Any) -> None:
    message = "data argument must be a bytes"
    if aio is miniloop or sys.version_info >= (3, 15):
        message += f", bytearray, or memoryview object, not '{type(wrong).__name__}'"

    async def main() -> None:
        _, writer, _, other = await streams(aio)
        with pytest.raises(TypeError, match=message):
            writer.write(wrong)
        await close(writer, other)

    run(main())


def test_write_buffer_limits(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        _, writer, _, other = await streams(aio)
        transport = writer.transport
        assert transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
        for options, low_and_high in [
            ({"high": 100}, (25, 100)),
            ({"low": 100}, (100, 400)),
            ({"high": 9, "low": 9}, (9, 9)),
            ({"high": 0}, (0, 0)),
        ]:
            transport.set_write_buffer_limits(**options)
            assert transport.get_write_buffer_limits() == low_and_high
        for options in ({"high": 1, "low": 2}, {"high": -1}):
            with pytest.raises(ValueError, match="must be >="):
                transport.set_write_buffer_limits(**options)
        await close(writer, other)

    run(main())


def test_writing_after_close(
    aio: ModuleType, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        _, writer, _, other = await streams(aio)
        await close(writer)
        for _ in range(6):
            writer.write(b"x")
        with pytest.raises(ConnectionResetError, match="Connection lost"):
            await writer.drain()
        writer.close()
        writer.transport.abort()
        await close(other)

    run(main())
    assert "socket.send() raised exception." in caplog.messages


def test_pause_and_resume_reading(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        reader, writer, _, other = await streams(aio)
        assert writer.transport.is_reading()
        for _ in range(2):
            writer.transport.pause_reading()
        assert not writer.transport.is_reading()
        other.write(b"x")
        await ticks(aio, 3)
        assert reader._buffer == b""
        for _ in range(2):
            writer.transport.resume_reading()
        assert await reader.read(1) == b"x"
        await close(writer, other)
        assert not writer.transport.is_reading()

    run(main())


def test_writer_and_transport_repr(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        _, writer, _, other = await streams(aio)
        descriptor = writer.get_extra_info("socket").fileno()
        assert repr(writer.transport) == (
            f"<_SelectorSocketTransport fd={descriptor} read=polling write=<idle, bufsize=0>>"
        )
        assert repr(writer).startswith("<StreamWriter transport=<_Sel")
        assert " reader=<StreamReader transport=<_Sel" in repr(writer)
        writer.close()
        assert f"closing fd={descriptor}" in repr(writer)
        await close(writer, other)
        assert f"closed fd={descriptor}" in repr(writer)

    run(main())


def test_nobody_listens(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            _, port = bound.getsockname()
            with pytest.raises(ConnectionRefusedError):
                await aio.open_connection("127.0.0.1", port)
        with pytest.raises(socket.gaierror):
            await aio.open_connection("no host has this name", 80)

    run(main())


def test_no_address_answers(
    aio: ModuleType, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async def getaddrinfo(host: str, port: int, **options: Any) -> Any:
            kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            return [(*kind, ("127.0.0.1", port)), (*kind, ("127.0.0.2", port))]

        monkeypatch.setattr(aio.get_running_loop(), "getaddrinfo", getaddrinfo)
        with socket.socket() as bound:
            bound.bind(("", 0))
            _, port = bound.getsockname()
            with pytest.raises(OSError, match=r"Multiple exceptions: .*0\.1.*, .*0\.2"):
                await aio.open_connection("somewhere", port)
            if aio is miniloop or sys.version_info >= (3, 12):
                with pytest.raises(ExceptionGroup, match="create_connection failed") as raised:
                    await aio.open_connection("somewhere", port, all_errors=True)
                assert len(raised.value.exceptions) == 2
            bound.listen()
            _, writer = await aio.open_connection("somewhere", port)
            await close(writer)

    run(main())


def test_local_address(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        async with await aio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as it:
            address = it.sockets[0].getsockname()
            _, writer = await aio.open_connection(*address, local_addr=("127.0.0.1", 0))
            assert writer.get_extra_info("sockname")[0] == "127.0.0.1"
            with pytest.raises(OSError, match="error while attempting to bind on address"):
                await aio.open_connection(*address, local_addr=address)
            with pytest.raises(OSError, match="no matching local address with family="):
                await aio.open_connection(*address, local_addr=("::1", 0))
            await close(writer)

    run(main())


def test_arguments_that_do_not_go_together(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for function, first in ((aio.open_connection, ()), (aio.start_server, (print,))):
                with pytest.raises(ValueError, match="can not be specified at the same time"):
                    await function(*first, "127.0.0.1", 0, sock=tcp)
                with pytest.raises(ValueError, match="sock"):
                    await function(*first)
                with pytest.raises(ValueError, match="A Stream Socket was expected"):
                    await function(*first, sock=udp)
                with pytest.raises(ValueError, match="only meaningful with ssl"):
                    await function(*first, "127.0.0.1", 0, ssl_handshake_timeout=1)
                with pytest.raises(TypeError, match="unexpected keyword argument 'color'"):
                    await function(*first, "127.0.0.1", 0, color="red")
                with pytest.raises(TypeError, match="SSLSocket"):
                    await function(*first, sock=ssl.SSLSocket.__new__(ssl.SSLSocket))

    run(main())


def test_no_tls_here() -> None:
    async def main() -> None:
        context = ssl.create_default_context()
        for function, first in (
            (miniloop.open_connection, ()),
            (miniloop.start_server, (print,)),
        ):
            with pytest.raises(NotImplementedError, match=r"miniloop\.interop"):
                await function(*first, "127.0.0.1", 0, ssl=context)
        _, writer, _, other = await streams(miniloop)
        with pytest.raises(NotImplementedError, match=r"no TLS.*miniloop\.interop"):
            await writer.start_tls(context)
        with pytest.raises(NotImplementedError, match=r"happy eyeballs.*miniloop\.interop"):
            await miniloop.open_connection("localhost", 80, happy_eyeballs_delay=1)
        await close(writer, other)

    miniloop.run(main())


# -- servers ---------------------------------------------------------------------------------------


def test_a_server_on_all_interfaces(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        for host in (None, ""):
            server = await aio.start_server(lambda _, writer: writer.close(), host, 0)
            addresses = {sock.family: sock.getsockname() for sock in server.sockets}
            assert {address[0] for address in addresses.values()} <= {"0.0.0.0", "::"}
            _, writer = await aio.open_connection("127.0.0.1", addresses[socket.AF_INET][1])
            await close(writer)
            server.close()
            await server.wait_closed()

    run(main())


def test_an_address_that_is_taken(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        async with await aio.start_server(print, "127.0.0.1", 0) as server:
            with pytest.raises(OSError, match="error while attempting to bind on address"):
                await aio.start_server(print, *server.sockets[0].getsockname())
        with pytest.raises(OSError, match=r"could not bind on any address|attempting to bind"):
            await aio.start_server(print, "192.0.2.1", 0)

    run(main())


def test_socket_options(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        options = {"reuse_address": True, "reuse_port": True}
        if aio is miniloop or sys.version_info >= (3, 13):
            options["keep_alive"] = True
        async with await aio.start_server(print, "127.0.0.1", 0, **options) as server:
            for name in ("SO_REUSEADDR", "SO_REUSEPORT", "SO_KEEPALIVE")[: len(options)]:
                option = getattr(socket, name)
                assert server.sockets[0].getsockopt(socket.SOL_SOCKET, option) != 0

    run(main())


def test_a_server_that_begins_later(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        server = await aio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0, start_serving=False
        )
        address = server.sockets[0].getsockname()
        assert not server.is_serving()
        with pytest.raises(ConnectionRefusedError):
            await aio.open_connection(*address)
        await server.start_serving()
        await server.start_serving()
        assert server.is_serving()
        assert server.get_loop() is aio.get_running_loop()
        _, writer = await aio.open_connection(*address)
        await close(writer)
        server.close()
        server.close()
        await server.wait_closed()
        with pytest.raises(RuntimeError, match="is closed"):
            await server.serve_forever()

    run(main())


def test_serve_forever_twice(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        server = await aio.start_server(print, "127.0.0.1", 0)
        task = aio.create_task(server.serve_forever())
        await aio.sleep(0)
        with pytest.raises(RuntimeError, match="already being awaited on serve_forever"):
            await server.serve_forever()
        task.cancel()
        await aio.wait([task])
        assert task.cancelled()
        assert not server.is_serving()

    run(main())


def test_clients_can_be_closed_with_the_server(aio: ModuleType, run: Callable[..., Any]) -> None:
    if aio is asyncio and sys.version_info < (3, 13):
        pytest.skip("asyncio: 3.13")

    async def main(method: str) -> None:
        connected = aio.Event()
        writers = []

        def on_connected(reader: Any, writer: Any) -> None:
            writers.append(writer)
            writer.write(bytes(5_000_000))
            connected.set()

        server = await aio.start_server(on_connected, "127.0.0.1", 0)
        reader, writer = await aio.open_connection(*server.sockets[0].getsockname())
        await connected.wait()
        server.close()
        getattr(server, method)()
        received = len(await reader.read())
        await server.wait_closed()
        assert (received == 5_000_000) == (method == "close_clients")
        await close(writer)

    for method in ("close_clients", "abort_clients"):
        run(main(method))


def test_wait_closed_waits_for_the_last_client(aio: ModuleType, run: Callable[..., Any]) -> None:
    if aio is asyncio and sys.version_info < (3, 12):
        pytest.skip("asyncio: 3.12")

    async def main() -> None:
        writers: list[Any] = []
        server = await aio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
        _, first = await aio.open_connection(*server.sockets[0].getsockname())
        _, second = await aio.open_connection(*server.sockets[0].getsockname())
        while len(writers) < 2:
            await aio.sleep(0)
        server.close()
        waiting = [aio.create_task(server.wait_closed()) for _ in range(2)]
        await close(writers[0])
        await ticks(aio, 5)
        assert not any(task.done() for task in waiting)
        await close(writers[1])
        await aio.gather(*waiting)
        await server.wait_closed()
        await close(first, second)

    run(main())


# -- Unix sockets ----------------------------------------------------------------------------------


@unix
@pytest.mark.parametrize("kind", [str, Path, os.fsencode])
def test_unix_sockets(aio: ModuleType, run: Callable[..., Any], tmp_path: Path, kind: Any) -> None:
    path = kind(str(tmp_path / "socket"))

    async def main() -> None:
        server = await aio.start_unix_server(lambda _, writer: writer.close(), path)
        reader, writer = await aio.open_unix_connection(path)
        assert await reader.read() == b""
        await close(writer)
        server.close()
        await server.wait_closed()
        if aio is miniloop or sys.version_info >= (3, 13):
            assert not os.path.exists(path)

    run(main())
    run(main())  # what is left of the first is no hindrance


@unix
def test_unix_socket_of_somebody_else(
    aio: ModuleType, run: Callable[..., Any], tmp_path: Path
) -> None:
    path = str(tmp_path / "socket")

    async def main() -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(OSError, match="is already in use"):
            await aio.start_unix_server(print, tmp_path / "file")
        with pytest.raises(FileNotFoundError):
            await aio.open_unix_connection(tmp_path / "nothing")
        with pytest.raises(FileNotFoundError):
            await aio.start_unix_server(print, tmp_path / "no" / "such" / "folder")

        first = await aio.start_unix_server(print, path)
        second = await aio.start_unix_server(print, path)  # takes the name over
        first.close()
        assert os.path.exists(path)
        second.close()

    run(main())


@unix
@pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")
def test_abstract_unix_sockets(aio: ModuleType, run: Callable[..., Any]) -> None:
    path = f"\0miniloop {os.getpid()}"

    async def main() -> None:
        async with await aio.start_unix_server(lambda _, writer: writer.close(), path):
            reader, writer = await aio.open_unix_connection(path)
            assert await reader.read() == b""
            await close(writer)

    run(main())


@unix
def test_unix_arguments(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        with socket.socket() as tcp:
            for function, first in (
                (aio.open_unix_connection, ()),
                (aio.start_unix_server, (print,)),
            ):
                with pytest.raises(ValueError, match="can not be specified at the same time"):
                    await function(*first, "path", sock=tcp)
                with pytest.raises(ValueError, match="sock"):
                    await function(*first)
                with pytest.raises(ValueError, match="A UNIX Domain Stream Socket was expected"):
                    await function(*first, sock=tcp)

    run(main())


# -- errors and what is left behind ----------------------------------------------------------------


def test_an_exception_in_the_servers_callback_is_reported(
    aio: ModuleType, run: Callable[..., Any]
) -> None:
    if aio is asyncio and sys.version_info < (3, 12):
        pytest.skip("asyncio 3.11 reports it when the task is destroyed, and leaves the connection")
    reports: list[dict[str, Any]] = []

    async def fail(reader: Any, writer: Any) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        aio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        async with await aio.start_server(fail, "127.0.0.1", 0) as server:
            reader, writer = await aio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""  # the connection is closed
            await close(writer)

    run(main())
    [report] = reports
    assert report["message"] == "Unhandled exception in client_connected_cb"
    assert isinstance(report["exception"], ZeroDivisionError)
    assert "transport" in report


def test_an_exception_in_a_plain_callback_is_reported(
    aio: ModuleType, run: Callable[..., Any]
) -> None:
    reports: list[dict[str, Any]] = []

    def fail(reader: Any, writer: Any) -> None:
        writer.close()
        raise ZeroDivisionError

    async def main() -> None:
        aio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        async with await aio.start_server(fail, "127.0.0.1", 0) as server:
            reader, writer = await aio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""
            await close(writer)

    run(main())
    assert [type(report["exception"]) for report in reports] == [ZeroDivisionError]


def test_no_descriptor_left_looks_away_for_a_second(
    aio: ModuleType, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[dict[str, Any]] = []
    # One more than the backlog is accepted at once; older releases stop at the backlog.
    stops_early = aio is asyncio and this_python(("3.11", "3.12", "3.13.0-3.13.11"))
    at_once = 1 if stops_early else 2

    class Listening(socket.socket):
        full = True

        def accept(self) -> Any:
            if self.full:
                raise OSError(24, "Too many open files")
            return super().accept()

    async def main() -> None:
        loop = aio.get_running_loop()
        loop.set_exception_handler(lambda _, report: reports.append(report))
        delays: list[float] = []
        call_later = loop.call_later
        monkeypatch.setattr(
            loop, "call_later", lambda delay, *args: (delays.append(delay), call_later(0.3, *args))
        )
        with Listening() as listening:
            listening.bind(("127.0.0.1", 0))
            server = await aio.start_server(
                lambda _, writer: writer.close(), sock=listening, backlog=1
            )
            reader, writer = await aio.open_connection(*listening.getsockname())
            await ticks(aio, 5)
            assert delays == [1] * at_once
            listening.full = False
            assert await reader.read() == b""
            await close(writer)
            server.close()
            await server.wait_closed()

    run(main())
    assert len(reports) == at_once
    for report in reports:
        assert report["message"] == "socket.accept() out of system resource"
        assert report["exception"].errno == 24


def test_a_stream_that_is_dropped_is_closed(
    aio: ModuleType, run: Callable[..., Any], recwarn: pytest.WarningsRecorder
) -> None:
    if not hasattr(aio.StreamWriter, "__del__"):
        pytest.skip("early releases of asyncio 3.11 leave the connection open")

    async def main() -> None:
        warnings.simplefilter("always")
        here, there = socket.socketpair()
        _, writer = await aio.open_connection(sock=here)
        reader, other = await aio.open_connection(sock=there)
        del writer, _
        gc.collect()
        assert await reader.read() == b""
        await close(other)

    run(main())
    if aio is miniloop or sys.version_info >= (3, 13):
        assert "unclosed <StreamWriter" in str(recwarn.pop(ResourceWarning).message)


def test_a_closed_stream_leaves_no_cycle(run: Callable[..., Any], no_gc: None) -> None:
    async def main() -> None:
        reader, writer, back, other = await streams(miniloop)
        reading = miniloop.create_task(reader.readline())
        other.write(b"hello\n")
        await reading
        del reading
        await close(writer, other)
        things = (reader, writer, back, other, writer.transport, writer._protocol)
        references.extend(map(weakref.ref, things))

    references: list[weakref.ref[Any]] = []
    miniloop.run(main())
    assert [reference() for reference in references] == [None] * 6


def test_debug_mode(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        reader, writer, _, other = await streams(aio)
        other.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        await close(writer, other)

    run(main(), debug=True)


# -- found by a reader -----------------------------------------------------------------------------


def test_a_view_of_wide_items_is_sent_whole(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        reader, _, _, writer = ends = await streams(aio)
        writer.write(memoryview(b"abcdefghijkl").cast("I"))
        writer.write_eof()
        assert await reader.read() == b"abcdefghijkl"
        await close(ends[1], writer)

    run(main())


def test_what_cannot_be_sent_closes_the_connection(
    aio: ModuleType, run: Callable[..., Any]
) -> None:
    async def main() -> None:
        told: list[dict[str, Any]] = []
        loop = aio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: told.append(context))
        reader, one, _, other = await streams(aio)
        other.write(memoryview(b"abcdef")[::2])  # with gaps
        assert [context["message"] for context in told] == ["Fatal write error on socket transport"]
        assert await reader.read() == b""
        with pytest.raises(BufferError):
            await other.wait_closed()
        await close(one)

    run(main())


@unix
def test_a_unix_socket_whose_name_is_gone(
    aio: ModuleType, run: Callable[..., Any], tmp_path: Path
) -> None:
    path = str(tmp_path / "socket")

    async def main() -> None:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)
        os.unlink(path)
        server = await aio.start_unix_server(print, sock=sock)
        server.close()
        await server.wait_closed()

    run(main())


def test_a_protocol_without_reader(aio: ModuleType, run: Callable[..., Any]) -> None:
    async def main() -> None:
        aio.StreamReaderProtocol(None).connection_lost(None)

    run(main())


def test_a_generator_takes_a_connection(run: Callable[..., Any], aio: ModuleType) -> None:
    if aio is asyncio:
        pytest.skip("asyncio drives no plain generators")

    def answer(reader: Any, writer: Any) -> Any:
        line = yield from reader.readline().__await__()
        writer.write(line.upper())
        writer.close()

    async def main() -> None:
        async with await miniloop.start_server(answer, "127.0.0.1", 0) as server:
            reader, writer = await miniloop.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            assert await reader.read() == b"HELLO\n"
            await close(writer)

    run(main())
