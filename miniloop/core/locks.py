"""Locks, and all else that tasks can queue up at.

They all work alike. Who cannot go on makes a future, puts it at the end of ``_waiters``, and
awaits it. Who makes room sets results: a Lock that of the first in line only, a Semaphore that of
the first which is not done, an Event those of all, a Condition those of as many as it is told.

A Lock is not handed over: the one who was woken takes it when its step comes, and until then
everyone who comes must see that somebody is about to. (A Semaphore takes the room in the name of
the one it wakes.) The hard part is always the same: the waiter that is woken and cancelled in the
same tick. It must pass on what it was woken for.

No locks in the sense of threads: between two awaits nobody else runs.

CPython's counterparts are ``asyncio/locks.py`` and ``asyncio/mixins.py``.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..details.current import get_running_loop
from .exceptions import BrokenBarrierError, CancelledError
from .futures import Future

if TYPE_CHECKING:
    from ..io.event_loop import EventLoop

__all__ = ["Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "Semaphore"]

_T = TypeVar("_T")


class _LoopBoundMixin:
    """Belongs to the first loop that it has to wait in; RuntimeError in another."""

    _loop: EventLoop | None = None

    def _get_loop(self) -> EventLoop:
        loop = get_running_loop()
        if self._loop is None:
            self._loop = loop
        if loop is not self._loop:
            raise RuntimeError(f"{self!r} is bound to a different event loop")
        return loop


class _ContextManagerMixin:
    """``async with`` for what has ``acquire()`` and ``release()``."""

    async def __aenter__(self: Any) -> None:
        await self.acquire()

    async def __aexit__(self: Any, *exc_info: object) -> None:
        self.release()


def _repr(obj: object, extra: str, waiters: deque[Any] | None) -> str:
    if waiters:
        extra = f"{extra}, waiters:{len(waiters)}"
    return f"<{object.__repr__(obj)[1:-1]} [{extra}]>"


class Lock(_ContextManagerMixin, _LoopBoundMixin):
    """A lock that one task holds at a time; the others get it in the order in which they came."""

    def __init__(self) -> None:
        self._waiters: deque[Future[bool]] | None = None
        self._locked = False

    def locked(self) -> bool:
        """Return True if somebody holds the lock."""
        return self._locked

    async def acquire(self) -> bool:
        """Wait until the lock is free and all who came before had it; take it; return True."""
        if not self._locked and (
            self._waiters is None or all(waiter.cancelled() for waiter in self._waiters)
        ):
            self._locked = True
            return True
        if self._waiters is None:
            self._waiters = deque()
        future = self._get_loop().create_future()
        self._waiters.append(future)
        try:
            try:
                await future
            finally:
                self._waiters.remove(future)
        except CancelledError:
            if not self._locked:  # we may have been woken for it: wake the next instead
                self._wake_up_first()
            raise
        self._locked = True
        return True

    def release(self) -> None:
        """Free the lock and wake the first who waits. RuntimeError if it is free already."""
        if not self._locked:
            raise RuntimeError("Lock is not acquired.")
        self._locked = False
        self._wake_up_first()

    def _wake_up_first(self) -> None:
        # Only the first: one that was cancelled wakes the next by itself, in acquire().
        if self._waiters and not self._waiters[0].done():
            self._waiters[0].set_result(True)

    def __repr__(self) -> str:
        return _repr(self, "locked" if self._locked else "unlocked", self._waiters)


class Event(_LoopBoundMixin):
    """A flag that tasks can wait for."""

    def __init__(self) -> None:
        self._waiters: deque[Future[bool]] = deque()
        self._value = False

    def is_set(self) -> bool:
        """Return True if the flag is up."""
        return self._value

    def set(self) -> None:
        """Put the flag up and wake all who wait."""
        if not self._value:
            self._value = True
            for future in self._waiters:
                if not future.done():
                    future.set_result(True)

    def clear(self) -> None:
        """Take the flag down: from now on ``wait()`` waits again."""
        self._value = False

    async def wait(self) -> bool:
        """Wait until the flag is up, not at all if it is; return True."""
        if self._value:
            return True
        future = self._get_loop().create_future()
        self._waiters.append(future)
        try:
            await future
            return True
        finally:
            self._waiters.remove(future)

    def __repr__(self) -> str:
        return _repr(self, "set" if self._value else "unset", self._waiters)


class Condition(_ContextManagerMixin, _LoopBoundMixin):
    """A lock, and a place to wait for news while others hold it.

    ``lock`` is a Lock that several conditions may share; by default each has its own.
    """

    def __init__(self, lock: Lock | None = None) -> None:
        self._lock = Lock() if lock is None else lock
        self.locked = self._lock.locked
        self.acquire = self._lock.acquire
        self.release = self._lock.release
        self._waiters: deque[Future[bool]] = deque()

    async def wait(self) -> bool:
        """Free the lock, wait for ``notify()``, take the lock again; return True.

        May return without a ``notify()`` of its own, so check what you have waited for.
        RuntimeError if the lock is not held.
        """
        if not self.locked():
            raise RuntimeError("cannot wait on un-acquired lock")
        future = self._get_loop().create_future()
        self.release()
        try:
            try:
                self._waiters.append(future)
                try:
                    await future
                    return True
                finally:
                    self._waiters.remove(future)
            finally:
                await self._acquire_again()
        except BaseException:
            self._notify(1)  # we may have been notified: let another be, in our stead
            raise

    async def _acquire_again(self) -> None:
        """Take the lock, come what may; cancels that arrive meanwhile are raised at the end."""
        error = None
        while True:
            try:
                await self.acquire()
                break
            except CancelledError as exc:
                error = exc
        if error is not None:
            try:
                raise error
            finally:
                error = None  # its traceback leads to this frame

    async def wait_for(self, predicate: Callable[[], _T]) -> _T:
        """Wait until ``predicate()`` is true; return what it returned. The lock must be held."""
        result = predicate()
        while not result:
            await self.wait()
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake the first ``n`` who wait. RuntimeError if the lock is not held."""
        if not self.locked():
            raise RuntimeError("cannot notify on un-acquired lock")
        self._notify(n)

    def _notify(self, n: int) -> None:
        for future in self._waiters:
            if n <= 0:
                break
            if not future.done():
                n -= 1
                future.set_result(False)

    def notify_all(self) -> None:
        """Wake all who wait. RuntimeError if the lock is not held."""
        self.notify(len(self._waiters))

    def __repr__(self) -> str:
        return _repr(self, "locked" if self.locked() else "unlocked", self._waiters)


