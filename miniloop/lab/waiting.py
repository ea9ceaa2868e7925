"""Waiting in line: locks, events, conditions, semaphores, barriers, queues."""

# ruff: noqa: D102, D106

from __future__ import annotations

from collections import deque
from typing import Any

import miniloop

from .broken import BrokenLoop


class UnfairLock(BrokenLoop):
    """A task that comes to a lock just released waits behind the tasks that came before it."""

    class Lock(miniloop.Lock):
        async def acquire(self) -> bool:
            if not self._locked:
                self._locked = True
                return True
            return await super().acquire()


class EventInReverse(BrokenLoop):
    """An event wakes its waiters in the order in which they came."""

    class Event(miniloop.Event):
        def set(self) -> None:
            self._waiters.reverse()
            super().set()
            self._waiters.reverse()


class NotifyLost(BrokenLoop):
    """A waiter of a condition that is notified and then cancelled notifies another waiter."""

    since = (3, 13)

    class Condition(miniloop.Condition):
        def notify(self, n: int = 1) -> None:
            super().notify(n)
            super()._notify(n)

        def _notify(self, n: int) -> None:
            pass


class SemaphoreJumped(BrokenLoop):
    """A free slot of a semaphore belongs to the first waiter as soon as it is released."""

    class Semaphore(miniloop.Semaphore):
        def locked(self) -> bool:
            return self._value == 0

        def release(self) -> None:
            self._value += 1
            miniloop.get_running_loop().call_soon(lambda: self._value and self._wake_up_next())


class BarrierTooSoon(BrokenLoop):
    """A barrier opens when all its parties have arrived, and not before."""

    class Barrier(miniloop.Barrier):
        def __init__(self, parties: int) -> None:
            super().__init__(parties - 1)


class WrongGetter(BrokenLoop):
    """An item that is put into a queue wakes the task that has waited longest."""

    class Queue(miniloop.Queue[Any]):
        def _wakeup_next(self, waiters: deque[Any]) -> None:
            waiters.reverse()
            super()._wakeup_next(waiters)
            waiters.reverse()


class QueueOneTooMany(BrokenLoop):
    """A queue is full when it holds maxsize items."""

    class Queue(miniloop.Queue[Any]):
        def full(self) -> bool:
            return 0 < self.maxsize < self.qsize()


class JoinTooSoon(BrokenLoop):
    """join() waits until every item is done, not until the queue is empty."""

    class Queue(miniloop.Queue[Any]):
        def _get(self) -> Any:
            item = super()._get()
            if self.empty():
                self._finished.set()
            return item
