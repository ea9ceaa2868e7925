"""EventLoop: the loop that programs use, put together from its parts.

The tick comes from ``core``; debug mode, reports and async generators come from ``details``.
Descriptors, signals, executors and sockets come from a class each, in the files beside this one.

CPython's counterpart is ``asyncio.SelectorEventLoop``, without user-written protocols, TLS and
subprocesses.
"""

from __future__ import annotations

import selectors
import sys
import warnings
import weakref

from ..core.loop import BaseEventLoop
from ..details.debug import logger
from .descriptors import Descriptors
from .executors import Executors
from .signals import Signals
from .sockets import Sockets

__all__ = ["EventLoop"]


class EventLoop(Sockets, Signals, Executors, Descriptors, BaseEventLoop):
    """The event loop. Every public method has the name of its counterpart in asyncio.

    ``selector`` is any ``selectors.BaseSelector``, by default the best of the platform. The loop
    closes it in ``close()``.

    The methods that take a socket raise what the system call raises, which is an OSError, and
    TypeError for a TLS socket. In debug mode they raise ValueError for a socket that blocks.
    """

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        BaseEventLoop.__init__(self, selector)
        # The state of the other parts. First, because DefaultSelector() may fail, and __del__ then
        # closes the loop.
        self._ssock = self._csock = None
        self._transports = weakref.WeakValueDictionary()
        self._signal_handlers = {}
        self._default_executor = None
        self._executor_shutdown_called = False
        if selector is None:
            self._selector = selectors.DefaultSelector()
        logger.debug("Using selector: %s", type(self._selector).__name__)

    def _run_forever_setup(self) -> None:
        if not self._closed:
            self._make_self_pipe()  # first, because it may fail
        super()._run_forever_setup()

    def close(self) -> None:
        """Forget all callbacks, close the selector, and let the default executor end by itself.

        Raises RuntimeError if the loop runs. A second call does nothing.
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
        if self._selector is not None:  # None if DefaultSelector() has raised
            self._selector.close()
            self._selector = None
        self._executor_shutdown_called = True
        executor, self._default_executor = self._default_executor, None
        if executor is not None:
            executor.shutdown(wait=False)
