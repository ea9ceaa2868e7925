"""Locks, events, conditions, semaphores and barriers: places where tasks wait for each other.

A task that cannot go on makes a future, appends it to ``_waiters`` and awaits it. (So a *waiter* is
a future here, one for each waiting task.) Another task wakes it by setting the future's result. A
Lock wakes the first waiter, a Semaphore the first that is still waiting, an Event all of them, a
Condition as many as ``notify()`` says. A Barrier waits at a Condition.

``release()`` does not hand a Lock over. The task that it wakes takes the Lock in its next step, and
until then its future stays in ``_waiters``, so that no newcomer takes the Lock. A Semaphore does
hand over: it takes the slot for the task that it wakes. The hard case is a task that is woken and
then cancelled before its next step. It must wake the next waiter in its place.

None of this protects against threads: use these classes in the loop's own thread only.

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
    from .loop import BaseEventLoop

__all__ = ["Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "Semaphore"]

_T = TypeVar("_T")


class _LoopBoundMixin:
    """An object that belongs to the first loop in which a task waits for it."""

    _loop: BaseEventLoop | None = None

    def _get_loop(self) -> BaseEventLoop:
        """Return the running loop. Raises RuntimeError if the object belongs to another one."""
        loop = get_running_loop()
        if self._loop is None:
            self._loop = loop
        if loop is not self._loop:
            raise RuntimeError(f"{self!r} is bound to a different event loop")
        return loop


class _ContextManagerMixin:
    """The ``async with`` of classes that have ``acquire()`` and ``release()``."""

    async def __aenter__(self: Any) -> None:
        await self.acquire()

    async def __aexit__(self: Any, *exc_info: object) -> None:
        self.release()


def _repr(obj: object, extra: str, waiters: deque[Any] | None) -> str:
    """Return the default repr of *obj* with ``extra`` and the number of waiters put in."""
    if waiters:
        extra = f"{extra}, waiters:{len(waiters)}"
    return f"<{object.__repr__(obj)[1:-1]} [{extra}]>"


class Lock(_ContextManagerMixin, _LoopBoundMixin):
    """A lock that one task holds at a time. Waiting tasks get it in the order of their arrival.

    A wait raises RuntimeError if a task of another loop has waited for it before.
    """

    def __init__(self) -> None:
        self._waiters: deque[Future[bool]] | None = None
        self._locked = False

    def locked(self) -> bool:
        """Return True if a task holds the lock."""
        return self._locked

    async def acquire(self) -> bool:
        """Take the lock, behind all tasks that wait for it already, and return True."""
        # A free lock may have waiters: woken ones go first, cancelled ones do not count.
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
            if not self._locked:  # release() may have woken this task: wake the next instead
                self._wake_up_first()
            raise
        self._locked = True
        return True

    def release(self) -> None:
        """Free the lock and wake the first waiter. Raises RuntimeError if it is free already."""
        if not self._locked:
            raise RuntimeError("Lock is not acquired.")
        self._locked = False
        self._wake_up_first()

    def _wake_up_first(self) -> None:
        # Only the first. If it is done, it was woken already. Or it was cancelled: then its task
        # wakes the next one in its next step.
        if self._waiters and not self._waiters[0].done():
            self._waiters[0].set_result(True)

    def __repr__(self) -> str:
        return _repr(self, "locked" if self._locked else "unlocked", self._waiters)


class Event(_LoopBoundMixin):
    """A flag that tasks can wait for. It is not set at first.

    A wait raises RuntimeError if a task of another loop has waited for it before.
    """

    def __init__(self) -> None:
        self._waiters: deque[Future[bool]] = deque()
        self._value = False

    def is_set(self) -> bool:
        """Return True if the flag is set."""
        return self._value

    def set(self) -> None:
        """Set the flag and wake all waiting tasks."""
        if not self._value:
            self._value = True
            for future in self._waiters:
                if not future.done():
                    future.set_result(True)

    def clear(self) -> None:
        """Clear the flag: ``wait()`` waits again from now on."""
        self._value = False

    async def wait(self) -> bool:
        """Wait until the flag is set, if it is not, and return True."""
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
    """A lock, and a queue of tasks that have freed it to wait for ``notify()``.

    ``lock`` is a Lock that several conditions may share; by default each has its own.
    A wait raises RuntimeError if a task of another loop has waited for it before.
    """

    def __init__(self, lock: Lock | None = None) -> None:
        self._lock = Lock() if lock is None else lock
        self.locked = self._lock.locked
        self.acquire = self._lock.acquire
        self.release = self._lock.release
        self._waiters: deque[Future[bool]] = deque()

    async def wait(self) -> bool:
        """Free the lock, wait for ``notify()``, take the lock again; return True.

        wait() may also return without a ``notify()``, so check again what you have waited for.
        Raises RuntimeError if the lock is free; it does not check that this task holds it.
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
            finally:  # whatever has happened, the caller holds the lock again
                await self._acquire_again()
        except BaseException:
            self._notify(1)  # notify() may have meant this task: wake another in its place
            raise

    async def _acquire_again(self) -> None:
        """Take the lock even if the task is cancelled meanwhile, and raise CancelledError then."""
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
        """Call ``wait()`` until ``predicate()`` is true, and return what it returned last."""
        result = predicate()
        while not result:
            await self.wait()
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake the first ``n`` waiting tasks. Raises RuntimeError if the lock is free."""
        if not self.locked():
            raise RuntimeError("cannot notify on un-acquired lock")
        self._notify(n)

    def _notify(self, n: int) -> None:
        """Do what ``notify()`` does, whether or not the lock is free."""
        for future in self._waiters:
            if n <= 0:
                break
            if not future.done():
                n -= 1
                future.set_result(False)

    def notify_all(self) -> None:
        """Wake all waiting tasks. Raises RuntimeError if the lock is free."""
        self.notify(len(self._waiters))

    def __repr__(self) -> str:
        return _repr(self, "locked" if self.locked() else "unlocked", self._waiters)


class Semaphore(_ContextManagerMixin, _LoopBoundMixin):
    """A lock with ``value`` slots: that many tasks can hold it at a time.

    Raises ValueError if ``value`` is negative.
    A wait raises RuntimeError if a task of another loop has waited for it before.
    """

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("Semaphore initial value must be >= 0")
        self._waiters: deque[Future[bool]] | None = None
        self._value = value

    def locked(self) -> bool:
        """Return True if ``acquire()`` would wait: no slot is free, or other tasks wait already."""
        return self._value == 0 or any(not waiter.cancelled() for waiter in self._waiters or ())

    async def acquire(self) -> bool:
        """Take a slot, behind all tasks that wait for one already, and return True."""
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
                self._value += 1  # release() has taken a slot for this task: give it back
            raise
        finally:
            while self._value > 0 and self._wake_up_next():
                pass  # other tasks may have queued behind this one even though a slot was free
        return True

    def release(self) -> None:
        """Free a slot and wake the first task that still waits."""
        self._value += 1
        self._wake_up_next()

    def _wake_up_next(self) -> bool:
        """Take a slot for the first task that still waits, and wake it; False if none waits."""
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
        """Free a slot. Raises ValueError if all slots are free."""
        if self._value >= self._bound_value:
            raise ValueError("BoundedSemaphore released too many times")
        super().release()


class _BarrierState(enum.Enum):
    FILLING = "filling"
    DRAINING = "draining"  # full: its tasks leave, and newcomers wait until the last has left
    RESETTING = "resetting"  # its tasks leave with an error, and newcomers wait until the last has
    BROKEN = "broken"  # waiting tasks and newcomers get an error, until reset()


class Barrier(_LoopBoundMixin):
    """A place where tasks wait until ``parties`` of them are there; then all go on.

    Raises ValueError if ``parties`` is less than 1.
    A wait raises RuntimeError if a task of another loop has waited for it before.
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
        """Wait for the other parties; return a number from 0 to ``parties - 1``, unique per task.

        Raises BrokenBarrierError if the barrier is broken, or reset while the task waits.
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
        """Wait until the last round has left. Raises BrokenBarrierError after ``abort()``."""
        await self._cond.wait_for(
            lambda: self._state not in (_BarrierState.DRAINING, _BarrierState.RESETTING)
        )
        if self._state is _BarrierState.BROKEN:
            raise BrokenBarrierError("Barrier aborted")

    async def _wait(self) -> None:
        """Wait until the round is full. Raises BrokenBarrierError after a reset or an abort."""
        await self._cond.wait_for(lambda: self._state is not _BarrierState.FILLING)
        if self._state in (_BarrierState.BROKEN, _BarrierState.RESETTING):
            raise BrokenBarrierError("Abort or reset of barrier")

    def _exit(self) -> None:
        """Open the barrier for the next round if this task is the last to leave."""
        if self._count == 0:
            if self._state in (_BarrierState.RESETTING, _BarrierState.DRAINING):
                self._state = _BarrierState.FILLING
            self._cond.notify_all()

    async def reset(self) -> None:
        """Raise BrokenBarrierError in all waiting tasks and begin a new round."""
        async with self._cond:
            self._state = _BarrierState.RESETTING if self._count > 0 else _BarrierState.FILLING
            self._cond.notify_all()

    async def abort(self) -> None:
        """Break the barrier: ``wait()`` raises BrokenBarrierError until ``reset()``."""
        async with self._cond:
            self._state = _BarrierState.BROKEN
            self._cond.notify_all()

    @property
    def parties(self) -> int:
        """The number of tasks that open the barrier."""
        return self._parties

    @property
    def n_waiting(self) -> int:
        """The number of waiting tasks; 0 while a full round leaves."""
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
