"""Threads on virtual time: what they do is recorded in the same order on every loop.

Real threads race, and no schedule with a race in it can be compared to the tick. So a thread of a
recorded program runs only while the loop stands in `select()` with nothing to do, and one at a
time: each begins, and goes on from each `time.sleep`, when it is let go. Sleeping costs it virtual
time only.

What a thread does besides sleeping (computing, reading a file, waiting for a lock) cannot be
foreseen. While one is at work like that the loop waits for it really, and virtual time does not
jump.
"""

from __future__ import annotations

import concurrent.futures.thread
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from .clock import VirtualClock

PATIENCE = 0.02
"""Real seconds after which a thread looks whether the main thread is blocked, and not in
`select()`."""

BLOCKED = 0.1
"""Real seconds of hardly any work after which a thread at work counts as blocked."""

_pools: Any = concurrent.futures.thread
_queues: Any = _pools._threads_queues
_worker: Any = _pools._worker
_work_item: Any = _pools._WorkItem


class Threads:
    """The threads of this process other than the main one, on a virtual clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.selecting = False
        """Whether the main thread is in `select()` with nothing to do."""
        self.ever_at_work = False
        self._window = (0.0, 0.0)
        self._lock = threading.Lock()
        self._asleep: list[tuple[float, int, threading.Event, int]] = []
        self._serial = itertools.count()
        self._in_job: set[int] = set()  # workers of a pool that do one of its jobs
        self._queued = 0  # jobs that no worker has taken yet
        self._main = threading.main_thread()
        self._may_enter = threading.Lock()
        self._ours = {thread.ident for thread in threading.enumerate()}

    def install(self) -> None:
        """Have threads and jobs of pools begin when they are let go."""
        threads = self
        run_thread, make_item, run_item = (
            threading.Thread.run,
            _work_item.__init__,
            _work_item.run,
        )

        def run(thread: threading.Thread) -> None:
            if getattr(thread, "_target", None) is not _worker:
                threads.sleep(0)
            run_thread(thread)

        def init(item: Any, *args: Any) -> None:
            make_item(item, *args)
            with threads._lock:
                threads._queued += 1

        def run_job(item: Any) -> None:
            me = threading.get_ident()
            with threads._lock:
                threads._queued -= 1
                threads._in_job.add(me)
            threads.sleep(0)
            try:
                run_item(item)
            finally:
                threads._in_job.discard(me)

        threading.Thread.run = run  # type: ignore[method-assign, assignment]
        _work_item.__init__ = init
        _work_item.run = run_job

    def sleep(self, seconds: float) -> None:
        """Stand-in for `time.sleep`."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if threading.current_thread() is self._main:
            self.clock.sleep(seconds)
            return
        turn = threading.Event()
        with self._lock:
            entry = (self.clock.now + seconds, next(self._serial), turn, threading.get_ident())
            heapq.heappush(self._asleep, entry)
        used = self._used_by_main()
        while not turn.wait(PATIENCE):
            # The main thread may wait for this one elsewhere: in `join()`, for a lock, for a
            # result.
            before, used = used, self._used_by_main()
            if not self.selecting and used - before < 1e-4 and self._asleep[0] is entry:
                self.let_go()

    def _used_by_main(self) -> float:
        """Processor time of the main thread: it stands still where that thread is blocked."""
        assert self._main.ident is not None
        return time.clock_gettime(time.pthread_getcpuclockid(self._main.ident))

    def enter(self, call: Callable[[], Any]) -> Any:
        """Make a call into the loop from a thread, when the loop stands in `select()`."""
        with self._may_enter:
            deadline = time.clock_gettime(time.CLOCK_MONOTONIC) + PATIENCE
            while not self.selecting and time.clock_gettime(time.CLOCK_MONOTONIC) < deadline:
                _real_sleep(1e-4)
            result = call()
            self.selecting = False  # whoever comes next waits until the loop has dealt with this
            return result

    def earliest(self) -> float | None:
        """When the first of the sleeping threads wants to wake."""
        with self._lock:
            return self._asleep[0][0] if self._asleep else None

    def let_go(self) -> None:
        """Wake the first of the sleeping threads, at its time."""
        with self._lock:
            when, _, turn, _ = heapq.heappop(self._asleep)
            self.clock.now = max(self.clock.now, when)
            turn.set()

    def at_work(self) -> bool:
        """Whether a thread does something that takes real time."""
        with self._lock:
            asleep = {entry[3] for entry in self._asleep}
        for thread in threading.enumerate():
            if thread.ident in self._ours or thread.ident in asleep:
                continue
            if getattr(thread, "_target", None) is _worker and self._is_idle(thread):
                continue
            self.ever_at_work = True
            return True
        return False

    def blocked(self) -> bool:
        """Whether those at work have left the processor alone for a while.

        Then they may be waiting for one that sleeps. To be asked by the main thread.
        """
        now = time.clock_gettime(time.CLOCK_MONOTONIC)
        used = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
        used -= time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)
        began, before = self._window
        if now - began < BLOCKED:
            return False
        self._window = now, used
        return now - began < 2 * BLOCKED and used - before < BLOCKED / 10

    def _is_idle(self, worker: threading.Thread) -> bool:
        """Whether a worker of a pool waits for a job."""
        if worker.ident in self._in_job:
            return False
        queues = {id(queue): queue for queue in list(_queues.values())}
        waiting = sum(queue.qsize() for queue in queues.values())
        mine = _queues.get(worker)
        # Jobs that are in no queue any more and not begun yet have just been taken by some worker.
        return mine is not None and mine.empty() and waiting >= self._queued


_real_sleep = time.sleep
