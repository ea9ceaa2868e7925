"""Waiting in line: locks, events, conditions, semaphores, barriers, queues."""

# ruff: noqa: D101, D102, D106

from __future__ import annotations

from collections import deque
from typing import Any

import miniloop

from .broken import BrokenLoop


class UnfairLock(BrokenLoop, rule="lock-in-order"):
    class Lock(miniloop.Lock):
        async def acquire(self) -> bool:
            if not self._locked:
                self._locked = True
                return True
            return await super().acquire()


class EventInReverse(BrokenLoop, rule="event-in-order"):
    class Event(miniloop.Event):
        def set(self) -> None:
            self._waiters.reverse()
            super().set()
            self._waiters.reverse()


class EventAsksAgain(BrokenLoop, rule="event-woken-stays-woken"):
    class Event(miniloop.Event):
        async def wait(self) -> bool:
            while not self.is_set():
                await super().wait()
            return True


class NotifyLost(BrokenLoop, rule="notify-passed-on"):
    class Condition(miniloop.Condition):
        def notify(self, n: int = 1) -> None:
            super().notify(n)
            super()._notify(n)

        def _notify(self, n: int) -> None:
            pass


class SemaphoreJumped(BrokenLoop, rule="semaphore-slot"):
    class Semaphore(miniloop.Semaphore):
        def locked(self) -> bool:
            return self._value == 0

        def release(self) -> None:
            self._value += 1
            miniloop.get_running_loop().call_soon(lambda: self._value and self._wake_up_next())


class BarrierTooSoon(BrokenLoop, rule="barrier-full"):
    class Barrier(miniloop.Barrier):
        def __init__(self, parties: int) -> None:
            super().__init__(parties - 1)


class WrongGetter(BrokenLoop, rule="queue-in-order"):
    class Queue(miniloop.Queue[Any]):
        def _wakeup_next(self, waiters: deque[Any]) -> None:
            waiters.reverse()
            super()._wakeup_next(waiters)
            waiters.reverse()


class QueueOneTooMany(BrokenLoop, rule="queue-full"):
    class Queue(miniloop.Queue[Any]):
        def full(self) -> bool:
            return 0 < self.maxsize < self.qsize()


class JoinTooSoon(BrokenLoop, rule="join-waits"):
    class Queue(miniloop.Queue[Any]):
        def _get(self) -> Any:
            item = super()._get()
            if self.empty():
                self._finished.set()
            return item
