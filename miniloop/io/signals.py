"""Signals: when one arrives, Python writes its number to the self-pipe, and the loop reads it.

CPython's counterparts are the signal methods of ``_UnixSelectorEventLoop`` in
``asyncio/unix_events.py``.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..core.handles import Handle
from ..details.coroutines import _iscoroutinefunction, iscoroutine
from ..details.debug import logger

if TYPE_CHECKING:
    from .descriptors import Descriptors as Loop
else:
    Loop = object

__all__: list[str] = []


class Signals(Loop):
    """What an event loop does with signals."""

    _signal_handlers: dict[int, Handle]

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` in the loop whenever the signal arrives. Unix only.

        Raises ValueError if ``sig`` is no signal, TypeError for a coroutine, RuntimeError if the
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
            # Python writes the number of a signal only if it has a handler. This one does nothing.
            signal.signal(sig, _sighandler_noop)
            signal.siginterrupt(sig, False)  # let interrupted system calls go on
        except OSError as exc:
            del self._signal_handlers[sig]
            self._stop_wakeup_fd()
            if exc.errno == errno.EINVAL:
                raise RuntimeError(f"sig {sig} cannot be caught") from exc
            raise

    def remove_signal_handler(self, sig: int) -> bool:
        """Undo ``add_signal_handler``. Return True if there was a handler.

        Raises ValueError if ``sig`` is no signal, RuntimeError if it cannot be caught.
        """
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
        """Put the handler of a signal whose number was in the self-pipe into the ready queue."""
        handle = self._signal_handlers.get(sig)
        if handle is None:
            return  # it was removed after the signal had come
        if handle._cancelled:
            self.remove_signal_handler(sig)
        else:
            self._add_callback(handle)
            self._write_to_self()  # asyncio: the loop is awake already

    def _stop_wakeup_fd(self) -> None:
        """Tell Python to write no more signals to the self-pipe, if no handler is left."""
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


def _sighandler_noop(signum: int, frame: object) -> None:
    """Do nothing: Python has written the number to the self-pipe already."""
