"""Queues between tasks.

A consumer that finds the queue empty awaits a future in ``_getters``; a producer that finds it
full awaits one in ``_putters``. Putting an item wakes the first consumer, getting one the first
producer. Nothing is handed over: the woken task looks again. A newcomer may have been quicker, and
then the task waits again, at the end of the line.

CPython's counterpart is ``asyncio/queues.py``.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from types import GenericAlias
from typing import Any, Generic, TypeVar

from .exceptions import QueueEmpty, QueueFull, QueueShutDown
from .futures import Future
from .locks import Event, _LoopBoundMixin

__all__ = ["LifoQueue", "PriorityQueue", "Queue"]

_T = TypeVar("_T")


class Queue(_LoopBoundMixin, Generic[_T]):
    """A queue of at most ``maxsize`` items, first in, first out. 0 or less means no limit.

    A wait raises RuntimeError if a task of another loop has waited for it before.
    """

    def __init__(self, maxsize: int = 0) -> None:
        self._maxsize = maxsize
        self._getters: deque[Future[None]] = deque()
        self._putters: deque[Future[None]] = deque()
        self._unfinished_tasks = 0  # items put in, less calls of task_done(); not asyncio tasks
        self._finished = Event()
        self._finished.set()
        self._is_shutdown = False
        self._init(maxsize)

    # What subclasses override: how the items are kept.

    def _init(self, maxsize: int) -> None:
        self._queue: Any = deque()

    def _get(self) -> _T:
        return self._queue.popleft()  # type: ignore[no-any-return]

    def _put(self, item: _T) -> None:
        self._queue.append(item)

    # -- putting and getting -------------------------------------------------------------------

    async def put(self, item: _T) -> None:
        """Put an item in, waiting for room if the queue is full.

        Raises QueueShutDown if the queue was shut down.
        """
        while self.full():
            if self._is_shutdown:
                raise QueueShutDown
            putter = self._get_loop().create_future()
            self._putters.append(putter)
            try:
                await putter
            except:
                self._leave_line(self._putters, putter, self.full)
                raise
        self.put_nowait(item)

    def put_nowait(self, item: _T) -> None:
        """Put an item in. Raises QueueFull, or QueueShutDown if the queue was shut down."""
        if self._is_shutdown:
            raise QueueShutDown
        if self.full():
            raise QueueFull
        self._put(item)
        self._unfinished_tasks += 1
        self._finished.clear()
        if self._getters:
            self._wakeup_next(self._getters)

    async def get(self) -> _T:
        """Take an item out and return it, waiting for one if the queue is empty.

        Raises QueueShutDown if the queue was shut down and is empty.
        """
        while self.empty():
            if self._is_shutdown:
                raise QueueShutDown
            getter = self._get_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except:
                self._leave_line(self._getters, getter, self.empty)
                raise
        return self.get_nowait()

    def get_nowait(self) -> _T:
        """Take an item out and return it.

        Raises QueueEmpty, or QueueShutDown if it is empty and shut down.
        """
        if self.empty():
            if self._is_shutdown:
                raise QueueShutDown
            raise QueueEmpty
        item = self._get()
        if self._putters:
            self._wakeup_next(self._putters)
        return item

    def _leave_line(
        self,
        waiters: deque[Future[None]],
        waiter: Future[None],
        still_blocked: Callable[[], bool],
    ) -> None:
        """Clean up after a wait that an error has ended.

        A task that is woken and then cancelled wakes the next in its place.
        """
        waiter.cancel()  # in case it is pending, as after GeneratorExit; if it was woken, no change
        if waiter in waiters:
            waiters.remove(waiter)
        if not still_blocked() and not waiter.cancelled():
            self._wakeup_next(waiters)

    def _wakeup_next(self, waiters: deque[Future[None]]) -> None:
        """Wake the first task that still waits, and take it out of the line."""
        while waiters:
            waiter = waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break

    # -- finishing -----------------------------------------------------------------------------

    def task_done(self) -> None:
        """Count the work on one item as done, for ``join()``. Call it once for each item you get.

        Raises ValueError if there are more calls than items put in.
        """
        if self._unfinished_tasks <= 0:
            raise ValueError("task_done() called too many times")
        self._unfinished_tasks -= 1
        if self._unfinished_tasks == 0:
            self._finished.set()

    async def join(self) -> None:
        """Wait until ``task_done()`` has been called for every item put in."""
        if self._unfinished_tasks > 0:
            await self._finished.wait()

    def shutdown(self, immediate: bool = False) -> None:
        """Close the queue: ``put()`` raises QueueShutDown, and so does ``get()`` once it is empty.

        ``immediate`` drops the items and counts them as done. Wakes all waiting tasks.
        """
        self._is_shutdown = True
        if immediate:
            while not self.empty():
                self._get()
                if self._unfinished_tasks > 0:
                    self._unfinished_tasks -= 1
            if self._unfinished_tasks == 0:
                self._finished.set()
        for waiters in (self._getters, self._putters):
            while waiters:
                self._wakeup_next(waiters)

    # -- asking --------------------------------------------------------------------------------

    @property
    def maxsize(self) -> int:
        """How many items fit in; 0 or less means no limit."""
        return self._maxsize

    def qsize(self) -> int:
        """Return the number of items in the queue."""
        return len(self._queue)

    def empty(self) -> bool:
        """Return True if the queue has no items."""
        return not self._queue

    def full(self) -> bool:
        """Return True if the queue holds ``maxsize`` items; False if it has no limit."""
        return 0 < self._maxsize <= self.qsize()

    __class_getitem__ = classmethod(GenericAlias)  # type: ignore[var-annotated]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self):#x} {self._format()}>"

    def __str__(self) -> str:
        return f"<{type(self).__name__} {self._format()}>"

    def _format(self) -> str:
        result = f"maxsize={self._maxsize!r}"
        if getattr(self, "_queue", None):
            result += f" _queue={list(self._queue)!r}"
        if self._getters:
            result += f" _getters[{len(self._getters)}]"
        if self._putters:
            result += f" _putters[{len(self._putters)}]"
        if self._unfinished_tasks:
            result += f" tasks={self._unfinished_tasks}"
        if self._is_shutdown:
            result += " shutdown"
        return result


class PriorityQueue(Queue[_T]):
    """A Queue that returns the smallest item first."""

    def _init(self, maxsize: int) -> None:
        self._queue: list[_T] = []

    def _get(self) -> _T:
        return heapq.heappop(self._queue)  # type: ignore[type-var]

    def _put(self, item: _T) -> None:
        heapq.heappush(self._queue, item)  # type: ignore[type-var]


class LifoQueue(Queue[_T]):
    """A Queue that returns the newest item first."""

    def _init(self, maxsize: int) -> None:
        self._queue: list[_T] = []

    def _get(self) -> _T:
        return self._queue.pop()
