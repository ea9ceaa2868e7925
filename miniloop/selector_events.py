"""EventLoop: the loop with ears.

``loop.py`` has the tick. Here is what reaches a loop from outside, and how:

* **File descriptors.** ``add_reader(fd, callback)`` has the selector watch ``fd``. When
  ``select()`` reports it, the callback's handle is put into the ready queue.
* **Other threads.** ``call_soon_threadsafe()`` writes a byte to one end of a socket pair (the
  *self-pipe*), whose other end is watched like any descriptor. That ends the wait in ``select()``.
* **Signals.** Python writes the number of a signal that has come to the same socket pair.
* **Executors.** ``run_in_executor()`` has a function called in a thread or process of a pool, and
  wraps the pool's future.

The socket pair is made when it is first needed, so that the loop runs where there are no sockets
(in a browser).

Mirrors ``asyncio/selector_events.py`` and ``asyncio/unix_events.py`` (without what is in
``sockets.py``, ``transports.py`` and ``servers.py``), and the executor part of
``asyncio/base_events.py``.
"""

from __future__ import annotations

import concurrent.futures
import errno
import selectors
import signal
import socket
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVar

from . import running
from .combinators import gather
from .coroutines import _iscoroutinefunction, iscoroutine
from .futures import Future, _set_result_unless_cancelled
from .handles import Handle
from .loop import logger
from .sockets import SocketEventLoop
from .threads import wrap_future
from .timeouts import timeout as timeout_after

__all__ = ["EventLoop"]

_T = TypeVar("_T")