class Semaphore(_ContextManagerMixin, _LoopBoundMixin):
    """A lock that ``value`` tasks can hold at a time.

    ValueError if ``value`` is negative.
    """

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("Semaphore initial value must be >= 0")
        self._waiters: deque[Future[bool]] | None = None
        self._value = value

    def locked(self) -> bool:
        """Return True if ``acquire()`` would wait: all is taken, or others wait already."""
        return self._value == 0 or any(not waiter.cancelled() for waiter in self._waiters or ())

    async def acquire(self) -> bool:
        """Wait until there is room and all who came before had it; take it; return True."""
        if not self.locked():
            self._value -= 1
            return True
        if self._waiters is None:
            self._waiters = deque()
        future = self._get_loop().create_future()
        self._waiters.append(future)
        try:
            try:
                await future
            finally:
                self._waiters.remove(future)
        except CancelledError:
            if future.done() and not future.cancelled():
                self._value += 1  # who wakes us takes the room for us: give it back
            raise
        finally:
            while self._value > 0 and self._wake_up_next():
                pass  # others may have come to wait behind us although there was room
        return True

    def release(self) -> None:
        """Make room for one and wake the first who waits."""
        self._value += 1
        self._wake_up_next()

    def _wake_up_next(self) -> bool:
        """Take the room in the name of the first who waits and wake it. False if nobody does."""
        for future in self._waiters or ():
            if not future.done():
                self._value -= 1
                future.set_result(True)
                return True
        return False

    def __repr__(self) -> str:
        state = "locked" if self.locked() else f"unlocked, value:{self._value}"
        return _repr(self, state, self._waiters)


