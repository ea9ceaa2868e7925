"""sock_recv() and its kin, getaddrinfo() and getnameinfo()."""

import gc
import socket
import ssl
import weakref
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def datagrams() -> Iterator[Pair]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
    ):
        for sock in (here, there):
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
        yield here, there


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


def watched(loop: Any, sock: socket.socket) -> bool:
    return sock.fileno() in loop._selector.get_map()


def waiting(loop: Any, coroutine: Any) -> Any:
    """Return a task that has begun to wait."""
    task = loop.create_task(coroutine)
    for _ in range(2):
        loop.call_soon(loop.stop)
        loop.run_forever()
    assert not task.done()
    return task


# -- what they do ----------------------------------------------------------------------------------


def test_recv_what_is_there_and_what_comes_later(loop: Any, pair: Pair) -> None:
    here, there = pair
    there.send(b"now")
    assert loop.run_until_complete(loop.sock_recv(here, 100)) == b"now"
    task = waiting(loop, loop.sock_recv(here, 2))
    assert watched(loop, here)
    there.send(b"later")
    assert loop.run_until_complete(task) == b"la"
    assert not watched(loop, here)
    there.close()
    assert loop.run_until_complete(loop.sock_recv(here, 100)) == b"ter"
    assert loop.run_until_complete(loop.sock_recv(here, 100)) == b""


def test_recv_into(loop: Any, pair: Pair) -> None:
    here, there = pair
    buffer = bytearray(b"......")
    task = waiting(loop, loop.sock_recv_into(here, memoryview(buffer)[1:]))
    there.send(b"abc")
    assert loop.run_until_complete(task) == 3
    assert buffer == b".abc.."


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_sendall(loop: Any, pair: Pair, size: int, kind: Any) -> None:
    here, there = pair
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)

    async def main() -> bytes:
        task = loop.create_task(loop.sock_sendall(there, kind(data)))
        received = bytearray()
        while len(received) < size:
            received += await loop.sock_recv(here, 1_000_000)
        assert await task is None
        return bytes(received)

    assert loop.run_until_complete(main()) == data
    assert not watched(loop, here)
    assert not watched(loop, there)


def test_accept_and_connect(loop: Any, listening: socket.socket) -> None:
    async def main() -> None:
        with socket.socket() as client:
            client.setblocking(False)
            accepting = loop.create_task(loop.sock_accept(listening))
            assert await loop.sock_connect(client, listening.getsockname()) is None
            connection, address = await accepting
            with connection:
                assert connection.getblocking() is False
                assert address == client.getsockname()
                await loop.sock_sendall(connection, b"welcome")
                assert await loop.sock_recv(client, 100) == b"welcome"
            assert await loop.sock_recv(client, 100) == b""
            assert not watched(loop, client)
        assert not watched(loop, listening)

    loop.run_until_complete(main())


def test_connect_by_name(loop: Any, listening: socket.socket) -> None:
    with socket.socket() as client:
        client.setblocking(False)
        _, port = listening.getsockname()
        loop.run_until_complete(loop.sock_connect(client, ("localhost", port)))
        assert client.getpeername() == ("127.0.0.1", port)


def test_connect_refused(loop: Any) -> None:
    with socket.socket() as bound, socket.socket() as client:
        bound.bind(("127.0.0.1", 0))
        client.setblocking(False)
        with pytest.raises(ConnectionRefusedError, match="Connect call failed"):
            loop.run_until_complete(loop.sock_connect(client, bound.getsockname()))
        assert not watched(loop, client)


def test_datagrams(loop: Any, datagrams: Pair) -> None:
    here, there = datagrams
    task = waiting(loop, loop.sock_recvfrom(here, 100))
    assert loop.run_until_complete(loop.sock_sendto(there, b"hello", here.getsockname())) == 5
    assert loop.run_until_complete(task) == (b"hello", there.getsockname())

    buffer = bytearray(10)
    task = waiting(loop, loop.sock_recvfrom_into(here, buffer))
    there.sendto(b"hello", here.getsockname())
    assert loop.run_until_complete(task) == (5, there.getsockname())
    there.sendto(b"123456789", here.getsockname())
    result = loop.run_until_complete(loop.sock_recvfrom_into(here, buffer, 3))
    assert (result, buffer) == ((3, there.getsockname()), b"123lo\0\0\0\0\0")
    for sock in datagrams:
        assert not watched(loop, sock)


def test_addresses_and_names(loop: Any) -> None:
    infos = loop.run_until_complete(
        loop.getaddrinfo("localhost", 80, family=socket.AF_INET, type=socket.SOCK_STREAM)
    )
    assert infos == socket.getaddrinfo("localhost", 80, socket.AF_INET, socket.SOCK_STREAM)
    flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    name = loop.run_until_complete(loop.getnameinfo(("127.0.0.1", 80), flags))
    assert name == ("127.0.0.1", "80")
    with pytest.raises(socket.gaierror):
        loop.run_until_complete(loop.getaddrinfo("no host has this name", 80))
    loop.run_until_complete(loop.shutdown_default_executor())


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_addresses_in_numbers_need_no_thread(loop: Any, family: int) -> None:
    host = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}[family]
    try:
        listening = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip("no such addresses here")
    with listening, socket.socket(family) as client:
        client.setblocking(False)
        loop.run_until_complete(loop.sock_connect(client, listening.getsockname()))
        assert client.getpeername()[0] == host
        assert loop._default_executor is None


# -- cancelling ------------------------------------------------------------------------------------

