"""Faults of what waits: sleep, gather, wait, wait_for, shield, as_completed, timeout, TaskGroup."""
# ruff: noqa: D101, D102, D103, N801 - the decorator says what each one is and is for

from __future__ import annotations

from typing import Any

import miniloop
from miniloop.combinators import _GatheringFuture

from .fault import broken


@broken("sleep(0) yields.", "sleep")
async def sleep_zero_stays(delay: float, result: Any = None) -> Any:
    return result if delay <= 0 else await miniloop.sleep(delay, result)


@broken("sleep(0) yields once.", "sleep")
async def sleep_zero_yields_twice(delay: float, result: Any = None) -> Any:
    await miniloop.sleep(0)
    return await miniloop.sleep(delay, result)


@broken("A sleep that is cancelled takes its timer along.", "sleep")
async def sleep_leaves_its_timer(delay: float, result: Any = None) -> Any:
    if delay > 0:
        miniloop.get_running_loop().call_later(delay, int)
    return await miniloop.sleep(delay, result)


class EarlyGathering(_GatheringFuture):
    def _schedule_waiting(self) -> None:
        waiting, self._waiting = self._all_waiting(), None
        for entry in waiting:
            if isinstance(entry, miniloop.Handle):
                entry._args = (self,)
            entry._run()


@broken("gather wakes its waiter two ticks after the last child ends.", "gather")
def gather_a_tick_early(*awaitables: Any, **options: Any) -> Any:
    return as_class(EarlyGathering, miniloop.gather(*awaitables, **options))


class CancellingGathering(_GatheringFuture):
    def set_exception(self, exception: Any) -> None:
        super().set_exception(exception)
        for child in self._children:
            child.cancel()


@broken("gather's other children go on after a failure.", "gather")
def gather_cancels_siblings(*awaitables: Any, **options: Any) -> Any:
    return as_class(CancellingGathering, miniloop.gather(*awaitables, **options))


class ReversedGathering(_GatheringFuture):
    def set_result(self, result: list[Any]) -> None:
        super().set_result(result[::-1])


@broken("gather's results come in the order of its arguments.", "gather")
def gather_in_reverse(*awaitables: Any, **options: Any) -> Any:
    return as_class(ReversedGathering, miniloop.gather(*awaitables, **options))


class DeafGathering(_GatheringFuture):
    def cancel(self, msg: Any = None) -> bool:
        return miniloop.Future.cancel(self, msg)


@broken("Cancelling a gather cancels its children, which end it.", "gather")
def gather_leaves_children(*awaitables: Any, **options: Any) -> Any:
    return as_class(DeafGathering, miniloop.gather(*awaitables, **options))


def as_class(gathering: Any, future: Any) -> Any:
    gathering.__name__ = "_GatheringFuture"
    if isinstance(future, _GatheringFuture) and not future.done():
        future.__class__ = gathering
    return future


@broken("A cancelled shield leaves what it shields alone.", "shield")
def shield_is_thin(awaitable: Any) -> Any:
    return miniloop.ensure_future(awaitable)


@broken("wait looks at its condition; FIRST_COMPLETED ends it with the first.", "wait")
async def wait_for_all(fs: Any, *, timeout: Any = None, return_when: str = "") -> Any:
    return await miniloop.wait(fs, timeout=timeout)


@broken("FIRST_EXCEPTION ends a wait with the first failure.", "wait")
async def wait_misses_exceptions(fs: Any, *, timeout: Any = None, return_when: str = "") -> Any:
    if return_when == "FIRST_EXCEPTION":
        return_when = "ALL_COMPLETED"
    return await miniloop.wait(fs, timeout=timeout, return_when=return_when)


@broken("wait cancels nothing when its time is up.", "wait")
async def wait_cancels(fs: Any, **options: Any) -> Any:
    done, pending = await miniloop.wait(fs, **options)
    for future in pending:
        future.cancel()
    return done, pending


@broken("wait_for of a coroutine runs it in the caller's task.", "wait_for")
async def wait_for_in_a_new_task(awaitable: Any, timeout: Any) -> Any:
    return await miniloop.wait_for(miniloop.ensure_future(awaitable), timeout)


@broken("wait_for(x, 0) takes a result that is there.", "wait_for")
async def wait_for_zero_gives_up(awaitable: Any, timeout: Any) -> Any:
    if timeout is not None and timeout <= 0:
        miniloop.ensure_future(awaitable).cancel()
        raise TimeoutError
    return await miniloop.wait_for(awaitable, timeout)


@broken("as_completed yields in the order of completion.", "as_completed")
def as_completed_in_order(fs: Any, *, timeout: Any = None) -> Any:
    return iter([miniloop.ensure_future(f) for f in fs])


@broken("A timeout leaves cancellations that are not its own alone.", "timeout")
class timeout_takes_every_cancel(miniloop.Timeout):
    def __init__(self, delay: Any) -> None:
        now = miniloop.get_running_loop().time()
        super().__init__(None if delay is None else now + delay)

    async def __aenter__(self) -> Any:
        await super().__aenter__()
        self._cancelling = 1_000_000
        return self

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        await super().__aexit__(kind, error, traceback)
        if isinstance(error, miniloop.CancelledError):
            raise TimeoutError


@broken("A timeout takes its own cancellation back.", "timeout")
class timeout_leaves_its_cancel(miniloop.Timeout):
    def __init__(self, delay: Any) -> None:
        now = miniloop.get_running_loop().time()
        super().__init__(None if delay is None else now + delay)

    def _on_timeout(self) -> None:
        super()._on_timeout()
        self._task._num_cancels_requested += 1


@broken("A TaskGroup cancels the others when one fails.", "TaskGroup")
class group_does_not_abort(miniloop.TaskGroup):
    def _abort(self) -> None:
        self._aborting = True


@broken("A TaskGroup waits for its tasks.", "TaskGroup")
class group_does_not_wait(miniloop.TaskGroup):
    async def __aexit__(self, *error: Any) -> None:
        tasks, self._tasks = self._tasks, {}
        await super().__aexit__(*error)
        self._tasks = tasks


@broken("A TaskGroup's own cancel of its parent is taken back.", "TaskGroup")
class group_leaves_its_cancel(miniloop.TaskGroup):
    async def __aexit__(self, *error: Any) -> None:
        self._parent_cancel_requested, before = False, self._parent_cancel_requested
        try:
            await super().__aexit__(*error)
        finally:
            self._parent_cancel_requested = before
