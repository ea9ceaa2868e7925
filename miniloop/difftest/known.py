"""Where older Pythons are known to differ, so that random programs need not stumble.

Programs are not kept from using what differs: that would leave out all that it takes part in.
Instead the reference side watches for the very situation in which an older asyncio does something
else, and the comparison ends there: everything up to it is compared. Each watch carries the id of
its entry in `differences.toml`, and a test holds the two together.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ..trace.recorder import Recorder, Steps

Cut = Callable[[str], None]

# What each watch stands for, and the Pythons that need it, as in the register.
WATCHES: dict[str, tuple[str, ...]] = {
    "uncancel-clears-cancel": ("3.11", "3.12"),
    "condition-passes-notify-on": ("3.11", "3.12"),
    "taskgroup-cancels-again": ("3.11", "3.12"),
    "taskgroup-notices-later": ("3.12.0-3.12.8", "3.13.0-3.13.1"),
    "semaphore-wakes-as-many-as-fit": ("3.11", "3.12"),
    "gather-of-done": ("3.11",),
    "wait-for-in-task": ("3.11",),
    "timeout-of-a-cancelled-task": ("3.11.0-3.11.2",),
}


def this_python(versions: Sequence[str]) -> bool:
    """Whether this Python is one of `versions`: 3.12.1 is one of 3.12 and of 3.12.0-3.12.8."""
    for version in versions:
        first, _, last = version.partition("-")
        numbers = tuple(map(int, first.split(".")))
        until = tuple(map(int, last.split("."))) if last else numbers
        if numbers <= sys.version_info[: len(numbers)] <= until:
            return True
    return False


def needed(watch: str) -> bool:
    """Whether this Python's asyncio has the difference."""
    return this_python(WATCHES[watch])


def watches(cut: Cut, task_class: Any, ordered_group: Any) -> dict[str, Any]:
    """Stand-ins for names of the asyncio module that end the comparison where it must end.

    Empty on a Python whose asyncio has the semantics of 3.13, as mended since.
    """
    names: dict[str, Any] = {}
    if needed("uncancel-clears-cancel"):
        names["Task"] = watched_task(cut, task_class)
    if needed("condition-passes-notify-on"):
        names["Condition"] = condition = watched_condition(cut)
        names["Barrier"] = barrier_on(condition)
    if needed("semaphore-wakes-as-many-as-fit"):
        names["Semaphore"] = watched_semaphore(cut, asyncio.Semaphore)
        names["BoundedSemaphore"] = watched_semaphore(cut, asyncio.BoundedSemaphore)
    group = ordered_group
    if needed("taskgroup-cancels-again"):
        names["TaskGroup"] = group = watched_group(cut, group)
    if needed("taskgroup-notices-later"):
        names["TaskGroup"] = group_with_eager_tasks(cut, group)
    if needed("timeout-of-a-cancelled-task"):
        names.update(watched_timeouts(cut))
    if needed("gather-of-done"):
        names["gather"] = watched_gather(cut)
    if needed("wait-for-in-task"):
        names["wait_for"] = watched_wait_for(cut)
    return names


def watched_task(cut: Cut, task_class: Any) -> Any:
    """Tasks that watch for an uncancel() to zero with a cancel not delivered."""

    class Task(task_class):  # type: ignore[misc]
        def uncancel(self) -> Any:
            if self.cancelling() == 1 and self._must_cancel:
                cut("uncancel-clears-cancel")
            return super().uncancel()

    return Task


def watched_condition(cut: Cut) -> Any:
    """Conditions that watch for an error out of wait()."""

    class Condition(asyncio.Condition):
        async def wait(self) -> Any:
            try:
                return await super().wait()
            except BaseException:
                cut("condition-passes-notify-on")
                raise

    return Condition


