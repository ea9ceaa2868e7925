"""Run the jobs of executors one at a time, so that chance does not decide when they end.

Real threads race, and a schedule with a race in it cannot be compared to the tick. `trace.threads`
does the same for all threads of a process that has nothing else to do.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..trace import undefined

PATIENCE = 0.5
"""Real seconds for which a loop waits for a job."""
SLICE = 0.002
"""Real seconds between two looks at the threads."""


class Jobs:
    """The jobs of executors in threads. Each runs alone, while the loop has nothing to do."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[threading.Event, threading.Event]] = deque()
        self.begun: list[threading.Event] = []
        """The jobs that took long, and had not ended at the last look."""

    def gated(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, made to wait until its turn comes."""
        gate, done = threading.Event(), threading.Event()
        self._waiting.append((gate, done))

        def job(*args: Any) -> Any:
            gate.wait()
            try:
                return function(*args)
            finally:
                done.set()

        return job

    def let_one_go(self) -> bool:
        """Let the next job begin, if there is one, and wait for a while until it has ended."""
        if not self._waiting:
            return False
        index = undefined.next_thread(len(self._waiting))
        gate, done = self._waiting[index]
        del self._waiting[index]
        gate.set()
        if not done.wait(PATIENCE):  # the job may wait for something that the loop does
            self.begun.append(done)
        return True

    def are_waiting(self) -> bool:
        """Return whether there is a job that has not begun."""
        return bool(self._waiting)

    def begin_one(self) -> None:
        """Let the next job begin, if there is one."""
        if self._waiting:
            self._waiting.popleft()[0].set()

    def let_all_go(self) -> None:
        """Let all jobs run: the run has ended."""
        while self._waiting:
            self._waiting.popleft()[0].set()

    def at_work(self) -> bool:
        """Return whether one of them has not ended yet."""
        self.begun = [done for done in self.begun if not done.is_set()]
        return bool(self.begun)


def with_jobs_in_turn(loop_class: Any, jobs: Jobs, real_time: bool = False) -> Any:
    """Return a subclass of a loop class whose threads take turns."""

    class Loop(loop_class):  # type: ignore[misc]
        def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
            used = executor or getattr(self, "_default_executor", None)
            if used is None or isinstance(used, ThreadPoolExecutor):
                func = jobs.gated(func)
                if real_time:  # no selector tells when the loop has nothing to do
                    self.call_later(SLICE, jobs.begin_one)
            return super().run_in_executor(executor, func, *args)

        async def shutdown_default_executor(self, timeout: float | None = None) -> None:
            # In asyncio's method a thread waits for the others, and races with the loop.
            jobs.let_all_go()
            executor = getattr(self, "_default_executor", None)
            if executor is not None:
                executor.shutdown()

    return Loop