class EventLoop(SocketEventLoop):
    """The event loop. Mirrors ``asyncio.SelectorEventLoop``, without protocols of one's own.

    Every public method mirrors the one of that name in asyncio.

    ``selector`` is any ``selectors.BaseSelector``, by default the best of the platform. The loop
    closes it in ``close()``.
    """

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        super().__init__(selector)
        if selector is None:
            self._selector = selectors.DefaultSelector()
        logger.debug("Using selector: %s", type(self._selector).__name__)
        self._ssock: socket.socket | None = None  # the self-pipe: this end is watched,
        self._csock: socket.socket | None = None  # this end is written to
        self._transports: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._signal_handlers: dict[int, Handle] = {}
        self._default_executor: concurrent.futures.Executor | None = None
        self._executor_shutdown_called = False

    def _run_forever_setup(self) -> None:
        self._check_closed()
        self._check_running()
        self._make_self_pipe()  # may fail, so do it first
        super()._run_forever_setup()

    def close(self) -> None:
        """Forget everything, close the selector, let go the default executor without waiting.

        Raises RuntimeError if the loop runs.
        """
        was_closed = self._closed
        super().close()
        if was_closed:
            return
        if not sys.is_finalizing():
            for sig in list(self._signal_handlers):
                self.remove_signal_handler(sig)
        elif self._signal_handlers:
            warnings.warn(
                f"Closing the loop {self!r} on interpreter shutdown "
                "stage, skipping signal handlers removal",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
            self._signal_handlers.clear()
        for sock in (self._ssock, self._csock):
            if sock is not None:
                sock.close()
        self._ssock = self._csock = None
        if self._selector is not None:  # None: there was none left to be had
            self._selector.close()
            self._selector = None
        self._executor_shutdown_called = True
        executor, self._default_executor = self._default_executor, None
        if executor is not None:
            executor.shutdown(wait=False)

    # -- file descriptors ----------------------------------------------------------------------

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        """Have ``callback(*args)`` called whenever ``fd`` can be read without waiting.

        ``fd`` is a number or has ``fileno()``; else ValueError. Replaces an earlier reader.
        RuntimeError if a stream uses the descriptor.
        """
        self._ensure_fd_no_transport(fd)
        self._add_reader(fd, callback, *args)

    def remove_reader(self, fd: Any) -> bool:
        """Undo ``add_reader``. Return True if there was a reader."""
        self._ensure_fd_no_transport(fd)
        return self._remove_reader(fd)

    def add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        """Have ``callback(*args)`` called whenever ``fd`` can be written without waiting.

        ``fd`` is a number or has ``fileno()``; else ValueError. Replaces an earlier writer.
        RuntimeError if a stream uses the descriptor.
        """
        self._ensure_fd_no_transport(fd)
        self._add_writer(fd, callback, *args)

    def remove_writer(self, fd: Any) -> bool:
        """Undo ``add_writer``. Return True if there was a writer."""
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

    # A descriptor is registered once, for reading, writing or both; the data of its registration
    # is the pair of handles (reader, writer), either of which may be None.

    # A socket that was closed has no number any more, but its registration is found all the same:
    # selectors then look for the object.

    def _watch(
        self,
        fd: Any,
        event: int,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None = None,
    ) -> Handle:
        self._check_closed()
        # First, or the self-pipe might get the number of a socket that was registered and closed.
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
        """Put the callbacks of selector events into the ready queue; reading before writing."""
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

    def _make_self_pipe(self) -> None:
        if self._ssock is None and hasattr(socket, "socketpair"):
            self._ssock, self._csock = socket.socketpair()
            self._ssock.setblocking(False)
            self._csock.setblocking(False)
            self._add_reader(self._ssock, self._read_from_self)

    def _read_from_self(self) -> None:
        """Empty the self-pipe: null bytes only wake us, others are numbers of signals."""
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
        csock = self._csock  # close() may run in another thread meanwhile
        if csock is None:
            return
        try:
            csock.send(b"\0")
        except OSError:  # full, so the loop will wake up anyway; or closed just now
            if self._debug:
                logger.debug("Fail to write a null byte into the self-pipe socket", exc_info=True)

    # -- signals -------------------------------------------------------------------------------

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        """Have ``callback(*args)`` called by the loop when the signal comes. Unix only.

        Raises ValueError for what is no signal, TypeError for a coroutine, RuntimeError if the
        signal cannot be caught or this is not the main thread.
        """
        if iscoroutine(callback) or _iscoroutinefunction(callback):
            raise TypeError("coroutines cannot be used with add_signal_handler()")
        self._check_signal(sig)
        self._check_closed()
        self._make_self_pipe()
        if self._csock is None:
            raise RuntimeError("there are no signal handlers where there is no socket.socketpair")
        try:
            signal.set_wakeup_fd(self._csock.fileno())  # refused outside the main thread
        except (ValueError, OSError) as exc:
            raise RuntimeError(str(exc)) from exc
        self._signal_handlers[sig] = Handle(callback, args, self)
        try:
            # The signal must be caught for its number to be written; the handler does nothing.
            signal.signal(sig, _sighandler_noop)
            signal.siginterrupt(sig, False)  # do not break system calls off
        except OSError as exc:
            del self._signal_handlers[sig]
            self._stop_wakeup_fd()
            if exc.errno == errno.EINVAL:
                raise RuntimeError(f"sig {sig} cannot be caught") from exc
            raise

    def remove_signal_handler(self, sig: int) -> bool:
        """Undo ``add_signal_handler``. Return True if there was a handler."""
        self._check_signal(sig)
        if sig not in self._signal_handlers:
            return False
        del self._signal_handlers[sig]
        default = signal.default_int_handler if sig == signal.SIGINT else signal.SIG_DFL
        try:
            signal.signal(sig, default)
        except OSError as exc:
            if exc.errno == errno.EINVAL:
                raise RuntimeError(f"sig {sig} cannot be caught") from exc
            raise
        self._stop_wakeup_fd()
        return True

    def _handle_signal(self, sig: int) -> None:
        handle = self._signal_handlers.get(sig)
        if handle is None:
            return  # it was removed after the signal had come
        if handle._cancelled:
            self.remove_signal_handler(sig)
        else:
            self._add_callback(handle)
            self._write_to_self()  # as asyncio does; the loop is awake already

    def _stop_wakeup_fd(self) -> None:
        if not self._signal_handlers:
            try:
                signal.set_wakeup_fd(-1)
            except (ValueError, OSError) as exc:
                logger.info("set_wakeup_fd(-1) failed: %s", exc)

    def _check_signal(self, sig: int) -> None:
        if not isinstance(sig, int):
            raise TypeError(f"sig must be an int, not {sig!r}")
        if sig not in signal.valid_signals():
            raise ValueError(f"invalid signal number {sig}")

    # -- executors -----------------------------------------------------------------------------

    def run_in_executor(
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[..., _T],
        *args: Any,
    ) -> Future[_T]:
        """Have ``func(*args)`` called by an executor; return a Future of its result.

        Any ``concurrent.futures.Executor`` will do: threads, processes, a cluster. None means
        the default one, a ThreadPoolExecutor made at first use. Cancelling the future does not
        stop a call that has begun. Raises RuntimeError if the loop is closed, or if the executor
        was shut down.
        """
        self._check_closed()
        if self._debug:
            self._check_callback(func, "run_in_executor")
        if executor is None:
            if self._executor_shutdown_called:
                raise RuntimeError("Executor shutdown has been called")
            if self._default_executor is None:
                self._default_executor = concurrent.futures.ThreadPoolExecutor(
                    thread_name_prefix="asyncio"
                )
            executor = self._default_executor
        return wrap_future(executor.submit(func, *args), loop=self)

    def set_default_executor(self, executor: concurrent.futures.ThreadPoolExecutor) -> None:
        """Set the executor that None stands for. Raises TypeError if it has no threads."""
        if not isinstance(executor, concurrent.futures.ThreadPoolExecutor):
            raise TypeError("executor must be ThreadPoolExecutor instance")
        self._default_executor = executor

    # -- leaving in good order -----------------------------------------------------------------

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads of the default executor to end, ``timeout`` seconds at most.

        Warns (RuntimeWarning) and lets them go if they take longer.
        """
        self._executor_shutdown_called = True
        executor = self._default_executor
        if executor is None:
            return
        future = self.create_future()
        thread = threading.Thread(target=self._do_shutdown, args=(executor, future))
        thread.start()
        try:
            async with timeout_after(timeout):
                await future
        except TimeoutError:
            warnings.warn(
                f"The executor did not finishing joining its threads within {timeout} seconds.",
                RuntimeWarning,
                stacklevel=2,
            )
            executor.shutdown(wait=False)
        else:
            thread.join()

    def _do_shutdown(self, executor: concurrent.futures.Executor, future: Future[None]) -> None:
        """Wait for the executor, in a thread of its own."""
        try:
            executor.shutdown(wait=True)
            if not self.is_closed():
                self.call_soon_threadsafe(_set_result_unless_cancelled, future, None)
        except Exception as exc:
            if not self.is_closed() and not future.cancelled():
                self.call_soon_threadsafe(future.set_exception, exc)

    async def shutdown_asyncgens(self) -> None:
        """Close all async generators that have begun and not ended. Errors are reported."""
        self._asyncgens_shutdown_called = True
        closing = list(self._asyncgens)
        if not closing:
            return
        self._asyncgens.clear()
        results = await gather(*[agen.aclose() for agen in closing], return_exceptions=True)
        for agen, result in zip(closing, results, strict=True):
            if isinstance(result, Exception):
                self.call_exception_handler(
                    {
                        "message": "an error occurred during closing of "
                        f"asynchronous generator {agen!r}",
                        "exception": result,
                        "asyncgen": agen,
                    }
                )


def _check_descriptor(fd: Any) -> int:
    """Return the number; ValueError for what is neither one nor has a ``fileno()`` that is."""
    try:
        return fd if isinstance(fd, int) else int(fd.fileno())
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"Invalid file object: {fd!r}") from None


def _sighandler_noop(signum: int, frame: object) -> None:
    """Do nothing: the number has been written to the self-pipe already."""


running._loop_factory = EventLoop
