"""Tasks: steps, contexts, cancelling."""

# ruff: noqa: D101, D102, D106

from __future__ import annotations

import itertools
from contextvars import Context
from typing import Any

import miniloop
from miniloop.core.futures import _CANCELLED, _FINISHED
from miniloop.core.loop import BaseEventLoop
from miniloop.details.current import _unregister_task

from .broken import BrokenLoop, rewired


class EagerByDefault(BrokenLoop, rule="first-step-next-tick"):
    class Task(miniloop.Task[Any]):
        def _init_task(
            self,
            coro: Any,
            loop: Any,
            name: Any = None,
            context: Any = None,
            eager_start: bool = False,
        ) -> None:
            super()._init_task(coro, loop, name, context, True)


class LazyEager(BrokenLoop, rule="eager-first-step"):
    class Task(miniloop.Task[Any]):
        def _init_task(
            self,
            coro: Any,
            loop: Any,
            name: Any = None,
            context: Any = None,
            eager_start: bool = False,
        ) -> None:
            super()._init_task(coro, loop, name, context, False)


class SharedContext(BrokenLoop, rule="context-is-copied"):
    class Task(miniloop.Task[Any]):
        def _init_task(
            self,
            coro: Any,
            loop: Any,
            name: Any = None,
            context: Any = None,
            eager_start: bool = False,
        ) -> None:
            maker = miniloop.current_task(loop)
            if context is None and maker is not None:
                context = maker.get_context()
            super()._init_task(coro, loop, name, context, eager_start)


class EmptyContext(BrokenLoop, rule="context-of-the-maker"):
    class Task(miniloop.Task[Any]):
        def _init_task(
            self,
            coro: Any,
            loop: Any,
            name: Any = None,
            context: Any = None,
            eager_start: bool = False,
        ) -> None:
            super()._init_task(coro, loop, name, context or Context(), eager_start)


class RunsInsideRuns(BrokenLoop, rule="run-to-await"):
    class EventLoop(miniloop.EventLoop):
        def run_until_complete(self, future: Any) -> Any:
            if not self.is_running():
                return super().run_until_complete(future)
            future = miniloop.ensure_future(future, loop=self)
            task, self._current_task = self._current_task, None
            while not future.done():
                self._run_once()
            self._current_task = task
            return future.result()

        def _run_once(self) -> None:
            rewired(BaseEventLoop._run_once, range=self._while_ready)(self)

        def _while_ready(self, count: int) -> Any:
            return itertools.takewhile(lambda _: self._ready, range(count))


class UnlistedTasks(BrokenLoop, rule="run-cancels-the-rest"):
    class Task(miniloop.Task[Any]):
        def _run(self, exc: BaseException | None = None) -> None:
            super()._run(exc)
            _unregister_task(self)  # so all_tasks(), which run() asks, does not find it


class InterruptedTasksGoOn(BrokenLoop, rule="interrupts-end-tasks"):
    class Task(miniloop.Task[Any]):
        def _run(self, exc: BaseException | None = None) -> None:
            try:
                super()._run(exc)
            except (KeyboardInterrupt, SystemExit):
                pass


class CancelAtOnce(BrokenLoop, rule="cancel-throws-later"):
    class Task(miniloop.Task[Any]):
        def cancel(self, msg: Any = None) -> bool:
            waiter = self._fut_waiter
            cancelled = super().cancel(msg)
            if waiter is not None and waiter.cancelled():
                self._loop._ready.pop()  # our own step, which now comes at once
                current = self._loop._current_task
                self._wakeup(waiter)
                self._loop._current_task = current
            return cancelled


class CancelledAnyway(BrokenLoop, rule="cancel-may-be-caught"):
    class Task(miniloop.Task[Any]):
        def _run(self, exc: BaseException | None = None) -> None:
            super()._run(exc)
            if self._state is _FINISHED and self._exception is None and self.cancelling():
                self._state = _CANCELLED


class CancelGoesNowhere(BrokenLoop, rule="cancel-goes-inward"):
    class Task(miniloop.Task[Any]):
        def cancel(self, msg: Any = None) -> bool:
            awaited, self._fut_waiter = self._fut_waiter, None
            cancelled = super().cancel(msg)
            self._fut_waiter = awaited
            return cancelled


class CancelJumpsTheQueue(BrokenLoop, rule="cancelled-in-line"):
    class Task(miniloop.Task[Any]):
        def cancel(self, msg: Any = None) -> bool:
            before = len(self._loop._ready)
            cancelled = super().cancel(msg)
            self._loop._ready.rotate(len(self._loop._ready) - before)
            return cancelled


class CancelForgotten(BrokenLoop, rule="cancel-is-kept"):
    class Task(miniloop.Task[Any]):
        def cancel(self, msg: Any = None) -> bool:
            cancelled = super().cancel(msg)
            self._must_cancel = False
            return cancelled


class CancelledButBegun(BrokenLoop, rule="cancelled-never-begins"):
    class Task(miniloop.Task[Any]):
        _begun = False

        def _run(self, exc: BaseException | None = None) -> None:
            must_cancel = self._must_cancel
            if not self._begun:
                self._begun, self._must_cancel = True, False
            super()._run(exc)
            if must_cancel and not self.done():
                self.cancel(self._cancel_message)


class ResultBeatsCancel(BrokenLoop, rule="cancel-beats-result"):
    class Task(miniloop.Task[Any]):
        def cancel(self, msg: Any = None) -> bool:
            waiter = self._fut_waiter
            return not (waiter is not None and waiter.done()) and super().cancel(msg)


class MessageLost(BrokenLoop, rule="cancel-message"):
    class Task(miniloop.Task[Any]):
        def cancel(self, msg: Any = None) -> bool:
            return super().cancel()


class UncancelLost(BrokenLoop, rule="uncancel-takes-back"):
    class Task(miniloop.Task[Any]):
        def uncancel(self) -> int:
            return self.cancelling()


class UncancelTooLate(BrokenLoop, rule="uncancel-drops-error"):
    class Task(miniloop.Task[Any]):
        def uncancel(self) -> int:
            must_cancel = self._must_cancel
            left = super().uncancel()
            self._must_cancel = must_cancel
            return left
