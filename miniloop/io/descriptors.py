"""File descriptors, and how another thread wakes the loop.

``add_reader(fd, callback)`` lets the selector watch a descriptor. When ``select()`` reports it, the
loop puts the callback's handle into the ready queue: that is step 2 of a tick.

``call_soon_threadsafe()`` puts a handle into the ready queue from another thread, which is safe
because a deque's ``append()`` is. Then it wakes the loop. The loop owns a pair of connected
sockets, the *self-pipe*. The other thread writes a byte to one end, the selector reports the other
end, and so the wait in ``select()`` is over. The loop makes the pair when it first runs or watches
a descriptor. Without ``socket.socketpair()`` (in a browser) it runs without a self-pipe.

CPython's counterpart is the first half of ``BaseSelectorEventLoop`` in
``asyncio/selector_events.py``.
"""

from __future__ import annotations

import selectors
import socket
import threading
import weakref
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

from ..core.handles import Handle
from ..details.debug import logger

if TYPE_CHECKING:
    from ..core.loop import BaseEventLoop as Loop
else:
    Loop = object  # mypy alone sees a base, which has the methods that this class calls

__all__: list[str] = []


class Descriptors(Loop):
    """What an event loop does with file descriptors."""

    _ssock: socket.socket | None  # the self-pipe: this end is watched,
    _csock: socket.socket | None  # this end is written to
    _transports: weakref.WeakValueDictionary[int, Any]
    _handle_signal: Callable[[int], None]  # see signals.py

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be read without waiting.

        This replaces an earlier reader of ``fd``. Raises ValueError if ``fd`` is no number and has
        no ``fileno()``, RuntimeError if a stream uses the descriptor.
        """
        self._ensure_fd_no_transport(fd)
        self._add_reader(fd, callback, *args)

    def remove_reader(self, fd: Any) -> bool:
        """Undo ``add_reader``. Return True if there was a reader.

        Raises RuntimeError if a stream uses the descriptor.
        """
        self._ensure_fd_no_transport(fd)
        return self._remove_reader(fd)

    def add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be written without waiting.

        This replaces an earlier writer of ``fd``. Raises ValueError if ``fd`` is no number and has
        no ``fileno()``, RuntimeError if a stream uses the descriptor.
        """
        self._ensure_fd_no_transport(fd)
        self._add_writer(fd, callback, *args)

    def remove_writer(self, fd: Any) -> bool:
        """Undo ``add_writer``. Return True if there was a writer.

        Raises RuntimeError if a stream uses the descriptor.
        """
        self._ensure_fd_no_transport(fd)
        return self._remove_writer(fd)

    def _add_reader(
        self, fd: Any, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        return self._watch(fd, selectors.EVENT_READ, callback, args, context)

    def _remove_reader(self, fd: Any) -> bool:
        return self._unwatch(fd, selectors.EVENT_READ)

    def _add_writer(
        self, fd: Any, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        return self._watch(fd, selectors.EVENT_WRITE, callback, args, context)

    def _remove_writer(self, fd: Any) -> bool:
        return self._unwatch(fd, selectors.EVENT_WRITE)

    def _ensure_fd_no_transport(self, fd: Any) -> None:
        """Raise RuntimeError if a stream uses the descriptor: two readers would share the data."""
        transport = self._transports.get(_check_descriptor(fd))
        if transport is not None and not transport.is_closing():
            raise RuntimeError(f"File descriptor {fd!r} is used by transport {transport!r}")

    # The selector has one registration for each descriptor, for reading, writing or both. Its data
    # is the pair of handles (reader, writer), either of which may be None. A closed socket has no
    # number any more; get_map() still finds its registration, by the object.

    def _watch(
        self,
        fd: Any,
        event: int,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None = None,
    ) -> Handle:
        self._check_closed()
        # First. The program may have registered this descriptor before and closed it without
        # remove_reader(): if the self-pipe were made later, it could get that same number.
        self._make_self_pipe()
        selector = self._selector
        handle = Handle(callback, args, self, context)
        key = selector.get_map().get(fd)
        mask, reader, writer = (key.events, *key.data) if key is not None else (0, None, None)
        if event == selectors.EVENT_READ:
            replaced, reader = reader, handle
        else:
            replaced, writer = writer, handle
        if key is None:
            selector.register(fd, event, (reader, writer))
        else:
            selector.modify(fd, mask | event, (reader, writer))
        if replaced is not None:
            replaced.cancel()
        return handle

    def _unwatch(self, fd: Any, event: int) -> bool:
        if self._closed:
            return False
        key = self._selector.get_map().get(fd)
        if key is None:
            return False
        mask, (reader, writer) = key.events & ~event, key.data
        if event == selectors.EVENT_READ:
            removed, reader = reader, None
        else:
            removed, writer = writer, None
        if mask:
            self._selector.modify(fd, mask, (reader, writer))
        else:
            self._selector.unregister(fd)
        if removed is None:
            return False
        removed.cancel()
        return True

    def _process_events(self, events: list[tuple[selectors.SelectorKey, int]]) -> None:
        """Put the handles of selector events into the ready queue, a reader before its writer."""
        for key, mask in events:
            reader, writer = key.data
            if mask & selectors.EVENT_READ and reader is not None:
                if reader._cancelled:
                    self._remove_reader(key.fileobj)
                else:
                    self._add_callback(reader)
            if mask & selectors.EVENT_WRITE and writer is not None:
                if writer._cancelled:
                    self._remove_writer(key.fileobj)
                else:
                    self._add_callback(writer)

    # -- the self-pipe -------------------------------------------------------------------------

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """Do what ``call_soon()`` does, from any thread, and wake the loop if it waits.

        A loop that waits in ``select()`` runs the callback in the very tick that is waiting. Raises
        RuntimeError if the loop is closed.
        """
        self._check_closed()
        if self._debug:
            self._check_callback(callback, "call_soon_threadsafe")
        handle = _ThreadSafeHandle(callback, args, self, context)
        self._ready.append(handle)  # before the loop is woken, or it might look too early
        self._write_to_self()
        return handle

    def _make_self_pipe(self) -> None:
        """Make the self-pipe, unless there is one. Raises OSError if no descriptors are left."""
        if self._ssock is None and hasattr(socket, "socketpair"):
            self._ssock, self._csock = socket.socketpair()
            self._ssock.setblocking(False)
            self._csock.setblocking(False)
            self._add_reader(self._ssock, self._read_from_self)

    def _read_from_self(self) -> None:
        """Empty the self-pipe. A null byte only wakes the loop; any other is a signal's number."""
        while self._ssock is not None:
            try:
                data = self._ssock.recv(4096)
            except InterruptedError:
                continue
            except BlockingIOError:
                break
            if not data:
                break
            for signum in data:
                if signum:
                    self._handle_signal(signum)

    def _write_to_self(self) -> None:
        """Wake the loop from any thread: end its wait in ``select()``."""
        csock = self._csock  # close() may run in another thread meanwhile
        if csock is None:
            return
        try:
            csock.send(b"\0")
        except OSError:  # full, so the loop will wake up anyway; or closed just now
            if self._debug:
                logger.debug("Fail to write a null byte into the self-pipe socket", exc_info=True)


class _ThreadSafeHandle(Handle):
    """A Handle that other threads may cancel, as ``call_soon_threadsafe`` returns it.

    A cancel from another thread comes before the callback begins, or waits until it has ended.
    """

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: Loop,
        context: Context | None = None,
    ) -> None:
        Handle.__init__(self, callback, args, loop, context)
        self._lock = threading.RLock()

    def _run(self) -> None:
        with self._lock:
            Handle._run(self)

    def cancel(self) -> None:
        """Forget the callback, as ``Handle.cancel()`` does."""
        with self._lock:
            Handle.cancel(self)

    def cancelled(self) -> bool:
        """Return True if the handle was cancelled."""
        with self._lock:
            return Handle.cancelled(self)


def _check_descriptor(fd: Any) -> int:
    """Return *fd*, or its ``fileno()`` if it is no number. Raises ValueError if it has none."""
    try:
        return fd if isinstance(fd, int) else int(fd.fileno())
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"Invalid file object: {fd!r}") from None
