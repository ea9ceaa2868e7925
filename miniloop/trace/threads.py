"""Threads in turns: what they do is recorded in the same order on every loop.

Real threads race, and no schedule with a race in it can be compared to the tick. So the threads of
a recorded program take turns. One runs only while the main thread *lets time pass*: it stands in
`select()` with nothing to do, or in `time.sleep`, `Condition.wait` or `Thread.join`. The thread
runs until it waits itself, and only then does the main thread go on, or give the next one its turn.

A thread waits where this file can see it: before its first line, in `time.sleep`, in `join`, and in
`Condition.wait`. The last is the bottom of every event, semaphore, barrier, queue, pool of threads
and `Future.result()`. So it is known at any moment whether a thread runs, or waits for another one,
or for the clock, and no time passes while one runs. If all wait, the clock jumps.

Two kinds of waiting cannot be seen: for the outside (a socket, a file, a process) and for a bare
lock. The system tells that such a thread stands still. Then time passes really.
"""

from __future__ import annotations

import _thread
import heapq
import itertools
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import undefined
from .alarm import Alarm
from .clock import VirtualClock

# As they are before anything is put in their place.
_allocate_lock = _thread.allocate_lock
_real_sleep = time.sleep
_monotonic = time.monotonic

SLICE = 0.0005
"""Real seconds of one look at what threads and sockets do."""

PATIENCE = 0.02
"""Real seconds between two looks at a thread: if it has stood still meanwhile, it is blocked."""

BLOCKED = 0.1
"""Real seconds after which a thread that stands still counts as waiting for the outside."""

GRACE = 1.0
"""Seconds of computing for which the clock stands still. A thread that goes on for longer may be
waiting, in a busy loop, for time to pass."""

AT_ONCE = -math.inf
"""When a thread wants to go on that waits for nothing but its turn."""


@dataclass(order=True)
class Waiting:
    """A thread that waits: for a time, for another thread, or for its turn."""

    when: float
    """On the virtual clock."""
    round: int
    """How many turns had been given when it began to wait: those of one round are in no order yet,
    since several threads can be woken at once, and the system chooses which is quicker."""
    number: int
    """Threads are numbered in the order in which they are started. This decides then."""
    ident: int = field(compare=False)
    turn: Any = field(compare=False)
    """A lock that is held until the thread may go on."""
    still: Callable[[], bool] | None = field(compare=False)
    """Whether what it waits for has not come yet; None for what only the clock can bring."""
    since: float = field(compare=False, default_factory=_monotonic)
    """In real time."""


