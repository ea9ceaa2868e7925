"""Streams: bytes that come and go, awaited.

A stream is a pair of a reader and a writer over one socket. This is the way of a line, from the
descriptor to the task that says ``await reader.readline()``:

    the loop          watches the descriptor, and calls
    the transport     ``_read_ready()``: takes from the socket what is there, and hands it to
    the protocol      ``data_received()``: which knows to whom it belongs, and calls
    the reader        ``feed_data()``: puts it into its buffer, and sets the result of
                      ``_waiter``,
    a task            which awaits that future, looks into the buffer, and awaits a new one if
                      the line is not complete.

So one line takes two ticks: in the first the bytes come in, in the next the task goes on. A
callback cannot await, and a task cannot be called back; the future between the two is all the
trick.

The way out is shorter. ``writer.write()`` sends at once what the socket takes; the rest stays in
the transport's buffer, and the loop has it sent on when there is room. See ``transports.py``.

**Flow control** keeps buffers from growing without end, in both directions:

* The reader's buffer is over twice its ``limit``: the transport stops reading (the loop no longer
  watches the descriptor), so the system's buffer fills up, and the peer has to wait. The task that
  reads next sets the transport going again.
* The transport's buffer is over its *high water* mark: from then on ``await writer.drain()`` waits,
  until the buffer is down to *low water*. ``write()`` itself never waits: without ``drain()``
  nobody is kept back.

**The end** of a connection is always told by ``connection_lost(error)``, one tick after it became
known (at once, if after ``close()`` the last of the buffer has gone); None is an end in good order.
It wakes every waiting task: the reader's task (end of data, or the error), ``drain()`` and
``wait_closed()``. A peer that has stopped sending is not the end: it may still listen. It is told
by ``eof_received()``, and the connection stays open for writing.

TLS is not here. ``miniloop.interop.EventLoop`` runs asyncio's own streams, which have it.

CPython's counterpart is ``asyncio/streams.py``.
"""

from __future__ import annotations

import socket
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from ..core.combinators import sleep
from ..core.exceptions import IncompleteReadError, LimitOverrunError
from ..core.futures import Future
from ..details.coroutines import _can_be_driven
from ..details.current import get_event_loop, get_running_loop
from ..details.debug import logger
from .servers import _SORRY, Server, _connect, _connect_unix, _create_server, _create_unix_server
from .transports import _SelectorSocketTransport

if TYPE_CHECKING:
    from ..core.tasks import Task
    from .event_loop import EventLoop

__all__ = [
    "StreamReader",
    "StreamReaderProtocol",
    "StreamWriter",
    "open_connection",
    "open_unix_connection",
    "start_server",
    "start_unix_server",
]

_DEFAULT_LIMIT = 64 * 1024  # bytes


# -- reading -----------------------------------------------------------------------------------


