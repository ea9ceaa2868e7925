"""The exceptions, which are asyncio's own.

``except asyncio.CancelledError`` must mean the same on both loops, so these classes are
borrowed, not rebuilt. This is the only file of the core that imports asyncio.

CPython's counterparts are ``asyncio/exceptions.py`` and the three classes at the top of
``asyncio/queues.py``.
"""

import asyncio
from asyncio import (
    BrokenBarrierError,
    CancelledError,
    IncompleteReadError,
    InvalidStateError,
    LimitOverrunError,
    QueueEmpty,
    QueueFull,
    SendfileNotAvailableError,  # for `except` clauses only: there is no sendfile here to raise it
    TimeoutError,  # since 3.11 this is the builtin
)

__all__ = [
    "BrokenBarrierError",
    "CancelledError",
    "IncompleteReadError",
    "InvalidStateError",
    "LimitOverrunError",
    "QueueEmpty",
    "QueueFull",
    "QueueShutDown",
    "SendfileNotAvailableError",
    "TimeoutError",
]

if hasattr(asyncio, "QueueShutDown"):
    QueueShutDown: type[Exception] = asyncio.QueueShutDown
else:

    class _QueueShutDown(Exception):
        """Raised by ``put()`` and ``get()`` of a queue that was shut down (asyncio: 3.13)."""

    _QueueShutDown.__name__ = _QueueShutDown.__qualname__ = "QueueShutDown"
    QueueShutDown = _QueueShutDown
