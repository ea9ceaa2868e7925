"""The transport: a connected socket with a buffer, driven by callbacks.

``sockets.py`` has the loop watch a descriptor while a task waits for it. A transport has it watched
all the time, waited for or not, and tells a *protocol* what happens:

    connection_made(transport)   first of all
    data_received(data)          bytes have come in
    eof_received()               the peer sends no more; it returns True if the transport may
                                 keep writing, and False if it is to close
    pause_writing()              the buffer of what goes out is too full ...
    resume_writing()             ... and now it is not any more
    connection_lost(error)       last of all, always; None is an end in good order

In goes through ``_read_ready()``, which the loop calls when there is something to read. Out goes
through ``write()``, which sends at once what the socket takes; the rest stays in ``_buffer``, the
loop watches for room, and calls ``_write_ready()``.

Beginning and end come from the loop, never from within the protocol's own call of the transport.
``pause_writing()`` alone is called from within such a call, ``write()``. (What
``StreamReaderProtocol`` makes of the calls is in ``streams.py``; it is the only protocol here.)

CPython's counterparts are ``_SelectorSocketTransport`` in ``asyncio/selector_events.py``, with its
bases there and in ``asyncio/transports.py``.
"""

from __future__ import annotations

import socket
import warnings
from collections.abc import Callable, Iterable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from ..core.futures import Future, _set_result_unless_cancelled
from ..details.debug import logger

if TYPE_CHECKING:
    from .event_loop import EventLoop

__all__: list[str] = []

_LOG_THRESHOLD_FOR_CONNLOST_WRITES = 5


