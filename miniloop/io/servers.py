"""Servers: listening sockets, their connections, and how an address becomes a socket.

A server lets the loop watch its listening sockets. The loop calls ``_accept_connection()`` when a
client connects. That starts a task for each connection, which puts a transport on it and ends. The
server lives on until its last connection is closed: see ``Server.wait_closed()``.

A client needs less: ``_connect()`` tries the addresses of a host, one after the other.

CPython's counterparts are ``Server``, ``create_connection`` and ``create_server`` in
``asyncio/base_events.py``, ``_accept_connection`` in ``asyncio/selector_events.py``, and
``create_unix_connection`` and ``create_unix_server`` in ``asyncio/unix_events.py``.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
import stat
import sys
import weakref
from collections.abc import Callable, Iterable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from ..core.combinators import gather, sleep
from ..core.exceptions import CancelledError
from ..core.futures import Future
from ..details.debug import logger
from .sockets import _ensure_resolved, _refuse_tls_socket
from .transports import _SelectorSocketTransport

if TYPE_CHECKING:
    from .event_loop import EventLoop

__all__ = ["Server"]

_ACCEPT_RETRY_DELAY = 1  # seconds


class Server:
    """Listening sockets, and the connections that came of them. Made by ``start_server()``.

    ``async with server:`` closes it at the end.
    """

    def __init__(
        self,
        loop: EventLoop,
        sockets: list[socket.socket],
        protocol_factory: Callable[[], Any],
        backlog: int,
    ) -> None:
        self._loop = loop
        self._sockets: list[socket.socket] | None = sockets  # None: closed
        self._protocol_factory = protocol_factory
        self._backlog = backlog
        self._context = copy_context()  # each connection gets a copy
        self._serving = False
        self._serving_forever_fut: Future[None] | None = None
        # Weakly: it must show when a program drops a connection without closing it.
        self._clients: weakref.WeakSet[_SelectorSocketTransport] = weakref.WeakSet()
        self._waiters: list[Future[None]] | None = []  # of wait_closed(); None: all is closed
        self._unlink: tuple[str | bytes, int] | None = None  # path of a Unix socket, and inode

    def get_loop(self) -> EventLoop:
        """Return the server's loop."""
        return self._loop

    def is_serving(self) -> bool:
        """Return True while connections are accepted."""
        return self._serving

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The listening sockets; none after ``close()``."""
        return tuple(self._sockets or ())

    # -- accepting

    def _start_serving(self) -> None:
        if self._serving:
            return
        if self._sockets is None:
            raise RuntimeError(f"server {self!r} is closed")
        self._serving = True
        for sock in self._sockets:
            sock.listen(self._backlog)
            self._loop._add_reader(sock.fileno(), self._accept_connection, sock)

    def _accept_connection(self, sock: socket.socket) -> None:
        """Accept all that have come. Called by the loop."""
        for _ in range(self._backlog + 1):
            try:
                connection, address = sock.accept()
                if self._loop.get_debug():
                    logger.debug("%r got a new connection from %r: %r", self, address, connection)
            except ConnectionAbortedError:
                continue  # this one has gone, others may be waiting
            except (BlockingIOError, InterruptedError):
                return
            except OSError as exc:
                if exc.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    raise
                # No descriptors left. The socket stays readable: look away for a while, or the loop
                # would do nothing but try.
                self._loop.call_exception_handler(
                    {
                        "message": "socket.accept() out of system resource",
                        "exception": exc,
                        "socket": sock,
                    }
                )
                self._loop._remove_reader(sock.fileno())
                self._loop.call_later(_ACCEPT_RETRY_DELAY, self._resume_serving, sock)
            else:
                connection.setblocking(False)
                context = self._context.copy()
                accepting = self._accept_connection2(connection, address, context)
                self._loop.create_task(accepting, context=context)

    def _resume_serving(self, sock: socket.socket) -> None:
        if self._sockets is not None:
            self._loop._add_reader(sock.fileno(), self._accept_connection, sock)

    async def _accept_connection2(
        self, connection: socket.socket, address: Any, context: Context
    ) -> None:
        """Put a transport and a protocol on one connection."""
        if self._sockets is None:  # closed while the connection waited for its turn
            connection.close()
            return
        waiter = self._loop.create_future()
        transport = _SelectorSocketTransport(
            self._loop, connection, self._protocol_factory(), waiter, address, self, context
        )
        try:
            await waiter
        except BaseException:
            transport.close()
            raise

    async def start_serving(self) -> None:
        """Accept connections from now on. Raises RuntimeError if the server is closed."""
        self._start_serving()
        await sleep(0)  # as asyncio does

    async def serve_forever(self) -> None:
        """Accept connections until cancelled; then close the server and all its connections.

        Raises RuntimeError if the server is closed, or if another task is in here already.
        """
        if self._serving_forever_fut is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        self._start_serving()
        self._serving_forever_fut = self._loop.create_future()
        try:
            await self._serving_forever_fut
        except CancelledError:
            self.close()
            self.close_clients()
            await self.wait_closed()
            raise
        finally:
            self._serving_forever_fut = None

    # -- closing

    def close(self) -> None:
        """Accept no more connections. Those that stand go on: see ``close_clients()``."""
        sockets, self._sockets = self._sockets, None
        if sockets is None:
            return
        for sock in sockets:
            self._loop._remove_reader(sock.fileno())
            sock.close()
        if self._unlink is not None:
            path, inode = self._unlink
            try:
                if os.stat(path).st_ino == inode:  # else it is another's by now
                    os.unlink(path)
            except FileNotFoundError:
                pass
            except OSError as exc:
                logger.error("Unable to clean up listening UNIX socket %r: %s", path, exc)
        self._serving = False
        if self._serving_forever_fut is not None:
            self._serving_forever_fut.cancel()
            self._serving_forever_fut = None
        if not self._clients:
            self._wakeup()

    def close_clients(self) -> None:
        """Close all connections, each when its buffer is empty."""
        for transport in self._clients.copy():
            transport.close()

    def abort_clients(self) -> None:
        """Close all connections now; what has not been sent is lost."""
        for transport in self._clients.copy():
            transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and its last connection too."""
        if self._waiters is not None:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def _attach(self, transport: _SelectorSocketTransport) -> None:
        self._clients.add(transport)

    def _detach(self, transport: _SelectorSocketTransport) -> None:
        self._clients.discard(transport)
        if not self._clients and self._sockets is None:
            self._wakeup()

    def _wakeup(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()
        await self.wait_closed()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} sockets={self.sockets!r}>"