class Threads:
    """The threads of this process other than the main one, on a virtual clock."""

    def __init__(self, clock: VirtualClock, real_time: bool = False) -> None:
        self.clock = clock
        self.real_time = real_time
        self.alarm = Alarm(clock)
        self.passing = False
        """Whether the main thread lets time pass."""
        self.longest = math.inf
        """Real seconds for which a thread waits for its turn."""
        self.time_passed = False
        """Whether time ever had to pass really."""
        self._main = threading.main_thread()
        self._lock = _allocate_lock()
        self._waiting: list[Waiting] = []  # a heap
        self._rounds = 0
        self._numbers = itertools.count()
        self._places: dict[int, tuple[str, float, float]] = {}  # where, since when, last seen
        self._blocked: list[int | None] = []
        self._long: set[int] = set()  # those that have used up their GRACE
        self._ours = {thread.ident for thread in threading.enumerate()}
        self._alive: list[threading.Thread] = []  # of those that have been started

    # -- what is put in place of Python's own ----------------------------------------------------

    def install(self) -> None:
        """Make threads wait for their turn wherever they begin, sleep or wait for another one."""
        threads = self
        start, join = threading.Thread.start, threading.Thread.join

        def start_in_turn(thread: threading.Thread) -> None:
            run = thread.run

            def run_in_turn() -> None:
                del vars(thread)["run"]
                threads.park()
                run()

            threads._number(thread)
            vars(thread)["run"] = run_in_turn
            try:
                start(thread)
            except BaseException:
                vars(thread).pop("run", None)
                raise
            with threads._lock:
                threads._alive.append(thread)

        def join_in_turn(thread: threading.Thread, timeout: float | None = None) -> None:
            if thread is not threading.current_thread() and thread.is_alive():
                threads._join(thread, timeout, join)
            join(thread, timeout if timeout is None else 0)

        def wait(condition: Any, timeout: float | None = None) -> bool:
            if not condition._is_owned():
                raise RuntimeError("cannot wait on un-acquired lock")
            waiters, turn = condition._waiters, _allocate_lock()
            turn.acquire()
            waiters.append(turn)
            state = condition._release_save()
            woken = False
            try:
                woken = threads._wait(turn, lambda: turn in waiters, timeout)
                return woken
            finally:
                condition._acquire_restore(state)
                if not woken and turn in waiters:
                    waiters.remove(turn)

        threading.Thread.start = start_in_turn  # type: ignore[method-assign, assignment]
        threading.Thread.join = join_in_turn  # type: ignore[method-assign, assignment]
        threading.Condition.wait = wait  # type: ignore[method-assign, assignment]
        queue.SimpleQueue = queue._PySimpleQueue  # type: ignore[attr-defined, misc]
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def sleep(self, seconds: float) -> None:
        """Wait in virtual time, in place of `time.sleep`."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if not self._in_main():
            self.park(self.clock.now + seconds)
        elif threading.active_count() == 1 and self.alarm.pending() is None:
            self.clock.sleep(seconds)
        else:
            self.pass_time(self.clock.now + seconds, _sleep_through)

    def _join(self, thread: threading.Thread, timeout: float | None, join: Any) -> None:
        seconds = None if timeout is None else max(timeout, 0.0)
        if self._in_main():

            def ended(patience: float) -> bool:
                join(thread, patience)
                return not thread.is_alive()

            self.pass_time(self._deadline(seconds), ended)
            return
        turn = _allocate_lock()
        turn.acquire()
        self._wait_for_thread(self._enter(self._deadline(seconds), turn, thread.is_alive))

    def _wait(self, turn: Any, still: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until another thread releases `turn`; False if time runs out."""
        if timeout is not None and timeout <= 0:
            return turn.acquire(False)  # type: ignore[no-any-return]
        deadline = self._deadline(timeout)
        if self._in_main():
            come = self.pass_time(
                deadline, lambda patience: turn.acquire(patience > 0, patience or -1)
            )
            return bool(come)
        return self._wait_for_thread(self._enter(deadline, turn, still))

    def _deadline(self, timeout: float | None) -> float | None:
        return None if timeout is None else self.clock.now + timeout

    def _in_main(self) -> bool:
        return threading.current_thread() is self._main

    def _number(self, thread: Any) -> int:
        number: int | None = vars(thread).get("_miniloop_number")
        if number is None:
            number = thread._miniloop_number = next(self._numbers)
        return number

    def _forget(self) -> None:
        """Start anew in a forked child, where there is one thread."""
        self._main = threading.main_thread()
        self._lock = _allocate_lock()
        self._waiting = []
        self._alive = []
        self.passing = False

    # -- threads other than the main one -------------------------------------------------------

    def park(self, when: float = AT_ONCE) -> None:
        """Wait until it is this thread's turn, not before the time `when`."""
        turn = _allocate_lock()
        turn.acquire()
        entry = self._enter(when, turn, None)
        place = ""
        while not turn.acquire(timeout=PATIENCE):
            place = self._take_turn(entry, place)

    def _enter(self, when: float | None, turn: Any, still: Callable[[], bool] | None) -> Waiting:
        me = threading.current_thread()
        with self._lock:
            ident = _thread.get_ident()
            self._long.discard(ident)
            entry = Waiting(
                math.inf if when is None else when,
                self._rounds,
                self._number(me),
                ident,
                turn,
                still,
            )
            heapq.heappush(self._waiting, entry)
        return entry

    def _wait_for_thread(self, entry: Waiting) -> bool:
        """Wait for what another thread does; False if time runs out. It is our turn then."""
        still, place = entry.still, ""
        assert still is not None
        # The end of a thread releases no lock of ours, so it is asked for.
        while still() and not entry.turn.acquire(timeout=PATIENCE):
            if entry.when < math.inf:
                place = self._take_turn(entry, place)
        with self._lock:
            others = [one for one in self._waiting if one is not entry]
            woken = len(others) < len(self._waiting) or not still()  # else its time has come
            self._waiting = others
            heapq.heapify(others)
        if woken:
            self.park()
        return woken

    def _take_turn(self, entry: Waiting, place: str) -> str:
        """Take the turn if the main thread is blocked and cannot give it.

        It may wait where this file cannot see it: for a lock, or for the end of a process.
        """
        now = where(self._main)
        blocked = bool(now) and now == place and not self.passing
        if (
            (blocked or _monotonic() - entry.since > self.longest)
            and self._waiting[:1] == [entry]
            and not self.running()
        ):
            self.give_turn()
        return now

    def call_in_turn(self, call: Callable[[], Any]) -> Any:
        """Make a call into the loop from a thread while the main thread lets time pass."""
        # Otherwise this thread is one of those that no longer take turns.
        place, began = "", _monotonic()
        while not self.passing and _monotonic() - began < self.longest:
            before, place = place, where(self._main)
            if place and place == before:
                break
            _real_sleep(PATIENCE)
        return call()

    # -- the main thread -----------------------------------------------------------------------

    def pass_time(
        self,
        deadline: float | None,
        ready: Callable[[float], Any],
        outside: Callable[[], bool] = bool,
        stuck: Callable[[], None] | None = None,
    ) -> Any:
        """Let other threads run, and the clock move, until `ready` returns something true.

        `ready` gets the real seconds for which it may wait. None is returned if the virtual time
        `deadline` comes first. `outside` says whether something outside this process may make it
        ready, which takes real time. `stuck` is called if nothing can.
        """
        clock = self.clock
        began, used = _monotonic(), used_by_others()
        self.passing = True
        try:
            while True:
                if running := self.running():
                    if used_by_others() - used > GRACE:
                        self._long.update(running)
                    _real_sleep(SLICE)
                    continue
                others = outside()
                wake, alarm = self.earliest(), self.alarm.pending()
                event = min((at for at in (alarm, wake, deadline) if at is not None), default=None)
                # A thread that stands still may wait for one that sleeps, for a lock that it holds.
                jump = event == wake and bool(self._blocked) and not (others or self.real_time)
                wanted = others or bool(self._blocked)
                really = wanted or self.real_time
                # Not before it is known that no thread runs: it may have been the last thing that
                # one did.
                found = ready(SLICE if really or event is None else 0)
                now = clock.now if self.real_time else clock.now + _monotonic() - began
                if found:
                    if others:
                        clock.move(now)
                    return found
                if event is None:
                    if not wanted and stuck is not None:
                        stuck()
                elif really and not jump and now < event:
                    self.time_passed |= bool(self._blocked)
                elif event in (alarm, wake):
                    if event == alarm:
                        self.alarm.ring()
                    else:
                        self.give_turn()
                    began, used = _monotonic(), used_by_others()
                else:
                    clock.move(event)
                    return None
        finally:
            self.passing = False

    def give_turn(self) -> None:
        """Let the first of the waiting threads go on, at its time."""
        with self._lock:
            if not self._waiting or self._waiting[0].when == math.inf:
                return
            now = self._waiting[0].when
            first = sorted(one for one in self._waiting if one.when == now)[
                undefined.next_thread(sum(one.when == now for one in self._waiting))
            ]
            self._waiting.remove(first)
            heapq.heapify(self._waiting)
            self._rounds += 1
            self.clock.move(first.when)
            try:
                first.turn.release()
            except RuntimeError:
                pass  # what it waits for has come in this moment

    def give_turn_in_passing(self) -> None:
        """Let one thread have its turn although the main thread has more to do."""
        if self.earliest() is not None:
            self.give_turn()
            self.pass_time(self.clock.now, bool)

    def earliest(self) -> float | None:
        """Return when the first of the waiting threads wants to go on, if time can bring that."""
        with self._lock:
            if not self._waiting or self._waiting[0].when == math.inf:
                return None
            return self._waiting[0].when

    def has_ready(self) -> bool:
        """Return whether a thread waits for nothing but its turn."""
        earliest = self.earliest()
        return earliest is not None and earliest <= self.clock.now

    def running(self) -> list[int]:
        """Return the threads that run: they neither wait nor stand still."""
        with self._lock:
            waiting = {
                entry.ident for entry in self._waiting if entry.still is None or entry.still()
            }
            self._alive = [thread for thread in self._alive if thread.is_alive()]
            # enumerate() loses a thread before its end, for which another one may be waiting.
            threads = {*threading.enumerate(), *self._alive}
        found: list[int] = []
        blocked: list[int | None] = []
        for thread in threads:
            ident = thread.ident
            if ident in self._ours or ident in waiting:
                continue
            if ident in self._long or self._stands_still(thread):
                blocked.append(ident)
            else:
                found.append(ident or 0)
        self._blocked = blocked
        return found

    def _stands_still(self, thread: threading.Thread) -> bool:
        """Return whether a thread has been at one place for BLOCKED seconds."""
        if thread.ident is None:
            return False
        now = _monotonic()
        place, since, seen = self._places.get(thread.ident, ("", now, 0.0))
        blocked = bool(place) and seen - since >= BLOCKED
        if blocked or now - seen >= PATIENCE:
            here = where(thread)
            if here != place:
                since = now
            self._places[thread.ident] = here, since, now
            blocked = bool(here) and now - since >= BLOCKED
        return blocked


def where(thread: threading.Thread) -> str:
    """Return where a thread stands, or nothing if it runs, or only waits for a processor.

    The same text twice says that it has not moved in between.
    """
    try:
        with open(f"/proc/self/task/{thread.native_id}/status") as file:
            lines = file.read().splitlines()
    except OSError:
        # Elsewhere than on Linux: its line. It cannot be told whether it stands still there.
        frame = sys._current_frames().get(thread.ident or 0)
        return f"{id(frame)} {frame.f_lasti}" if frame else ""
    state, *switches = [line for line in lines if line.startswith("State:") or "ctxt" in line]
    # A thread that waits for Python's global lock wakes every few milliseconds.
    return " ".join(switches) if state.split()[1] == "S" else ""


def used_by_others() -> float:
    """Return the seconds of processor time that threads other than this one have used."""
    return time.process_time() - time.thread_time()


def _sleep_through(seconds: float) -> None:
    if seconds:
        _real_sleep(seconds)