class _SelectorSocketTransport:
    """One end of a connection: a socket, and what waits to be sent.

    ``protocol`` is told what happens, from the next tick on: ``connection_made(transport)`` first,
    ``connection_lost(error)`` last, all in the contextvars context ``context`` (by default a copy
    of the present one). ``waiter`` is a future that ends after the former.
    """

    max_size = 256 * 1024  # bytes taken from the socket at a time

    _sock: Any = None  # for __del__

    def __init__(
        self,
        loop: EventLoop,
        sock: socket.socket,
        protocol: Any,
        waiter: Future[None],
        peername: Any = None,
        server: Any = None,
        context: Context | None = None,
    ) -> None:
        loop._ensure_fd_no_transport(sock)
        self._loop = loop
        self._sock = sock
        self._sock_fd = sock.fileno()
        self._protocol = protocol
        self._server = server
        self._context = copy_context() if context is None else context
        self._extra = {
            "socket": sock,
            "sockname": _unless_gone(sock.getsockname),
            "peername": peername or _unless_gone(sock.getpeername),
        }
        self._buffer = bytearray()  # what could not be sent yet
        self._eof = False  # write_eof() was called
        self._closing = False  # close() was called, or the connection is lost
        self._conn_lost = 0  # above 0: connection_lost() is due, or was called
        self._paused = False  # pause_reading() was called
        self._protocol_paused = False  # the buffer went over high water
        self.set_write_buffer_limits()
        if server is not None:
            server._attach(self)
        loop._transports[self._sock_fd] = self
        if sock.proto == socket.IPPROTO_TCP:
            # Send at once, do not gather small pieces first (Nagle's algorithm).
            _unless_gone(sock.setsockopt, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._call_soon(protocol.connection_made, self)
        self._call_soon(self._start_reading)
        self._call_soon(_set_result_unless_cancelled, waiter, None)

    def _call_soon(self, callback: Callable[..., object], *args: Any) -> None:
        self._loop.call_soon(callback, *args, context=self._context)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return "peername", "sockname" (addresses) or "socket"; *default* for any other name."""
        return self._extra.get(name, default)

    # -- in

    def _start_reading(self) -> None:
        if self.is_reading():
            self._loop._add_reader(self._sock_fd, self._read_ready, context=self._context)

    def _read_ready(self) -> None:
        """Take what there is and give it to the protocol. Called by the loop."""
        if self._conn_lost:
            return
        try:
            data = self._sock.recv(self.max_size)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as exc:
            self._fatal_error(exc, "Fatal read error on socket transport")
            return
        try:
            if data:
                self._protocol.data_received(data)
                return
            if self._loop.get_debug():
                logger.debug("%r received EOF", self)
            if self._protocol.eof_received():
                self._loop._remove_reader(self._sock_fd)  # no more will come, but we can write
            else:
                self.close()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._fatal_error(exc, "Fatal error: the protocol failed to take what was received")

    def pause_reading(self) -> None:
        """Read nothing until ``resume_reading()``: the peer will have to wait."""
        if self.is_reading():
            self._paused = True
            self._loop._remove_reader(self._sock_fd)
            if self._loop.get_debug():
                logger.debug("%r pauses reading", self)

    def resume_reading(self) -> None:
        """Undo ``pause_reading()``."""
        if self._paused and not self._closing:
            self._paused = False
            self._start_reading()
            if self._loop.get_debug():
                logger.debug("%r resumes reading", self)

    def is_reading(self) -> bool:
        """Return True unless paused or closing."""
        return not self._closing and not self._paused

    # -- out

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send what the socket takes now, keep the rest in the buffer."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(
                "data argument must be a bytes, bytearray, or memoryview object, "
                f"not {type(data).__name__!r}"
            )
        if self._eof:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data:
            return
        if self._conn_lost:
            if self._conn_lost >= _LOG_THRESHOLD_FOR_CONNLOST_WRITES:
                logger.warning("socket.send() raised exception.")
            self._conn_lost += 1
            return
        if not self._buffer:
            sent = self._send(data)
            if sent is None:
                return
            data = memoryview(data).cast("B")[sent:]
            if not data:
                return
            self._loop._add_writer(self._sock_fd, self._write_ready, context=self._context)
        self._buffer += data
        self._maybe_pause_protocol()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Write one after the other, with nothing in between."""
        self.write(b"".join(list_of_data))

    def _send(self, data: bytes | bytearray | memoryview) -> int | None:
        """Return how much of *data* the socket took, None if the connection is lost."""
        try:
            return self._sock.send(data)  # type: ignore[no-any-return]
        except (BlockingIOError, InterruptedError):
            return 0
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._fatal_error(exc, "Fatal write error on socket transport")
            return None

    def _write_ready(self) -> None:
        """Send what is in the buffer. Called by the loop when there is room."""
        if self._conn_lost:
            return
        sent = self._send(self._buffer)
        if sent is None:
            return
        del self._buffer[:sent]
        self._maybe_resume_protocol()
        if self._buffer:
            return
        self._loop._remove_writer(self._sock_fd)
        if self._closing:
            self._conn_lost += 1
            self._call_connection_lost(None)
        elif self._eof:
            self._sock.shutdown(socket.SHUT_WR)

    def write_eof(self) -> None:
        """Tell the peer that nothing more will come, as soon as the buffer is empty."""
        if self._closing or self._eof:
            return
        self._eof = True
        if not self._buffer:
            self._sock.shutdown(socket.SHUT_WR)

    def can_write_eof(self) -> bool:
        """Return True."""
        return True

    # -- flow control of what goes out

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the marks in bytes: over ``high`` ``drain()`` waits, until it is down to ``low``.

        By default ``high`` is 64 KiB, or 4 * ``low``, and ``low`` a quarter of it. ValueError
        unless high >= low >= 0.
        """
        if high is None:
            high = 64 * 1024 if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high_water = high
        self._low_water = low
        self._maybe_pause_protocol()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return (low, high) in bytes."""
        return self._low_water, self._high_water

    def get_write_buffer_size(self) -> int:
        """Return how many bytes have not been sent yet."""
        return len(self._buffer)

    def _maybe_pause_protocol(self) -> None:
        if not self._protocol_paused and len(self._buffer) > self._high_water:
            self._protocol_paused = True
            self._protocol.pause_writing()

    def _maybe_resume_protocol(self) -> None:
        if self._protocol_paused and len(self._buffer) <= self._low_water:
            self._protocol_paused = False
            self._protocol.resume_writing()

    # -- the end

    def is_closing(self) -> bool:
        """Return True after ``close()``, or when the connection is lost."""
        return self._closing

    def close(self) -> None:
        """Close when all has been sent."""
        if self._closing:
            return
        self._closing = True
        self._loop._remove_reader(self._sock_fd)
        if not self._buffer:
            self._conn_lost += 1
            self._call_soon(self._call_connection_lost, None)

    def abort(self) -> None:
        """Close now; what has not been sent is lost."""
        self._force_close(None)

    def _fatal_error(self, exc: BaseException, message: str) -> None:
        if isinstance(exc, OSError):  # all in a day's work; the task that reads or drains gets it
            if self._loop.get_debug():
                logger.debug("%r: %s", self, message, exc_info=True)
        else:
            self._loop.call_exception_handler(
                {
                    "message": message,
                    "exception": exc,
                    "transport": self,
                    "protocol": self._protocol,
                }
            )
        self._force_close(exc)

    def _force_close(self, exc: BaseException | None) -> None:
        if self._conn_lost:
            return
        if self._buffer:
            self._buffer.clear()
            self._loop._remove_writer(self._sock_fd)
        if not self._closing:
            self._closing = True
            self._loop._remove_reader(self._sock_fd)
        self._conn_lost += 1
        self._call_soon(self._call_connection_lost, exc)

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(exc)
        finally:
            self._sock.close()
            self._sock = None
            self._protocol = None
            server, self._server = self._server, None
            if server is not None:
                server._detach(self)

    def __repr__(self) -> str:
        info = [type(self).__name__]
        if self._sock is None:
            info.append("closed")
        elif self._closing:
            info.append("closing")
        info.append(f"fd={self._sock_fd}")
        if self._sock is not None:
            info.append(f"read={'polling' if self.is_reading() else 'idle'}")
            state = "polling" if self._buffer else "idle"
            info.append(f"write=<{state}, bufsize={len(self._buffer)}>")
        return f"<{' '.join(info)}>"

    def __del__(self, _warn: Callable[..., None] = warnings.warn) -> None:
        if self._sock is not None:
            _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
            self._sock.close()
            if self._server is not None:
                self._server._detach(self)


def _unless_gone(ask: Callable[..., Any], *args: Any) -> Any:
    """Return what a socket answers; None if it cannot, as when the peer has vanished already."""
    try:
        return ask(*args)
    except OSError:
        return None