# -- from an address to a socket: nothing of this schedules -------------------------------------


async def _connect(
    loop: EventLoop,
    host: Any,
    port: Any,
    *,
    family: int = 0,
    proto: int = 0,
    flags: int = 0,
    sock: socket.socket | None = None,
    local_addr: Any = None,
    all_errors: bool = False,
    **others: Any,
) -> socket.socket:
    """Return a socket connected to the first address of a host that answers."""
    _refuse(**others)
    own = _check_sock(sock, "host/port", host is not None or port is not None)
    if own:
        return own
    options: dict[str, int] = {"family": family, "proto": proto, "flags": flags}
    infos = await _ensure_resolved(loop, (host, port), **options)
    local_infos = local_addr and await _ensure_resolved(loop, local_addr, **options)
    errors: list[OSError] = []
    try:
        for info in infos:
            try:
                return await _connect_sock(loop, info, local_infos)
            except OSError as exc:
                errors.append(exc)
        if all_errors:
            raise ExceptionGroup("create_connection failed", errors)
        if len({str(error) for error in errors}) == 1:
            raise errors[0]
        raise OSError(f"Multiple exceptions: {', '.join(map(str, errors))}")
    finally:
        del errors  # a cycle


async def _connect_sock(loop: EventLoop, info: Any, local_infos: Any) -> socket.socket:
    family, kind, proto, _, address = info
    sock = socket.socket(family, kind, proto)
    try:
        sock.setblocking(False)
        if local_infos:
            _bind(sock, [local[4] for local in local_infos if local[0] == family])
        await loop.sock_connect(sock, address)
        return sock
    except BaseException:
        sock.close()
        raise


async def _connect_unix(
    loop: EventLoop, path: Any, *, sock: socket.socket | None = None, **others: Any
) -> socket.socket:
    """Return a connected Unix socket."""
    _refuse(**others)
    own = _check_sock(sock, "path", path is not None)
    if own:
        return own
    info = socket.AF_UNIX, socket.SOCK_STREAM, 0, "", os.fspath(path)
    return await _connect_sock(loop, info, None)


async def _create_server(
    loop: EventLoop,
    protocol_factory: Callable[[], Any],
    host: Any,
    port: Any,
    *,
    family: int = socket.AF_UNSPEC,
    flags: int = socket.AI_PASSIVE,
    sock: socket.socket | None = None,
    backlog: int = 100,
    reuse_address: bool | None = None,
    reuse_port: bool | None = None,
    keep_alive: bool | None = None,
    start_serving: bool = True,
    **others: Any,
) -> Server:
    """Return a server on all addresses of a host, or of several."""
    _refuse(**others)
    own = _check_sock(sock, "host/port", host is not None or port is not None)
    if own:
        sockets = [own]
    else:
        if reuse_address is None:
            reuse_address = os.name == "posix" and sys.platform != "cygwin"
        options = {
            "SO_REUSEADDR": reuse_address,
            "SO_REUSEPORT": reuse_port,
            "SO_KEEPALIVE": keep_alive,
        }
        hosts = [host] if isinstance(host, str) or not isinstance(host, Iterable) else host
        found = await gather(
            *[
                _ensure_resolved(loop, (one or None, port), family=family, flags=flags)
                for one in hosts
            ]
        )
        infos = list(dict.fromkeys(itertools.chain.from_iterable(found)))
        sockets = _bind_each(infos, [name for name, wanted in options.items() if wanted])
    server = Server(loop, sockets, protocol_factory, backlog)
    if start_serving:
        await server.start_serving()
    if loop.get_debug():
        logger.info("%r is serving", server)
    return server


