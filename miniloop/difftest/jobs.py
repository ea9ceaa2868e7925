"""Jobs of executors in a test: when they are done is no matter of chance.

Real threads race, and no schedule with a race in it can be compared to the tick. `trace.threads`
does more of this, for all threads of a process that has nothing else to do.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PATIENCE = 0.5
"""Real seconds that a loop waits for a job."""
SLICE = 0.002
"""Real seconds between two looks at what threads do."""


class Jobs:
    """What executors do in threads: a job at a time, each while the loop has nothing to do."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[threading.Event, threading.Event]] = deque()
        self.begun: list[threading.Event] = []
        """Jobs that took long, and had not ended when last looked at."""

    def gated(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, that waits until it is its turn."""
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
        """Let the next job begin, if there is one, and wait for it for a while."""
        if not self._waiting:
            return False
        gate, done = self._waiting.popleft()
        gate.set()
        if not done.wait(PATIENCE):  # it may wait for something that the loop does
            self.begun.append(done)
        return True

    def begin_one(self) -> None:
        """Let the next job begin, if there is one."""
        if self._waiting:
            self._waiting.popleft()[0].set()

    def let_all_go(self) -> None:
        """Nobody asks any more when they end."""
        while self._waiting:
            self._waiting.popleft()[0].set()

    def at_work(self) -> bool:
        """Whether one of them has still not ended."""
        self.begun = [done for done in self.begun if not done.is_set()]
        return bool(self.begun)


def with_jobs_in_turn(loop_class: Any, jobs: Jobs, real_time: bool = False) -> Any:
    """A loop of asyncio's kind whose threads take turns."""

    class Loop(loop_class):  # type: ignore[misc]
        def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
            used = executor or getattr(self, "_default_executor", None)
            if used is None or isinstance(used, ThreadPoolExecutor):
                func = jobs.gated(func)
                if real_time:  # no selector tells when the loop has nothing to do
                    self.call_later(SLICE, jobs.begin_one)
            return super().run_in_executor(executor, func, *args)

        async def shutdown_default_executor(self, timeout: float | None = None) -> None:
            # asyncio's has a thread wait for the others, which races with the loop.
            jobs.let_all_go()
            executor = getattr(self, "_default_executor", None)
            if executor is not None:
                executor.shutdown()

    return Loop