class StreamReader:
    """Bytes that have come in, and a place to wait for more. Made by ``open_connection()``.

    ``limit`` is the longest line that ``readline()`` and ``readuntil()`` accept, in bytes, and half
    of what the buffer may hold before the peer is kept back. Raises ValueError if it is 0 or less.

    Only one task at a time may wait; another gets RuntimeError. When the connection is lost with an
    error, every task that reads gets that error.
    """

    def __init__(self, limit: int = _DEFAULT_LIMIT, loop: EventLoop | None = None) -> None:
        if limit <= 0:
            raise ValueError("Limit cannot be <= 0")
        self._limit = limit
        self._loop = get_event_loop() if loop is None else loop
        self._buffer = bytearray()
        self._eof = False  # nothing more will come
        self._waiter: Future[None] | None = None  # of the one task that waits for more
        self._exception: BaseException | None = None
        self._transport: Any = None
        self._paused = False  # we have told the transport to stop reading

    # Called by the protocol:

    def set_transport(self, transport: Any) -> None:
        """Say where the bytes come from: what can ``pause_reading()`` and ``resume_reading()``."""
        assert self._transport is None, "Transport already set"
        self._transport = transport

    def feed_data(self, data: bytes) -> None:
        """Put bytes into the buffer, and wake the task that waits."""
        assert not self._eof, "feed_data after feed_eof"
        if not data:
            return
        self._buffer.extend(data)
        self._wakeup_waiter()
        if self._transport is not None and not self._paused and len(self._buffer) > 2 * self._limit:
            try:
                self._transport.pause_reading()
            except NotImplementedError:
                self._transport = None  # it cannot: do not ask again
            else:
                self._paused = True

    def feed_eof(self) -> None:
        """Say that nothing more will come, and wake the task that waits."""
        self._eof = True
        self._wakeup_waiter()

    def set_exception(self, exc: BaseException) -> None:
        """Store *exc*: from now on every read raises it, whatever is in the buffer."""
        self._exception = exc
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.cancelled():
            waiter.set_exception(exc)

    def _wakeup_waiter(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.cancelled():
            waiter.set_result(None)

    # Called by tasks:

    async def _wait_for_data(self, func_name: str) -> None:
        """Wait until something has come, or the end."""
        if self._waiter is not None:
            raise RuntimeError(
                f"{func_name}() called while another coroutine is already waiting for incoming data"
            )
        assert not self._eof, "_wait_for_data after EOF"
        if self._paused:  # readexactly() may want more than the buffer may hold
            self._paused = False
            self._transport.resume_reading()
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _take(self, n: int) -> bytes:
        """Take the first *n* bytes out of the buffer; have more sent if there is room now."""
        data = bytes(self._buffer[:n])
        del self._buffer[:n]
        self._maybe_resume_transport()
        return data

    def _maybe_resume_transport(self) -> None:
        if self._paused and len(self._buffer) <= self._limit:
            self._paused = False
            self._transport.resume_reading()

    async def read(self, n: int = -1) -> bytes:
        """Return what is there, at most ``n`` bytes; wait only if there is nothing.

        b"" means the end. A negative ``n`` waits for the end and returns all; 0 returns b"".
        """
        if self._exception is not None:
            raise self._exception
        if n == 0:
            return b""
        if n < 0:
            blocks = []
            while block := await self.read(self._limit):  # bit by bit, or the peer is kept back
                blocks.append(block)
            return b"".join(blocks)
        if not self._buffer and not self._eof:
            await self._wait_for_data("read")
        return self._take(n)

    async def readexactly(self, n: int) -> bytes:
        """Return exactly ``n`` bytes. Raises ValueError if ``n`` is negative.

        Raises IncompleteReadError if the end comes first; its ``partial`` has what came before.
        """
        if n < 0:
            raise ValueError("readexactly size can not be less than zero")
        if self._exception is not None:
            raise self._exception
        if n == 0:
            return b""
        while len(self._buffer) < n:
            if self._eof:
                raise IncompleteReadError(self._take(len(self._buffer)), n)
            await self._wait_for_data("readexactly")
        return self._take(n)

    async def readline(self) -> bytes:
        r"""Return a line with its ``b"\n"``; at the end what is left, without one, or b"".

        Raises ValueError if the line is longer than ``limit``: it is dropped, or what has come of
        it.
        """
        try:
            return await self.readuntil(b"\n")
        except IncompleteReadError as exc:
            return exc.partial
        except LimitOverrunError as exc:
            if self._buffer.startswith(b"\n", exc.consumed):
                del self._buffer[: exc.consumed + 1]
            else:
                self._buffer.clear()
            self._maybe_resume_transport()
            raise ValueError(exc.args[0])  # noqa: B904  (the traceback shows both, as asyncio's)

    async def readuntil(self, separator: bytes | tuple[bytes, ...] = b"\n") -> bytes:
        r"""Return all up to and with ``separator``; of a tuple, the one that ends first.

        Raises IncompleteReadError if the end comes first; its ``partial`` has what came before.
        Raises LimitOverrunError if ``limit`` bytes have no separator in them: they stay in the
        buffer, and its ``consumed`` says how many can be read safely. Raises ValueError if a
        separator is empty.
        """
        separators = sorted(separator, key=len) if isinstance(separator, tuple) else [separator]
        if not separators:
            raise ValueError("Separator should contain at least one element")
        if not separators[0]:
            raise ValueError("Separator should be at least one-byte string")
        if self._exception is not None:
            raise self._exception
        offset = 0  # before it no separator begins
        while True:
            if len(self._buffer) - offset >= len(separators[0]):
                found = [
                    (start + len(one), start)
                    for one in separators
                    if (start := self._buffer.find(one, offset)) != -1
                ]
                if found:
                    end, start = min(found, key=lambda match: match[0])
                    break
                # The end of the buffer may be the beginning of a separator.
                offset = max(0, len(self._buffer) + 1 - len(separators[-1]))
                if offset > self._limit:
                    raise LimitOverrunError(
                        "Separator is not found, and chunk exceed the limit", offset
                    )
            if self._eof:
                raise IncompleteReadError(self._take(len(self._buffer)), None)
            await self._wait_for_data("readuntil")
        if start > self._limit:
            raise LimitOverrunError("Separator is found, but chunk is longer than limit", start)
        return self._take(end)

    def at_eof(self) -> bool:
        """Return True if the end has come and all has been read."""
        return self._eof and not self._buffer

    def exception(self) -> BaseException | None:
        """Return the error with which the connection was lost, or None."""
        return self._exception

    def __aiter__(self) -> StreamReader:
        return self

    async def __anext__(self) -> bytes:
        line = await self.readline()
        if line == b"":
            raise StopAsyncIteration
        return line

    def __repr__(self) -> str:
        info = ["StreamReader"]
        if self._buffer:
            info.append(f"{len(self._buffer)} bytes")
        if self._eof:
            info.append("eof")
        if self._limit != _DEFAULT_LIMIT:
            info.append(f"limit={self._limit}")
        some = {name: getattr(self, f"_{name}") for name in ("waiter", "exception", "transport")}
        info += [f"{name}={value!r}" for name, value in some.items() if value]
        if self._paused:
            info.append("paused")
        return f"<{' '.join(info)}>"


# -- between the callbacks and the tasks -------------------------------------------------------


class StreamReaderProtocol:
    """What a transport calls, and how that reaches the tasks of a stream.

    ``client_connected_cb(reader, writer)`` is called when the connection stands, on a server's
    side; if it is a coroutine function, a task runs it. The reader is held weakly: when the program
    has dropped a stream, nothing here keeps it alive.
    """

    def __init__(
        self,
        stream_reader: StreamReader | None,
        client_connected_cb: Callable[[StreamReader, StreamWriter], object] | None = None,
        loop: EventLoop | None = None,
    ) -> None:
        self._loop = get_event_loop() if loop is None else loop
        self._stream_reader_wr = None if stream_reader is None else weakref.ref(stream_reader)
        # On a server's side nobody else knows the reader before the connection stands.
        self._strong_reader = stream_reader if client_connected_cb is not None else None
        self._client_connected_cb = client_connected_cb
        self._task: Task[Any] | None = None  # runs client_connected_cb; held here alone
        self._paused = False  # writing: the transport's buffer is too full
        self._drain_waiters: deque[Future[None]] = deque()
        self._connection_lost = False
        self._closed: Future[None] = self._loop.create_future()

    @property
    def _stream_reader(self) -> StreamReader | None:
        return None if self._stream_reader_wr is None else self._stream_reader_wr()

    def connection_made(self, transport: Any) -> None:
        """Call the server's callback with the reader and the writer."""
        reader = self._stream_reader
        if reader is not None:
            reader.set_transport(transport)
        if self._client_connected_cb is None:
            return
        assert reader is not None
        writer = StreamWriter(transport, self, reader, self._loop)

        def failed(error: BaseException) -> None:
            self._loop.call_exception_handler(
                {
                    "message": "Unhandled exception in client_connected_cb",
                    "exception": error,
                    "transport": transport,
                }
            )
            transport.close()

        def ended(task: Task[Any]) -> None:
            if task.cancelled():
                transport.close()
            elif (error := task.exception()) is not None:
                failed(error)

        try:
            result: Any = self._client_connected_cb(reader, writer)
        except Exception as error:
            failed(error)
            return
        finally:
            self._strong_reader = None
        if _can_be_driven(result):
            self._task = self._loop.create_task(result)
            self._task.add_done_callback(ended)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Give bytes to the reader."""
        reader = self._stream_reader
        if reader is not None:
            reader.feed_data(data)

    def eof_received(self) -> bool:
        """Tell the reader that the peer sends no more; return True, we may have more to say."""
        reader = self._stream_reader
        if reader is not None:
            reader.feed_eof()
        return True

    def pause_writing(self) -> None:
        """Make ``drain()`` wait: the transport's buffer is over high water."""
        assert not self._paused
        self._paused = True
        if self._loop.get_debug():
            logger.debug("%r pauses writing", self)

    def resume_writing(self) -> None:
        """Wake all that wait in ``drain()``: the buffer is down to low water."""
        assert self._paused
        self._paused = False
        if self._loop.get_debug():
            logger.debug("%r resumes writing", self)
        self._wake_drain_waiters(None)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wake every waiting task, with the error if there is one."""
        self._connection_lost = True
        reader = self._stream_reader
        if exc is None:
            if reader is not None:
                reader.feed_eof()
            if not self._closed.done():
                self._closed.set_result(None)
        else:
            if reader is not None:
                reader.set_exception(exc)
            if not self._closed.done():
                self._closed.set_exception(exc)
        self._wake_drain_waiters(exc)
        self._task = None

    def _wake_drain_waiters(self, exc: BaseException | None) -> None:
        for waiter in self._drain_waiters:
            if waiter.done():
                continue
            if exc is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(exc)

    async def _drain_helper(self) -> None:
        """Wait until there is room; ConnectionResetError if there is no connection any more."""
        if self._connection_lost:
            raise ConnectionResetError("Connection lost")
        if not self._paused:
            return
        waiter = self._loop.create_future()
        self._drain_waiters.append(waiter)
        try:
            await waiter
        finally:
            self._drain_waiters.remove(waiter)

    def _get_close_waiter(self, stream: StreamWriter) -> Future[None]:
        return self._closed

    def __del__(self) -> None:
        # A program that never calls wait_closed() does not want a report of this error.
        closed = getattr(self, "_closed", None)
        if closed is not None and closed.done() and not closed.cancelled():
            closed.exception()


# -- writing -----------------------------------------------------------------------------------


class StreamWriter:
    """The way out of a stream. Made by ``open_connection()``."""

    def __init__(
        self, transport: Any, protocol: Any, reader: StreamReader | None, loop: EventLoop
    ) -> None:
        self._transport = transport
        self._protocol = protocol
        assert reader is None or isinstance(reader, StreamReader)
        self._reader = reader
        self._loop = loop

    @property
    def transport(self) -> Any:
        """The transport beneath: ``set_write_buffer_limits()``, ``abort()`` and more."""
        return self._transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send ``data`` now, or as soon as the peer takes it. Does not wait: see ``drain()``.

        Raises TypeError for what is not bytes, RuntimeError after ``write_eof()``.
        """
        self._transport.write(data)

    def writelines(self, data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Write one after the other, with nothing in between."""
        self._transport.writelines(data)

    async def drain(self) -> None:
        """Wait until there is room for more. Call it after ``write()``, or the buffer may grow.

        Raises the error with which the connection was lost, or ConnectionResetError.
        """
        if self._reader is not None:
            error = self._reader.exception()
            if error is not None:
                raise error
        if self._transport.is_closing():
            # Let connection_lost() come first: a task that writes in a loop must see the error.
            await sleep(0)
        await self._protocol._drain_helper()

    def write_eof(self) -> None:
        """Tell the peer that nothing more will come, after what is in the buffer; go on reading."""
        self._transport.write_eof()

    def can_write_eof(self) -> bool:
        """Return True: sockets can be closed by halves."""
        return self._transport.can_write_eof()  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the connection once all that is in the buffer has gone. See ``wait_closed()``."""
        self._transport.close()

    def is_closing(self) -> bool:
        """Return True after ``close()``, or when the connection is lost."""
        return self._transport.is_closing()  # type: ignore[no-any-return]

    async def wait_closed(self) -> None:
        """Wait until the connection is closed; raise the error with which it was lost, if any."""
        await self._protocol._get_close_waiter(self)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return "peername", "sockname" (addresses) or "socket"; *default* for any other name."""
        return self._transport.get_extra_info(name, default)

    async def start_tls(
        self,
        sslcontext: Any,
        *,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> NoReturn:
        """Raise NotImplementedError: there is no TLS here."""
        raise NotImplementedError(_SORRY.format("TLS"))

    def __repr__(self) -> str:
        reader = f" reader={self._reader!r}" if self._reader is not None else ""
        return f"<{type(self).__name__} transport={self._transport!r}{reader}>"

    def __del__(self, _warn: Callable[..., None] = warnings.warn) -> None:
        if not self._transport.is_closing():
            if self._loop.is_closed():
                _warn("loop is closed", ResourceWarning)
            else:
                self.close()
                _warn(f"unclosed {self!r}", ResourceWarning)


# -- opening -----------------------------------------------------------------------------------


async def open_connection(
    host: Any = None, port: Any = None, *, limit: int = _DEFAULT_LIMIT, **kwds: Any
) -> tuple[StreamReader, StreamWriter]:
    """Connect to a port of a host; return reader and writer.

    ``limit`` as for ``StreamReader``. Further arguments, by name: ``family``, ``proto``, ``flags``
    as for ``socket.getaddrinfo``; ``local_addr``, (host, port) to bind to; ``sock``, a connected
    socket, in place of host and port; ``all_errors``, True to get an ExceptionGroup where a host
    has many addresses and none answers.

    Raises OSError if nobody answers, ``socket.gaierror`` if the host is not known,
    NotImplementedError for ``ssl``.
    """
    loop = get_running_loop()
    reader = StreamReader(limit=limit, loop=loop)
    reader, writer = await _open_stream(reader, await _connect(loop, host, port, **kwds))
    if loop.get_debug():
        transport = writer.transport
        sock = transport.get_extra_info("socket")
        logger.debug(
            "%r connected to %s:%r: (%r, %r)", sock, host, port, transport, writer._protocol
        )
    return reader, writer


async def open_unix_connection(
    path: Any = None, *, limit: int = _DEFAULT_LIMIT, **kwds: Any
) -> tuple[StreamReader, StreamWriter]:
    """Connect to a Unix socket; return reader and writer.

    ``path`` names it, or ``sock`` is one that is connected. Raises OSError if nobody listens there.
    """
    loop = get_running_loop()
    reader = StreamReader(limit=limit, loop=loop)
    return await _open_stream(reader, await _connect_unix(loop, path, **kwds))


async def _open_stream(
    reader: StreamReader, sock: socket.socket
) -> tuple[StreamReader, StreamWriter]:
    loop = reader._loop
    protocol = StreamReaderProtocol(reader, loop=loop)
    waiter: Future[None] = loop.create_future()
    transport = _SelectorSocketTransport(loop, sock, protocol, waiter)
    try:
        await waiter
    except BaseException:
        transport.close()
        raise
    return reader, StreamWriter(transport, protocol, reader, loop)


async def start_server(
    client_connected_cb: Callable[[StreamReader, StreamWriter], object],
    host: Any = None,
    port: Any = None,
    *,
    limit: int = _DEFAULT_LIMIT,
    **kwds: Any,
) -> Server:
    """Listen on a port; have ``client_connected_cb(reader, writer)`` called for each connection.

    A coroutine function runs as a task. ``host`` is a name or address, a list of them, or None for
    all interfaces; ``port`` 0 lets the system choose one. Further arguments, by name: ``family``,
    ``flags`` as for ``socket.getaddrinfo``; ``sock``, a bound socket, in place of host and port;
    ``backlog``, how many connections may wait for being accepted; ``reuse_address``,
    ``reuse_port``, ``keep_alive``, socket options; ``start_serving`` False to begin later.

    Raises OSError if the address is taken, NotImplementedError for ``ssl``.
    """
    factory = _protocol_factory(client_connected_cb, limit)
    return await _create_server(get_running_loop(), factory, host, port, **kwds)


async def start_unix_server(
    client_connected_cb: Callable[[StreamReader, StreamWriter], object],
    path: Any = None,
    *,
    limit: int = _DEFAULT_LIMIT,
    **kwds: Any,
) -> Server:
    """Like ``start_server``, on a Unix socket named ``path``.

    A socket of that name is removed first, even one on which somebody listens: that server gets no
    more connections. This one is removed when the server is closed, unless ``cleanup_socket`` is
    False. Further: ``sock``, ``backlog``, ``start_serving``. Raises OSError where ``path`` cannot
    be bound.
    """
    factory = _protocol_factory(client_connected_cb, limit)
    return await _create_unix_server(get_running_loop(), factory, path, **kwds)


def _protocol_factory(
    client_connected_cb: Callable[[StreamReader, StreamWriter], object], limit: int
) -> Callable[[], StreamReaderProtocol]:
    loop = get_running_loop()
    return lambda: StreamReaderProtocol(
        StreamReader(limit=limit, loop=loop), client_connected_cb, loop=loop
    )
