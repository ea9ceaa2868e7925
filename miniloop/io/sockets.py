"""Sockets: how a callback on a descriptor becomes an ``await``.

A system call on a non-blocking socket never waits. It does its work at once, or it fails at once
with BlockingIOError: "nothing there yet". To wait for a socket is the loop's business, in four
moves, which are ``_when_ready()`` below:

1. Try. If that works, nobody has to wait.
2. Make a future, and have the loop watch the descriptor (``_add_reader``, ``_add_writer``).
   ``await`` the future: the task leaves the ready queue, and the loop may do other things.
3. Some ticks later ``select()`` reports the descriptor. The loop calls ``_try_again()``, which
   makes the same system call anew, and gives the future what comes of it.
4. In the next tick the task goes on. It has the loop watch the descriptor no more, whether it got
   a result, an error, or was cancelled, and returns the result.

All the methods here are that, with another system call each. Streams (``streams.py``) are the same
with the watching left on all the time, and a buffer between the callback and the task.

CPython's counterparts are the ``sock_*`` methods in ``asyncio/selector_events.py``;
``getaddrinfo``, ``getnameinfo``, ``_ensure_resolved`` and ``_ipaddr_info`` in
``asyncio/base_events.py``.
"""

from __future__ import annotations

import selectors
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..core.futures import Future
from ..details.debug import logger

if TYPE_CHECKING:
    from .event_loop import EventLoop
    from .executors import Executors as Loop
else:
    Loop = object

__all__: list[str] = []

_T = TypeVar("_T")


class Sockets(Loop):
    """What an event loop does with sockets.

    All sockets must be non-blocking (``sock.setblocking(False)``; debug mode raises ValueError for
    others). TLS sockets are refused with TypeError, and sockets that a stream is using, once there
    is something to wait for, with RuntimeError. What the system call raises is raised here: OSError
    and its kin. Cancelling is safe at any time: the descriptor is watched no more.
    """

    async def sock_recv(self, sock: socket.socket, n: int) -> bytes:
        """Return what has come, at least one byte and at most ``n``; b"" if the peer has ended."""
        return await self._when_ready(sock, selectors.EVENT_READ, lambda: sock.recv(n))

    async def sock_recv_into(self, sock: socket.socket, buf: Any) -> int:
        """Like ``sock_recv``, into a writable buffer; return how many bytes are new in it."""
        return await self._when_ready(sock, selectors.EVENT_READ, lambda: sock.recv_into(buf))

    async def sock_recvfrom(self, sock: socket.socket, bufsize: int) -> tuple[bytes, Any]:
        """Return a datagram, at most ``bufsize`` bytes of it, and the address it is from."""
        return await self._when_ready(sock, selectors.EVENT_READ, lambda: sock.recvfrom(bufsize))

    async def sock_recvfrom_into(
        self, sock: socket.socket, buf: Any, nbytes: int = 0
    ) -> tuple[int, Any]:
        """Receive a datagram into a writable buffer; return its length, and the sender's address.

        ``nbytes`` is the most it may be, 0 for the length of the buffer.
        """
        nbytes = nbytes or len(buf)
        return await self._when_ready(
            sock, selectors.EVENT_READ, lambda: sock.recvfrom_into(buf, nbytes)
        )

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """Send all of ``data``, a bytes-like object. After an error nobody knows how much went."""
        rest = memoryview(data).cast("B")

        def send() -> None:
            nonlocal rest
            rest = rest[sock.send(rest) :]
            if rest:
                raise BlockingIOError  # there is no room at present

        return await self._when_ready(sock, selectors.EVENT_WRITE, send)

    async def sock_sendto(self, sock: socket.socket, data: Any, address: Any) -> int:
        """Send a datagram to ``address``; return how many bytes of it went."""
        return await self._when_ready(
            sock, selectors.EVENT_WRITE, lambda: sock.sendto(data, address)
        )

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        """Return a connection to a listening socket: a non-blocking socket and its address."""

        def accept() -> tuple[socket.socket, Any]:
            connection, address = sock.accept()
            connection.setblocking(False)
            return connection, address

        return await self._when_ready(sock, selectors.EVENT_READ, accept)

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect to ``address``. A host's name is looked up, and the first answer taken."""
        self._check_socket(sock)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            loop: Any = self
            found = await _ensure_resolved(
                loop, address, family=sock.family, type=sock.type, proto=sock.proto
            )
            address = found[0][4]
        under_way = False

        def connect() -> None:
            nonlocal under_way
            if not under_way:
                under_way = True
                sock.connect(address)  # BlockingIOError: it can be written to when it is connected
            elif error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, f"Connect call failed {address}")

        return await self._when_ready(sock, selectors.EVENT_WRITE, connect)

    async def _when_ready(self, sock: socket.socket, event: int, attempt: Callable[[], _T]) -> _T:
        """Return what *attempt* returns, as soon as it raises no BlockingIOError any more.

        *event* is what to wait for: EVENT_READ or EVENT_WRITE.
        """
        self._check_socket(sock)
        try:
            return attempt()
        except (BlockingIOError, InterruptedError):
            pass
        fd = sock.fileno()
        self._ensure_fd_no_transport(fd)
        future: Future[_T] = self.create_future()
        handle = self._watch(fd, event, _try_again, (future, attempt))
        try:
            return await future
        finally:
            if not handle._cancelled:  # else somebody else waits for this descriptor by now
                self._unwatch(fd, event)
            del future  # a cycle

    def _check_socket(self, sock: socket.socket) -> None:
        _refuse_tls_socket(sock)
        if self._debug and sock.gettimeout() != 0:
            raise ValueError("the socket must be non-blocking")

    # -- names of hosts ------------------------------------------------------------------------

    # The system's own functions are asked, which block. So they are called in a thread.

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[tuple[Any, ...]]:
        """Return the addresses of a host, as ``socket.getaddrinfo`` does.

        Raises ``socket.gaierror`` if there are none.
        """
        ask = self._getaddrinfo_debug if self._debug else socket.getaddrinfo
        return await self.run_in_executor(None, ask, host, port, family, type, proto, flags)

    def _getaddrinfo_debug(self, host: Any, port: Any, *args: int) -> list[tuple[Any, ...]]:
        """Ask the system, and log how long it took. Called in a thread, in debug mode."""
        names = ("family", "type", "proto", "flags")
        shown = [f"{name}={value!r}" for name, value in zip(names, args, strict=True) if value]
        question = ", ".join([f"{host}:{port!r}", *shown])
        logger.debug("Get address info %s", question)
        began = self.time()
        found = socket.getaddrinfo(host, port, *args)
        took = self.time() - began
        log = logger.info if took >= self.slow_callback_duration else logger.debug
        log(f"Getting address info {question} took {took * 1e3:.3f}ms: {found!r}")
        return found

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """Return host and service of an address, as ``socket.getnameinfo`` does.

        Raises ``socket.gaierror`` if ``sockaddr`` is no numeric address.
        """
        return await self.run_in_executor(None, socket.getnameinfo, sockaddr, flags)