class BoundedSemaphore(Semaphore):
    """A Semaphore that raises ValueError when it is released more often than acquired."""

    def __init__(self, value: int = 1) -> None:
        self._bound_value = value
        super().__init__(value)

    def release(self) -> None:
        """Make room for one. ValueError if nobody holds the semaphore."""
        if self._value >= self._bound_value:
            raise ValueError("BoundedSemaphore released too many times")
        super().release()


class _BarrierState(enum.Enum):
    FILLING = "filling"
    DRAINING = "draining"  # full: all go on; newcomers wait until the last is out
    RESETTING = "resetting"  # those who wait leave with an error; newcomers wait until all are out
    BROKEN = "broken"  # all who wait and all who come get an error, until reset()


class Barrier(_LoopBoundMixin):
    """A place where tasks wait until ``parties`` of them are there; then all go on.

    Raises ValueError if ``parties`` is less than 1.
    """

    def __init__(self, parties: int) -> None:
        if parties < 1:
            raise ValueError("parties must be >= 1")
        self._cond = Condition()  # notified of every change of state
        self._parties = parties
        self._state = _BarrierState.FILLING
        self._count = 0

    async def __aenter__(self) -> int:
        return await self.wait()

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def wait(self) -> int:
        """Wait until all are there; return a number from 0 to ``parties - 1``, each its own.

        Raises BrokenBarrierError if the barrier is broken or reset.
        """
        async with self._cond:
            await self._block()
            try:
                index = self._count
                self._count += 1
                if index + 1 == self._parties:
                    self._state = _BarrierState.DRAINING
                    self._cond.notify_all()
                else:
                    await self._wait()
                return index
            finally:
                self._count -= 1
                self._exit()

    async def _block(self) -> None:
        """Wait until those of the last round are out."""
        await self._cond.wait_for(
            lambda: self._state not in (_BarrierState.DRAINING, _BarrierState.RESETTING)
        )
        if self._state is _BarrierState.BROKEN:
            raise BrokenBarrierError("Barrier aborted")

    async def _wait(self) -> None:
        """Wait until all are in."""
        await self._cond.wait_for(lambda: self._state is not _BarrierState.FILLING)
        if self._state in (_BarrierState.BROKEN, _BarrierState.RESETTING):
            raise BrokenBarrierError("Abort or reset of barrier")

    def _exit(self) -> None:
        """Open the barrier for the next round if we are the last one out."""
        if self._count == 0:
            if self._state in (_BarrierState.RESETTING, _BarrierState.DRAINING):
                self._state = _BarrierState.FILLING
            self._cond.notify_all()

    async def reset(self) -> None:
        """Send all who wait away with BrokenBarrierError and begin anew."""
        async with self._cond:
            self._state = _BarrierState.RESETTING if self._count > 0 else _BarrierState.FILLING
            self._cond.notify_all()

    async def abort(self) -> None:
        """Break the barrier: all who wait, and all who come, get BrokenBarrierError."""
        async with self._cond:
            self._state = _BarrierState.BROKEN
            self._cond.notify_all()

    @property
    def parties(self) -> int:
        """How many tasks it takes to open the barrier."""
        return self._parties

    @property
    def n_waiting(self) -> int:
        """How many tasks wait for the others."""
        return self._count if self._state is _BarrierState.FILLING else 0

    @property
    def broken(self) -> bool:
        """True after ``abort()``, until ``reset()``."""
        return self._state is _BarrierState.BROKEN

    def __repr__(self) -> str:
        state = self._state.value
        if not self.broken:
            state += f", waiters:{self.n_waiting}/{self.parties}"
        return _repr(self, state, None)
