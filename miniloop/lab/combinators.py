"""Combinators: sleep, gather, wait, wait_for, as_completed, shield, timeout, TaskGroup."""

# ruff: noqa: D102, D106

from __future__ import annotations

from typing import Any

import miniloop
from miniloop.core.combinators import _AsCompletedIterator, _GatheringFuture
from miniloop.core.timeouts import Timeout

from .broken import BrokenLoop, rewired


class SleepZeroReturns(BrokenLoop):
    """After sleep(0), a task goes on in the next tick."""

    @staticmethod
    async def sleep(delay: float, result: Any = None) -> Any:
        return result if delay <= 0 else await miniloop.sleep(delay, result)


class SleepLeavesTimer(BrokenLoop):
    """A cancelled sleep() cancels its timer, too."""

    @staticmethod
    async def sleep(delay: float, result: Any = None) -> Any:
        if delay > 0:
            future = miniloop.get_running_loop().create_future()
            miniloop.get_running_loop().call_later(delay, lambda: future.cancel() or future)
        return await miniloop.sleep(delay, result)


class GatherTooSoon(BrokenLoop):
    """A task that awaits gather() goes on two ticks after the last child has ended."""

    class Prompt(_GatheringFuture):
        def _schedule_waiting(self) -> None:
            waiting, self._waiting = self._all_waiting(), None
            for entry in waiting:
                entry._args = (self,)  # type: ignore[union-attr]
                entry._run()

    gather = rewired(miniloop.gather, _GatheringFuture=Prompt)


class GatherInReverse(BrokenLoop):
    """The results of gather() are in the order of its arguments."""

    class Reversing(_GatheringFuture):
        def set_result(self, result: list[Any]) -> None:
            super().set_result(result[::-1])

    gather = rewired(miniloop.gather, _GatheringFuture=Reversing)


class GatherCancelsSiblings(BrokenLoop):
    """When a child of gather() fails, the other children go on."""

    @staticmethod
    def gather(*children: Any, **options: Any) -> Any:
        outer = miniloop.gather(*children, **options)

        def cancel_siblings(outer: Any) -> None:
            if not outer.cancelled() and outer.exception():
                for child in outer._children:
                    child.cancel()

        outer.add_done_callback(cancel_siblings)
        return outer


class FirstCompletedLate(BrokenLoop):
    """wait(FIRST_COMPLETED) returns two ticks after the first future has ended."""

    @staticmethod
    async def wait(fs: Any, *, timeout: Any = None, return_when: str = "ALL_COMPLETED") -> Any:
        result = await miniloop.wait(fs, timeout=timeout, return_when=return_when)
        if return_when == miniloop.FIRST_COMPLETED:
            await miniloop.sleep(0)
        return result


class FirstExceptionMissed(BrokenLoop):
    """wait(FIRST_EXCEPTION) returns when a future has failed, even if others go on."""

    @staticmethod
    async def wait(fs: Any, *, timeout: Any = None, return_when: str = "ALL_COMPLETED") -> Any:
        if return_when == miniloop.FIRST_EXCEPTION:
            return_when = miniloop.ALL_COMPLETED
        return await miniloop.wait(fs, timeout=timeout, return_when=return_when)


class WaitForNewTask(BrokenLoop):
    """wait_for() runs a coroutine in the caller's own task."""

    since = (3, 12)

    @staticmethod
    async def wait_for(fut: Any, timeout: Any) -> Any:
        return await miniloop.wait_for(miniloop.ensure_future(fut), timeout)


class AsCompletedLate(BrokenLoop):
    """A task that waits in as_completed() goes on two ticks after the next future has ended."""

    class Iterator(_AsCompletedIterator[Any]):
        async def _wait_for_one(self, resolve: bool = False) -> Any:
            await miniloop.sleep(0)
            return await super()._wait_for_one(resolve)  # type: ignore[call-overload]

    as_completed = rewired(miniloop.as_completed, _AsCompletedIterator=Iterator)


class LeakyShield(BrokenLoop):
    """Cancelling the future of shield() does not cancel the shielded future."""

    @staticmethod
    def shield(arg: Any) -> Any:
        inner = miniloop.ensure_future(arg)
        outer = miniloop.shield(inner)
        outer.add_done_callback(lambda outer: outer.cancelled() and inner.cancel())
        return outer


class GreedyTimeout(BrokenLoop):
    """timeout() turns its own cancellation into TimeoutError, and passes on any other."""

    class Greedy(Timeout):  # type: ignore[misc]
        async def __aenter__(self) -> Timeout:
            await super().__aenter__()
            self._cancelling = 1000
            return self

    timeout = rewired(miniloop.timeout, Timeout=Greedy)


class TimeoutStays(BrokenLoop):
    """Leaving a timeout() block cancels its timer."""

    class Staying(Timeout):  # type: ignore[misc]
        async def __aexit__(self, *error: Any) -> None:
            self._timeout_handler = None
            await super().__aexit__(*error)

        def _on_timeout(self) -> None:
            if not self.expired():
                self._task.cancel()

    timeout = rewired(miniloop.timeout, Timeout=Staying)


class SiblingsLive(BrokenLoop):
    """When a task of a TaskGroup fails, the group cancels the other tasks."""

    class TaskGroup(miniloop.TaskGroup):
        def _abort(self) -> None:
            self._aborting = True


class GroupLeavesEarly(BrokenLoop):
    """A TaskGroup that fails waits until all its tasks have ended."""

    class TaskGroup(miniloop.TaskGroup):
        def _abort(self) -> None:
            super()._abort()
            self._tasks.clear()
