"""Faults of locks, events, conditions, semaphores, barriers and queues."""
# ruff: noqa: D101, D102, N801 - the decorator says what each class is and is for

from __future__ import annotations

from collections import deque
from typing import Any

import miniloop

from .fault import broken


@broken("A lock goes to the first who waits; nobody overtakes.", "Lock")
class lock_is_unfair(miniloop.Lock):
    async def acquire(self) -> bool:
        if not self._locked:
            self._locked = True
            return True
        return await super().acquire()


@broken("A lock wakes one waiter, the first.", "Lock")
class lock_wakes_the_last(miniloop.Lock):
    def _wake_up_first(self) -> None:
        if self._waiters and not self._waiters[-1].done():
            self._waiters[-1].set_result(True)


@broken("Taking a free lock does not yield.", "Lock")
class lock_always_yields(miniloop.Lock):
    async def acquire(self) -> bool:
        await miniloop.sleep(0)
        return await super().acquire()


@broken("A cancelled waiter that was woken passes the lock on.", "Lock")
class lock_is_lost_to_a_cancel(miniloop.Lock):
    async def acquire(self) -> bool:
        wake, self._wake_up_first = self._wake_up_first, lambda: None  # type: ignore[method-assign]
        try:
            got = super().acquire()
        finally:
            self._wake_up_first = wake  # type: ignore[method-assign]
        try:
            return await got
        except miniloop.CancelledError:
            for waiter in self._waiters or ():
                waiter.cancel()
            raise


@broken("Event.set() wakes all who wait.", "Event")
class event_wakes_one(miniloop.Event):
    def set(self) -> None:
        waiters, self._waiters = self._waiters, deque(list(self._waiters)[:1])
        super().set()
        self._waiters = waiters


@broken("Event.set() wakes in the order in which they came.", "Event")
class event_wakes_in_reverse(miniloop.Event):
    def set(self) -> None:
        self._waiters.reverse()
        super().set()


@broken("A set event does not make its waiters yield.", "Event")
class event_always_yields(miniloop.Event):
    async def wait(self) -> bool:
        await miniloop.sleep(0)
        return await super().wait()


@broken("notify(n) wakes n.", "Condition")
class condition_wakes_all(miniloop.Condition):
    def notify(self, n: int = 1) -> None:
        super().notify(1000)


@broken("A condition's waiter holds the lock again before it goes on.", "Condition")
class condition_without_its_lock(miniloop.Condition):
    async def _acquire_again(self) -> None:
        self._lock._locked = True


@broken("A cancelled waiter of a condition lets another be notified.", "Condition")
class condition_keeps_its_notify(miniloop.Condition):
    async def wait(self) -> bool:
        notify = self._notify
        try:
            self._notify = lambda n: None  # type: ignore[method-assign]
            return await super().wait()
        finally:
            self._notify = notify  # type: ignore[method-assign]

    def notify(self, n: int = 1) -> None:
        if not self.locked():
            raise RuntimeError
        miniloop.Condition._notify(self, n)


@broken("Nobody overtakes those who wait for a semaphore.", "Semaphore")
class semaphore_is_unfair(miniloop.Semaphore):
    def locked(self) -> bool:
        return self._value == 0

    def _wake_up_next(self) -> bool:
        for waiter in self._waiters or ():
            if not waiter.done():
                waiter.set_result(True)
                return False
        return False

    async def acquire(self) -> bool:
        while self._value <= 0:
            self._waiters = self._waiters or deque()
            waiter = self._get_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                self._waiters.remove(waiter)
        self._value -= 1
        return True


@broken("release() of a semaphore makes room for one.", "Semaphore")
class semaphore_releases_two(miniloop.Semaphore):
    def release(self) -> None:
        self._value += 1
        super().release()


@broken("A BoundedSemaphore refuses a release too many.", "BoundedSemaphore")
class semaphore_without_bound(miniloop.Semaphore):
    pass


@broken("A barrier lets go when all parties are there.", "Barrier")
class barrier_one_too_many(miniloop.Barrier):
    def __init__(self, parties: int) -> None:
        super().__init__(parties + 1)


@broken("A queue is full when it holds maxsize items.", "Queue")
class queue_one_too_many(miniloop.Queue[Any]):
    def full(self) -> bool:
        return 0 < self.maxsize < self.qsize()


@broken("Getters of a queue are served in order.", "Queue")
class queue_serves_the_last(miniloop.Queue[Any]):
    def _wakeup_next(self, waiters: Any) -> None:
        waiters.reverse()
        super()._wakeup_next(waiters)
        waiters.reverse()


@broken("put() into a queue with room does not yield.", "Queue")
class queue_always_yields(miniloop.Queue[Any]):
    async def put(self, item: Any) -> None:
        await miniloop.sleep(0)
        await super().put(item)


@broken("join() waits for task_done().", "Queue")
class queue_join_does_not_wait(miniloop.Queue[Any]):
    async def join(self) -> None:
        pass