def _bind_each(infos: list[tuple[Any, ...]], options: list[str]) -> list[socket.socket]:
    """Return a bound socket for each address that this machine has."""
    sockets: list[socket.socket] = []
    try:
        for family, kind, proto, _, address in infos:
            try:
                sock = socket.socket(family, kind, proto)
            except OSError:
                continue  # a family that is not supported here
            sockets.append(sock)
            sock.setblocking(False)
            for option in options:
                if option == "SO_REUSEPORT" and family not in (socket.AF_INET, socket.AF_INET6):
                    continue  # Linux refuses it since 6.12.9
                if not hasattr(socket, option):
                    raise ValueError(f"{option} is not supported by the socket module")
                sock.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has its own
            try:
                _bind(sock, [address])
            except OSError as exc:
                if exc.errno != errno.EADDRNOTAVAIL:
                    raise
                sockets.pop().close()  # the family is switched off
        if not sockets:
            raise OSError(f"could not bind on any address out of {[info[4] for info in infos]!r}")
        return sockets
    except BaseException:
        for sock in sockets:
            sock.close()
        raise


def _bind(sock: socket.socket, addresses: list[Any]) -> None:
    """Bind a socket to the first address that is free; raise OSError if none is."""
    error = OSError(f"no matching local address with family={sock.family!r} found")
    for address in addresses:
        try:
            sock.bind(address)
            return
        except OSError as exc:
            reason = str(exc).lower()
            text = f"error while attempting to bind on address {address!r}: {reason}"
            error = OSError(exc.errno, text)
    raise error


async def _create_unix_server(
    loop: EventLoop,
    protocol_factory: Callable[[], Any],
    path: Any,
    *,
    sock: socket.socket | None = None,
    backlog: int = 100,
    start_serving: bool = True,
    cleanup_socket: bool = True,
    **others: Any,
) -> Server:
    """Return a server on a Unix socket."""
    _refuse(**others)
    sock = _check_sock(sock, "path", path is not None) or _bind_path(os.fspath(path))
    server = Server(loop, [sock], protocol_factory, backlog)
    name = sock.getsockname()
    if cleanup_socket and not _is_abstract(name):
        try:
            server._unlink = name, os.stat(name).st_ino
        except FileNotFoundError:
            pass  # somebody was quicker
    if start_serving:
        await server.start_serving()
    return server


def _bind_path(path: str | bytes) -> socket.socket:
    """Return a bound Unix socket.

    A socket of that name is removed first, be it left by the dead or still listened on.
    """
    if not _is_abstract(path):
        try:
            if stat.S_ISSOCK(os.stat(path).st_mode):
                os.remove(path)
        except FileNotFoundError:
            pass
        except OSError as exc:
            logger.error("Unable to check or remove stale UNIX socket %r: %r", path, exc)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.bind(path)
        return sock
    except OSError as exc:
        sock.close()
        if exc.errno == errno.EADDRINUSE:
            raise OSError(errno.EADDRINUSE, f"Address {path!r} is already in use") from None
        raise


def _is_abstract(path: str | bytes) -> bool:
    """Whether the name of a Unix socket is no file's (Linux)."""
    return path[:1] in ("", b"", "\0", b"\0")


def _check_sock(
    sock: socket.socket | None, address: str, address_given: bool
) -> socket.socket | None:
    """Return the socket that is to be used in place of an address, None if there is an address.

    Raises ValueError for both, for none, and for what is no stream socket of that kind.
    """
    if address_given:
        if sock is not None:
            raise ValueError(f"{address} and sock can not be specified at the same time")
        return None
    if sock is None:
        raise ValueError(f"{address} was not specified and no sock specified")
    _refuse_tls_socket(sock)
    if sock.type != socket.SOCK_STREAM:
        raise ValueError(f"A Stream Socket was expected, got {sock!r}")
    if address == "path" and sock.family != socket.AF_UNIX:
        raise ValueError(f"A UNIX Domain Stream Socket was expected, got {sock!r}")
    sock.setblocking(False)
    return sock


def _refuse(
    ssl: Any = None, happy_eyeballs_delay: Any = None, interleave: Any = None, **with_ssl: Any
) -> None:
    """Raise NotImplementedError for what only asyncio's own streams can do.

    TypeError for an argument that they do not know either, ValueError for TLS's without ``ssl``.
    """
    for name, value in with_ssl.items():
        if name not in ("server_hostname", "ssl_handshake_timeout", "ssl_shutdown_timeout"):
            raise TypeError(f"unexpected keyword argument {name!r}")
        if value is not None and not ssl:
            raise ValueError(f"{name} is only meaningful with ssl")
    if ssl:
        raise NotImplementedError(_SORRY.format("TLS"))
    if happy_eyeballs_delay is not None or interleave is not None:
        raise NotImplementedError(_SORRY.format('"happy eyeballs"'))


_SORRY = "miniloop's core has no {}; asyncio's streams have, and run on miniloop.interop.EventLoop"
