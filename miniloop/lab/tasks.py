"""Faults of futures and tasks: callbacks, cancellation, contexts."""
# ruff: noqa: D101, D102, N801 - the decorator says what each class is and is for

from __future__ import annotations

from contextvars import Context
from typing import Any

from miniloop import Future, Handle, Task, current_task

from .fault import FAULTS, Fault, broken


@broken("Done-callbacks run in the order in which they were added.", "future_class")
class callbacks_in_reverse(Future[Any]):
    def _schedule_waiting(self) -> None:
        self._waiting = self._all_waiting()[::-1] or None
        super()._schedule_waiting()


@broken("Done-callbacks run a tick after the future is done.", "future_class")
class callbacks_at_once(Future[Any]):
    def _schedule_waiting(self) -> None:
        waiting, self._waiting = self._all_waiting(), None
        for entry in waiting:
            if isinstance(entry, Handle):
                entry._args = (self,)
            entry._run()


@broken("remove_done_callback takes the callback off as often as it is there.", "future_class")
class removes_one_callback(Future[Any]):
    def remove_done_callback(self, fn: Any) -> int:
        entries = self._all_waiting()
        for entry in entries:
            if isinstance(entry, Handle) and entry._callback == fn:
                self._waiting = [other for other in entries if other is not entry] or None
                return 1
        return 0


@broken("Done-callbacks get a copy of the context in which they were added.", "future_class")
class callback_context_lost(Future[Any]):
    def add_done_callback(self, fn: Any, *, context: Any = None) -> None:
        super().add_done_callback(fn, context=context or Context())


@broken("Awaiting a future that is done does not yield.", "future_class")
class await_always_yields(Future[Any]):
    def __await__(self) -> Any:
        if self.done():
            yield None
        return (yield from super().__await__())

    __iter__ = __await__


@broken("cancel() of what is done returns False.", "future_class")
class cancel_returns_true(Future[Any]):
    def cancel(self, msg: Any = None) -> bool:
        super().cancel(msg)
        return True


@broken("The message of cancel() arrives with the CancelledError.", "task_class")
class cancel_message_lost(Task[Any]):
    def cancel(self, msg: Any = None) -> bool:
        return super().cancel()


@broken("cancel() takes hold at once: the next step gets the error.", "task_class")
class cancel_late(Task[Any]):
    def cancel(self, msg: Any = None) -> bool:
        if self.done():
            return False
        self.get_loop().call_soon(super().cancel, msg)
        return True


@broken("A cancelled task waits for its turn in the ready queue.", "task_class")
class cancel_overtakes(Task[Any]):
    def cancel(self, msg: Any = None) -> bool:
        ready = self.get_loop()._ready
        before = len(ready)
        result = super().cancel(msg)
        if len(ready) > before:
            ready.appendleft(ready.pop())
        return result


@broken("A task cancelled before its first step never runs its body.", "task_class")
class cancel_before_start_forgotten(Task[Any]):
    _steps = 0

    def _run(self, exc: Any = None) -> None:
        self._steps += 1
        if self._steps == 1:
            self._must_cancel = False
        super()._run(exc)


@broken("The result of a future is lost to a task cancelled in the same tick.", "task_class")
class result_beats_cancel(Task[Any]):
    def cancel(self, msg: Any = None) -> bool:
        waiter = self._fut_waiter
        if waiter is not None and waiter.done():
            return True
        return super().cancel(msg)


@broken("uncancel() to zero takes back a cancel that was not delivered.", "task_class")
class uncancel_only_counts(Task[Any]):
    def uncancel(self) -> int:
        must_cancel = self._must_cancel
        left = super().uncancel()
        self._must_cancel = must_cancel
        return left


@broken("Each cancel() counts.", "task_class")
class cancels_counted_once(Task[Any]):
    def cancel(self, msg: Any = None) -> bool:
        result = super().cancel(msg)
        self._num_cancels_requested = min(1, self._num_cancels_requested)
        return result


@broken("A task's context is a copy of its creator's.", "task_class")
class task_context_empty(Task[Any]):
    def __init__(self, coro: Any, *, context: Any = None, **rest: Any) -> None:
        super().__init__(coro, context=context or Context(), **rest)


@broken("A task that cancels itself is cancelled at its next await.", "task_class")
class cannot_cancel_itself(Task[Any]):
    def cancel(self, msg: Any = None) -> bool:
        return False if current_task() is self else super().cancel(msg)


@broken("KeyboardInterrupt and SystemExit leave the loop.", "task_class")
class interrupts_stay_inside(Task[Any]):
    def _run(self, exc: Any = None) -> None:
        try:
            super()._run(exc)
        except (KeyboardInterrupt, SystemExit):
            pass


FAULTS["all-tasks-eager"] = Fault(
    "all-tasks-eager",
    "A task's first step comes in the next tick, unless asked otherwise.",
    task_options={"eager_start": True},
)