def watched_semaphore(cut: Cut, semaphore_class: Any) -> Any:
    """Semaphores that watch for room that is left while others still wait."""

    class Semaphore(semaphore_class):  # type: ignore[misc]
        async def acquire(self) -> Any:
            try:
                return await super().acquire()
            finally:
                if self._value > 0 and not all(w.done() for w in self._waiters or ()):
                    cut("semaphore-wakes-as-many-as-fit")

    return Semaphore


def barrier_on(condition: Any) -> Any:
    """Barriers that use such a condition."""

    class Barrier(asyncio.Barrier):
        def __init__(self, parties: int) -> None:
            super().__init__(parties)
            self._cond = condition()

    return Barrier


def watched_group(cut: Cut, group_class: Any) -> Any:
    """Task groups that watch for an error together with a cancel from outside."""

    class TaskGroup(group_class):  # type: ignore[misc]
        async def __aexit__(self, *error: Any) -> Any:
            # 3.13 also takes back the group's own cancellation later: after its tasks have ended.
            if self._parent_cancel_requested and self._tasks:
                cut("taskgroup-cancels-again")
            try:
                return await super().__aexit__(*error)
            except BaseExceptionGroup:
                if self._parent_task.cancelling():
                    cut("taskgroup-cancels-again")
                raise

    return TaskGroup


def group_with_eager_tasks(cut: Cut, group_class: Any) -> Any:
    """Task groups that watch for a task that is done when it has been made."""

    class TaskGroup(group_class):  # type: ignore[misc]
        _making = 0

        def create_task(self, *args: Any, **keywords: Any) -> Any:
            self._making += 1
            try:
                return super().create_task(*args, **keywords)
            finally:
                self._making -= 1

        def _on_task_done(self, task: Any) -> None:
            if self._making:
                cut("taskgroup-notices-later")
            super()._on_task_done(task)

    return TaskGroup


def watched_timeouts(cut: Cut) -> dict[str, Any]:
    """`timeout` and `timeout_at` that watch for one that ends in a task cancelled before."""

    class Timeout(asyncio.Timeout):  # type: ignore[misc]
        async def __aenter__(self) -> Any:
            await super().__aenter__()
            self._cancelled_before = self._task.cancelling()  # type: ignore[attr-defined]
            return self

        async def __aexit__(self, *error: Any) -> Any:
            if self._cancelled_before and self.expired():
                cut("timeout-of-a-cancelled-task")
            return await super().__aexit__(*error)

    def timeout(delay: Any) -> Any:
        return Timeout(None if delay is None else asyncio.get_running_loop().time() + delay)

    return {"Timeout": Timeout, "timeout": timeout, "timeout_at": Timeout}


def watched_gather(cut: Cut) -> Any:
    """A gather that watches for children that are done already."""

    def gather(*awaitables: Any, return_exceptions: bool = False) -> Any:
        outer: Any = asyncio.gather(*awaitables, return_exceptions=return_exceptions)
        children = getattr(outer, "_children", ())
        if any(child.done() for child in children):
            cut("gather-of-done")
        return outer

    return gather


def watched_wait_for(cut: Cut) -> Any:
    """A wait_for that watches for a timeout to wait for."""

    async def wait_for(awaitable: Any, timeout: Any) -> Any:
        if timeout is not None and timeout > 0:
            cut("wait-for-in-task")
        return await asyncio.wait_for(awaitable, timeout)

    return wait_for


class StepsOfPythonTask(Steps):
    """For asyncio's Python tasks, which are not quite what its C tasks are.

    A task that awaits itself gets a RuntimeError from both. But Python tasks forget to take back a
    flag then, and who awaits that task later waits for it, where C tasks (and miniloop's) raise
    again.
    """

    __slots__ = ()

    def send(self, value: Any) -> Any:  # noqa: D102
        return self._watch(super().send(value))

    def throw(self, *error: Any) -> Any:  # noqa: D102
        return self._watch(super().throw(*error))

    def _watch(self, yielded: Any) -> Any:
        if yielded is self.task() and yielded is not None:
            recorder: Recorder = self._recorder
            recorder.stop("a Python task that awaits itself")
        return yielded
