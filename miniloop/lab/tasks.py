"""Tasks: steps, contexts, cancelling."""

# ruff: noqa: D102, D106

from __future__ import annotations

from contextvars import Context
from typing import Any

import miniloop

from .broken import BrokenLoop


class EagerByDefault(BrokenLoop):
    """create_task() only schedules the task: its first step comes in the next tick."""

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


class LazyEager(BrokenLoop):
    """An eager task takes its first step inside create_task()."""

    since = (3, 12)

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


class SharedContext(BrokenLoop):
    """A task has its own copy of the context: a variable that it sets does not change elsewhere."""

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


class EmptyContext(BrokenLoop):
    """A task sees the context variables of the code that made it."""

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


class InterruptedTasksGoOn(BrokenLoop):
    """KeyboardInterrupt and SystemExit in a task end the task, and then the loop."""

    class Task(miniloop.Task[Any]):
        def _run(self, exc: BaseException | None = None) -> None:
            try:
                super()._run(exc)
            except (KeyboardInterrupt, SystemExit):
                pass


class CancelAtOnce(BrokenLoop):
    """cancel() throws nothing at once: the task's next step throws CancelledError."""

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


class CancelJumpsTheQueue(BrokenLoop):
    """A cancelled task waits for its turn in the ready queue like any other."""

    class Task(miniloop.Task[Any]):
        def cancel(self, msg: Any = None) -> bool:
            before = len(self._loop._ready)
            cancelled = super().cancel(msg)
            self._loop._ready.rotate(len(self._loop._ready) - before)
            return cancelled


class CancelForgotten(BrokenLoop):
    """A task that is cancelled while it waits for nothing gets CancelledError in its next step."""

    class Task(miniloop.Task[Any]):
        def cancel(self, msg: Any = None) -> bool:
            cancelled = super().cancel(msg)
            self._must_cancel = False
            return cancelled


class CancelledButBegun(BrokenLoop):
    """A task that is cancelled before its first step never begins."""

    class Task(miniloop.Task[Any]):
        _begun = False

        def _run(self, exc: BaseException | None = None) -> None:
            must_cancel = self._must_cancel
            if not self._begun:
                self._begun, self._must_cancel = True, False
            super()._run(exc)
            if must_cancel and not self.done():
                self.cancel(self._cancel_message)


class ResultBeatsCancel(BrokenLoop):
    """If a result and then a cancellation arrive in the same tick, the cancellation wins."""

    class Task(miniloop.Task[Any]):
        def cancel(self, msg: Any = None) -> bool:
            waiter = self._fut_waiter
            return not (waiter is not None and waiter.done()) and super().cancel(msg)


class MessageLost(BrokenLoop):
    """The message that cancel() was given arrives with the CancelledError."""

    class Task(miniloop.Task[Any]):
        def cancel(self, msg: Any = None) -> bool:
            return super().cancel()


class UncancelLost(BrokenLoop):
    """uncancel() takes back one request to cancel."""

    class Task(miniloop.Task[Any]):
        def uncancel(self) -> int:
            return self.cancelling()


class UncancelTooLate(BrokenLoop):
    """uncancel() of the last request drops an error that was not delivered yet."""

    since = (3, 13)

    class Task(miniloop.Task[Any]):
        def uncancel(self) -> int:
            must_cancel = self._must_cancel
            left = super().uncancel()
            self._must_cancel = must_cancel
            return left