def _refuse_tls_socket(sock: socket.socket) -> None:
    ssl = sys.modules.get("ssl")  # nobody has a TLS socket who has not imported it
    if ssl is not None and isinstance(sock, ssl.SSLSocket):
        raise TypeError("Socket cannot be of type SSLSocket")


def _try_again(future: Future[_T], attempt: Callable[[], _T]) -> None:
    """End *future* as *attempt* ends, unless it is still too early."""
    if future.done():
        return  # cancelled, and its task has not had its turn yet
    try:
        result = attempt()
    except (BlockingIOError, InterruptedError):
        pass
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as exc:
        future.set_exception(exc)
    else:
        future.set_result(result)
    finally:
        del future  # a cycle


async def _ensure_resolved(
    loop: EventLoop,
    address: Any,
    *,
    family: int = 0,
    type: int = socket.SOCK_STREAM,
    proto: int = 0,
    flags: int = 0,
) -> list[tuple[Any, ...]]:
    """Return what ``getaddrinfo()`` says of an address; without a thread if it is in numbers."""
    host, port = address[:2]
    info = _ipaddr_info(host, port, family, type, proto, *address[2:])
    if info is not None:
        return [info]
    return await loop.getaddrinfo(host, port, family=family, type=type, proto=proto, flags=flags)


def _ipaddr_info(
    host: Any, port: Any, family: int, type: int, proto: int, flowinfo: int = 0, scopeid: int = 0
) -> tuple[Any, ...] | None:
    """Return the answer of ``getaddrinfo()`` if it can be known without asking, else None."""
    protocols: dict[int, int] = {
        socket.SOCK_STREAM: socket.IPPROTO_TCP,
        socket.SOCK_DGRAM: socket.IPPROTO_UDP,
    }
    if (
        host is None
        or type not in protocols
        or proto not in (0, *protocols.values())
        or not hasattr(socket, "inet_pton")
    ):
        return None
    if isinstance(host, bytes):
        host = host.decode("idna")
    if "%" in host:  # a zone, as in "fe80::1%eth0"
        return None
    try:
        port = int(port or 0)
    except (TypeError, ValueError):  # a service: "http"
        return None
    families = (socket.AF_INET, socket.AF_INET6) if family == socket.AF_UNSPEC else (family,)
    for one in families:
        try:
            socket.inet_pton(one, host)
        except OSError:
            continue
        more = (flowinfo, scopeid) if one == socket.AF_INET6 else ()
        return one, type, protocols[type], "", (host, port, *more)
    return None
