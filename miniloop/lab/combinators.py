"""Combinators: sleep, gather, wait, wait_for, as_completed, shield, timeout, TaskGroup."""

# ruff: noqa: D101, D102, D106

from __future__ import annotations

from typing import Any

import miniloop
from miniloop.core.combinators import _AsCompletedIterator, _GatheringFuture
from miniloop.core.timeouts import Timeout

from .broken import BrokenLoop, rewired


class SleepZeroReturns(BrokenLoop, rule="sleep-zero"):
    @staticmethod
    async def sleep(delay: float, result: Any = None) -> Any:
        return result if delay <= 0 else await miniloop.sleep(delay, result)


class SleepLeavesTimer(BrokenLoop, rule="cancelled-sleep"):
    @staticmethod
    async def sleep(delay: float, result: Any = None) -> Any:
        if delay > 0:
            future = miniloop.get_running_loop().create_future()
            miniloop.get_running_loop().call_later(delay, lambda: future.cancel() or future)
        return await miniloop.sleep(delay, result)


class GatherTooSoon(BrokenLoop, rule="gather-two-ticks"):
    class Prompt(_GatheringFuture):
        def _schedule_waiting(self) -> None:
            waiting, self._waiting = self._all_waiting(), None
            for entry in waiting:
                entry._args = (self,)  # type: ignore[union-attr]
                entry._run()

    gather = rewired(miniloop.gather, _GatheringFuture=Prompt)


class GatherInReverse(BrokenLoop, rule="gather-results"):
    class Reversing(_GatheringFuture):
        def set_result(self, result: list[Any]) -> None:
            super().set_result(result[::-1])

    gather = rewired(miniloop.gather, _GatheringFuture=Reversing)


class GatherCancelsSiblings(BrokenLoop, rule="gather-siblings"):
    @staticmethod
    def gather(*children: Any, **options: Any) -> Any:
        outer = miniloop.gather(*children, **options)

        def cancel_siblings(outer: Any) -> None:
            if not outer.cancelled() and outer.exception():
                for child in outer._children:
                    child.cancel()

        outer.add_done_callback(cancel_siblings)
        return outer


class GatherAbandons(BrokenLoop, rule="gather-cancels-children"):
    class Careless(_GatheringFuture):
        def cancel(self, msg: Any = None) -> bool:
            return miniloop.Future.cancel(self, msg)

    gather = rewired(miniloop.gather, _GatheringFuture=Careless)


class FirstCompletedLate(BrokenLoop, rule="wait-two-ticks"):
    @staticmethod
    async def wait(fs: Any, *, timeout: Any = None, return_when: str = "ALL_COMPLETED") -> Any:
        result = await miniloop.wait(fs, timeout=timeout, return_when=return_when)
        if return_when == miniloop.FIRST_COMPLETED:
            await miniloop.sleep(0)
        return result


class FirstExceptionMissed(BrokenLoop, rule="wait-first-exception"):
    @staticmethod
    async def wait(fs: Any, *, timeout: Any = None, return_when: str = "ALL_COMPLETED") -> Any:
        if return_when == miniloop.FIRST_EXCEPTION:
            return_when = miniloop.ALL_COMPLETED
        return await miniloop.wait(fs, timeout=timeout, return_when=return_when)


class WaitCancels(BrokenLoop, rule="wait-cancels-nothing"):
    @staticmethod
    async def wait(fs: Any, *, timeout: Any = None, return_when: str = "ALL_COMPLETED") -> Any:
        done, pending = await miniloop.wait(fs, timeout=timeout, return_when=return_when)
        for future in pending if timeout is not None else ():
            future.cancel()
        return done, pending


class WaitForNewTask(BrokenLoop, rule="wait-for-same-task"):
    @staticmethod
    async def wait_for(fut: Any, timeout: Any) -> Any:
        return await miniloop.wait_for(miniloop.ensure_future(fut), timeout)


class WaitForLeavesEarly(BrokenLoop, rule="wait-for-waits"):
    class Hasty(Timeout):  # type: ignore[misc]
        def _on_timeout(self) -> None:
            task, awaited = self._task, self._task._fut_waiter
            super()._on_timeout()
            if isinstance(awaited, miniloop.Task) and not awaited.done():
                awaited.remove_done_callback(task._wakeup)
                awaited._waiting = [one for one in awaited._all_waiting() if one is not task]
                task._fut_waiter, task._must_cancel = None, True
                task._loop._ready.append(task)

    wait_for = rewired(miniloop.wait_for, timeout_after=rewired(miniloop.timeout, Timeout=Hasty))


class AsCompletedLate(BrokenLoop, rule="as-completed-two-ticks"):
    class Iterator(_AsCompletedIterator[Any]):
        async def _wait_for_one(self, resolve: bool = False) -> Any:
            one = await super()._wait_for_one(resolve)  # type: ignore[call-overload]
            await miniloop.sleep(0)
            return one

    as_completed = rewired(miniloop.as_completed, _AsCompletedIterator=Iterator)


class LeakyShield(BrokenLoop, rule="shield-keeps-inner"):
    @staticmethod
    def shield(arg: Any) -> Any:
        inner = miniloop.ensure_future(arg)
        outer = miniloop.shield(inner)
        outer.add_done_callback(lambda outer: outer.cancelled() and inner.cancel())
        return outer


class GreedyTimeout(BrokenLoop, rule="timeout-own-cancel"):
    class Greedy(Timeout):  # type: ignore[misc]
        async def __aenter__(self) -> Timeout:
            await super().__aenter__()
            self._cancelling = 1000
            return self

    timeout = rewired(miniloop.timeout, Timeout=Greedy)


class TimeoutStays(BrokenLoop, rule="timeout-left"):
    class Staying(Timeout):  # type: ignore[misc]
        async def __aexit__(self, *error: Any) -> None:
            self._timeout_handler = None
            await super().__aexit__(*error)

        def _on_timeout(self) -> None:
            if not self.expired():
                self._task.cancel()

    timeout = rewired(miniloop.timeout, Timeout=Staying)


class SiblingsLive(BrokenLoop, rule="group-cancels"):
    class TaskGroup(miniloop.TaskGroup):
        def _abort(self) -> None:
            self._aborting = True


class GroupLeavesEarly(BrokenLoop, rule="group-waits"):
    class TaskGroup(miniloop.TaskGroup):
        def _abort(self) -> None:
            super()._abort()
            self._tasks.clear()


class GroupCancelsLate(BrokenLoop, rule="group-hears-later"):
    class TaskGroup(miniloop.TaskGroup):
        def _abort(self) -> None:
            self._aborting = True
            self._loop.call_soon(super()._abort)