METHODS = {
    "sock_recv": (10,),
    "sock_recv_into": (bytearray(10),),
    "sock_recvfrom": (10,),
    "sock_recvfrom_into": (bytearray(10),),
    "sock_sendall": (bytes(10_000_000),),
}


@pytest.mark.parametrize("method", METHODS)
def test_cancelled(loop: Any, aio: ModuleType, pair: Pair, method: str) -> None:
    here, there = pair
    task = waiting(loop, getattr(loop, method)(here, *METHODS[method]))
    assert watched(loop, here)
    task.cancel()
    with pytest.raises(aio.CancelledError):
        loop.run_until_complete(task)
    assert not watched(loop, here)
    if method != "sock_sendall":
        there.send(b"x")
        assert loop.run_until_complete(loop.sock_recv(here, 1)) == b"x"


def test_accept_cancelled(loop: Any, aio: ModuleType, listening: socket.socket) -> None:
    task = waiting(loop, loop.sock_accept(listening))
    assert watched(loop, listening)
    task.cancel()
    with pytest.raises(aio.CancelledError):
        loop.run_until_complete(task)
    assert not watched(loop, listening)


def test_connect_cancelled(loop: Any, aio: ModuleType) -> None:
    with socket.socket() as listening, socket.socket() as client:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        client.setblocking(False)

        async def main() -> None:
            task = loop.create_task(loop.sock_connect(client, listening.getsockname()))
            await aio.sleep(0)
            task.cancel()
            with pytest.raises(aio.CancelledError):
                await task

        loop.run_until_complete(main())
        assert not watched(loop, client)


def test_cancelled_by_a_timeout(loop: Any, aio: ModuleType, pair: Pair) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await aio.wait_for(loop.sock_recv(pair[0], 10), 0.001)

    loop.run_until_complete(main())
    assert not watched(loop, pair[0])


def test_who_comes_later_takes_the_place_of_who_waits(
    loop: Any, aio: ModuleType, pair: Pair
) -> None:
    here, there = pair
    first = waiting(loop, loop.sock_recv(here, 1))
    second = waiting(loop, loop.sock_recv(here, 1))
    first.cancel()
    with pytest.raises(aio.CancelledError):
        loop.run_until_complete(first)
    assert watched(loop, here)
    there.send(b"x")
    assert loop.run_until_complete(second) == b"x"
    assert not watched(loop, here)


def test_reading_and_writing_at_once(loop: Any, aio: ModuleType, pair: Pair) -> None:
    here, there = pair
    sending = waiting(loop, loop.sock_sendall(here, bytes(10_000_000)))
    receiving = waiting(loop, loop.sock_recv(here, 10))
    sending.cancel()
    with pytest.raises(aio.CancelledError):
        loop.run_until_complete(sending)
    assert watched(loop, here)
    there.send(b"x")
    assert loop.run_until_complete(receiving) == b"x"
    assert not watched(loop, here)


# -- errors ----------------------------------------------------------------------------------------


def test_an_error_that_comes_while_waiting(loop: Any) -> None:
    with socket.socket() as listening, socket.socket() as client:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        client.connect(listening.getsockname())
        client.setblocking(False)
        task = waiting(loop, loop.sock_recv(client, 10))
        peer, _ = listening.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()  # with a reset
        with pytest.raises(ConnectionResetError):
            loop.run_until_complete(task)
        assert not watched(loop, client)


ALL = {**METHODS, "sock_sendto": (b"x", None), "sock_accept": (), "sock_connect": (("", 1),)}


@pytest.mark.parametrize("method", ALL)
def test_a_blocking_socket_is_refused_in_debug_mode(loop: Any, pair: Pair, method: str) -> None:
    loop.set_debug(True)
    pair[0].setblocking(True)
    with pytest.raises(ValueError, match="the socket must be non-blocking"):
        loop.run_until_complete(getattr(loop, method)(pair[0], *ALL[method]))


@pytest.mark.parametrize("method", ALL)
def test_a_tls_socket_is_refused(loop: Any, method: str) -> None:
    sock = ssl.SSLSocket.__new__(ssl.SSLSocket)
    with pytest.raises(TypeError, match="Socket cannot be of type SSLSocket"):
        loop.run_until_complete(getattr(loop, method)(sock, *ALL[method]))


def test_a_socket_that_a_stream_uses_is_refused(loop: Any, aio: ModuleType, pair: Pair) -> None:
    async def main() -> None:
        _, writer = await aio.open_connection(sock=pair[0])
        with pytest.raises(RuntimeError, match="is used by transport"):
            await loop.sock_recv(pair[0], 10)
        for method in (loop.add_reader, loop.add_writer):
            with pytest.raises(RuntimeError, match="is used by transport"):
                method(pair[0], print)
        for method in (loop.remove_reader, loop.remove_writer):
            with pytest.raises(RuntimeError, match="is used by transport"):
                method(pair[0].fileno())
        writer.close()
        await writer.wait_closed()

    loop.run_until_complete(main())


def test_a_closed_socket(loop: Any, pair: Pair) -> None:
    pair[0].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        loop.run_until_complete(loop.sock_recv(pair[0], 10))


def test_a_failure_leaves_no_cycle(loop: Any, aio: ModuleType, no_gc: None) -> None:
    class Marker:
        pass

    async def main(marker: Marker) -> None:
        with socket.socket() as bound, socket.socket() as client:
            bound.bind(("127.0.0.1", 0))
            client.setblocking(False)
            with pytest.raises(ConnectionRefusedError):
                await loop.sock_connect(client, bound.getsockname())

    marker = Marker()
    reference = weakref.ref(marker)
    loop.run_until_complete(main(marker))
    del marker
    assert reference() is None
    gc.collect()
