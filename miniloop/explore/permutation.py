"""Where the choices are: functions of miniloop that ask before a rule decides that is not promised.

A `Permutation` belongs to one run. `places()` says what to put in the place of what, in the core
and in the recorder; nobody else pays for it. Every function here does what the one that it stands
for does, unless the plan of the run deviates.
"""

from __future__ import annotations

import concurrent.futures.thread
import dataclasses
import functools
import gc
import heapq
import math
import random
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

import miniloop

from ..core import combinators, locks, queues, taskgroups
from ..core.futures import Future
from ..core.handles import Handle
from ..core.loop import BaseEventLoop, _Deadline
from ..core.tasks import Task, ensure_future
from ..details.coroutines import iscoroutine
from ..details.current import _get_running_loop
from ..io.descriptors import Descriptors
from ..trace import undefined
from ..trace.places import Files
from .choices import Choice, Choices, plan_of

Place = tuple[Any, str, Any]
"""An owner, the name of an attribute, and a value for it."""

CLOSE = 0.0005
"""Seconds. Deadlines less than this apart are equal where the clock is coarse."""

ORDERS_OF_SETS = 6
"""How many orders of sets are tried: that of making, its reverse, and random ones."""

HASHES = 1 << 20
"""Hashes are below this. A power of two, so that its reverse is one in every set."""

HOPS = {
    "gather.<locals>.on_child_done": "gather-hop",
    "_wait.<locals>.on_completion": "wait-hop",
    "_AsCompletedIterator._handle_completion": "as-completed-hop",
    "shield.<locals>.on_inner_done": "shield-hop",
    "TaskGroup._on_task_done": "group-hop",
}
"""The callbacks with which the library passes on that a future is done."""

FILES = Files()
"""Tells the program's lines from those of libraries."""

LATER, SOONER = 1, 2
"""The options of a hop: it takes a tick more, or a tick less."""


class Permutation:
    """The choices of one run, in the places where they come up."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._files = FILES
        self._lines: dict[int, int] = {}  # in which timers were set, by the id of their handle
        self._hashes: int | None = None  # which order sets have, once that is chosen
        self._collects: bool | None = None
        self._hops: dict[str, int] = {}

    def _line(self) -> int:
        """Return the line of the program that is at work, or 0."""
        return self._files.line(sys._getframe(2))

    def places(self, park: Callable[[], object] | None = None) -> list[Place]:
        """Return what to replace for the length of the run.

        `park` makes a thread wait for its turn, if threads take turns.
        """
        found: list[Place] = [
            (undefined, "hash_of", self.hash_of),
            (undefined, "in_set_order", self.in_set_order),
            (undefined, "start_order", self.start_order),
            (undefined, "next_thread", self.next_thread),
            (undefined, "thread_comes_between", self.thread_comes_between),
            (BaseEventLoop, "_run_once", self._collecting(BaseEventLoop._run_once)),
            (BaseEventLoop, "call_at", self._setting(BaseEventLoop.call_at)),
            (Descriptors, "_process_events", self._in_any_order(Descriptors._process_events)),
            (Future, "_schedule_waiting", self._waking(Future._schedule_waiting)),
            (locks.Event, "set", self._setting_event(locks.Event.set)),
            (locks.Condition, "_notify", self._notifying(locks.Condition._notify)),
            (locks.Semaphore, "_wake_up_next", self._releasing(locks.Semaphore._wake_up_next)),
            (queues.Queue, "_wakeup_next", self._serving(queues.Queue._wakeup_next)),
            (taskgroups.TaskGroup, "_abort", self._aborting(taskgroups.TaskGroup._abort)),
        ]
        for name, made in (("gather", self._gathering), ("wait_for", self._waiting)):
            stand_in = made(getattr(combinators, name))
            found += [(combinators, name, stand_in), (miniloop, name, stand_in)]
        if park is not None:
            item: Any = vars(concurrent.futures.thread)["_WorkItem"]
            found.append((item, "run", _in_turn(item.run, park)))
        return found

    # -- what the recorder decides -----------------------------------------------------------------

    def hash_of(self, number: int) -> int:
        """Return the hash of a future or task, for one order of all sets of the run."""
        if self._hashes is None:
            self._hashes = self._choices.take("set-order", ORDERS_OF_SETS, 0, "of all sets")
        if self._hashes == 0:
            return number
        if self._hashes == 1:
            return HASHES - 1 - number % HASHES
        return random.Random(f"{self._hashes} {number}").randrange(HASHES)

    def in_set_order(self, items: list[Any]) -> list[Any]:
        """Return what stands in a set of the loop's, in an order that it may have."""
        order = self._choices.order("set-order", len(items), self._line(), "of async generators")
        return [items[index] for index in order]

    def start_order(self, coroutines: list[Any]) -> list[Any]:
        """Return the order in which `as_completed()` starts coroutines."""
        line = self._line()
        order = self._choices.order("as-completed-start", len(coroutines), line, "as_completed()")
        return [coroutines[index] for index in order]

    def next_thread(self, count: int) -> int:
        """Return which of the threads that could go on does."""
        if count < 2:
            return 0
        return self._choices.take("thread-order", count, 0, f"{count} threads could go on")

    def thread_comes_between(self) -> bool:
        """Return whether a thread gets its turn although the loop has something to run."""
        return self._choices.take("thread-turn", 2, 0, "a thread could go on") == 1

    # -- the loop ----------------------------------------------------------------------------------

    def _collecting(self, original: Any) -> Any:
        @functools.wraps(original)
        def _run_once(loop: Any) -> None:
            if self._collects is None:
                what = "when garbage is collected"
                self._collects = self._choices.take("garbage-collection", 2, 0, what) == 1
            if self._collects:
                gc.collect()
            original(loop)

        return _run_once

    def _setting(self, original: Any) -> Any:
        @functools.wraps(original)
        def call_at(loop: Any, when: float, *args: Any, **keywords: Any) -> Any:
            timer = original(loop, when, *args, **keywords)
            deadline = 0.0 + when
            line = self._lines[id(timer)] = self._line()
            others = [
                one
                for one in loop._scheduled
                if one.timer is not timer
                and not one.timer._cancelled
                and abs(one - deadline) < CLOSE
            ]
            if deadline <= loop._selector.clock.now:
                what = "a timer without delay"
                if self._choices.take("zero-delay", 2, line, what):
                    take_out(loop, timer)
                    timer._scheduled = False
                    loop._ready.append(timer)
                    return timer
            if others:
                self._place(loop, timer, deadline, sorted(others, key=float), line)
            return timer

        return call_at

    def _place(self, loop: Any, timer: Any, deadline: float, others: list[Any], line: int) -> None:
        """Choose the place of a new timer among those that are due at the same time."""
        equal = [one for one in others if one == deadline]
        rule = "equal-deadlines" if equal else "close-deadlines"
        others = equal or others
        lines = sorted({self._lines.get(id(one.timer), 0) for one in others} - {0})
        what = f"against the timer of line {lines[0]}" if lines else "against another timer"
        option = self._choices.take(rule, len(others) + 1, line, what)
        if option == 0:
            return
        # Before the last one, before the last but one, and so on.
        before = others[-option]
        moved = _Deadline(math.nextafter(before, -math.inf))
        moved.timer = timer
        take_out(loop, timer)
        heapq.heappush(loop._scheduled, moved)

    def _in_any_order(self, original: Any) -> Any:
        @functools.wraps(original)
        def _process_events(loop: Any, events: list[Any]) -> None:
            pipe = loop._ssock.fileno() if loop._ssock is not None else -1
            own = [event for event in events if event[0].fd == pipe]
            others = [event for event in events if event[0].fd != pipe]
            what = f"{len(others)} descriptors are ready"
            order = self._choices.order("ready-descriptors", len(others), 0, what)
            original(loop, own + [others[index] for index in order])

        return _process_events

    # -- futures and what hangs on them ------------------------------------------------------------

    def _waking(self, original: Any) -> Any:
        @functools.wraps(original)
        def _schedule_waiting(future: Any) -> None:
            waiting = future._all_waiting()
            order = self._choices.order(
                "future-waiters", len(waiting), self._line(), f"{len(waiting)} wait"
            )
            hops = [self._hop(hop_rule(future, entry)) for entry in waiting]
            if not any(hops):
                if order != sorted(order):
                    future._waiting = [waiting[index] for index in order]
                original(future)
                return
            future._waiting = None
            for index in order:
                entry = waiting[index]
                if type(entry) is Handle:
                    entry._args = (future,)
                if hops[index] == LATER:
                    future._loop.call_soon(one_tick_later, future._loop._ready, entry)
                elif hops[index] == SOONER:
                    entry._run()
                else:
                    future._loop._ready.append(entry)

        return _schedule_waiting

    def _hop(self, rule: str) -> int:
        """Return whether hops of a kind take a tick more, or less. All of a run are alike."""
        if not rule:
            return 0
        if rule not in self._hops:
            options = 2 if rule == "task-hop" else 3
            self._hops[rule] = self._choices.take(rule, options, 0, "in the whole run")
        return self._hops[rule]

    def _waiting(self, original: Any) -> Any:
        @functools.wraps(original)
        async def wait_for(fut: Any, timeout: Any) -> Any:
            if iscoroutine(fut) and (timeout is None or timeout > 0):
                line = self._line()
                if self._choices.take("wait-for-task", 2, line, "in a task of its own"):
                    fut = ensure_future(fut)
            return await original(fut, timeout)

        return wait_for

    def _gathering(self, original: Any) -> Any:
        @functools.wraps(original)
        def gather(*args: Any, **options: Any) -> Any:
            first = {id(arg): index for index, arg in reversed(list(enumerate(args)))}
            starts = [
                index
                for index, arg in enumerate(args)
                if iscoroutine(arg) and first[id(arg)] == index
            ]
            if len(starts) < 2 or _get_running_loop() is None:
                return original(*args, **options)
            what = f"gather() of {len(args)}"
            order = self._choices.order("gather-start", len(starts), self._line(), what)
            if order == sorted(order):
                return original(*args, **options)
            made: dict[int, Any] = {}
            for index in order:
                coroutine = args[starts[index]]
                task = made[id(coroutine)] = ensure_future(coroutine)
                if isinstance(task, Task):
                    task._log_destroy_pending = False  # as gather() does with tasks of its own
            return original(*(made.get(id(arg), arg) for arg in args), **options)

        return gather

    # -- waiting in line ---------------------------------------------------------------------------

    def _setting_event(self, original: Any) -> Any:
        @functools.wraps(original)
        def set(event: Any) -> None:  # noqa: A001  # the method's name
            line = self._line()
            with_other_order(self, "event-waiters", event._waiters, line, lambda: original(event))

        return set

    def _notifying(self, original: Any) -> Any:
        @functools.wraps(original)
        def _notify(condition: Any, n: int) -> None:
            line = self._line()
            waiters = condition._waiters
            with_other_order(
                self, "condition-waiters", waiters, line, lambda: original(condition, n)
            )

        return _notify

    def _releasing(self, original: Any) -> Any:
        @functools.wraps(original)
        def _wake_up_next(semaphore: Any) -> Any:
            line = self._line()
            waiters = semaphore._waiters
            if not waiters:
                return original(semaphore)
            return with_other_order(
                self, "semaphore-waiters", waiters, line, lambda: original(semaphore)
            )

        return _wake_up_next

    def _serving(self, original: Any) -> Any:
        @functools.wraps(original)
        def _wakeup_next(queue: Any, waiters: Any) -> None:
            line = self._line()
            with_other_order(self, "queue-waiters", waiters, line, lambda: original(queue, waiters))

        return _wakeup_next

    def _aborting(self, original: Any) -> Any:
        @functools.wraps(original)
        def _abort(group: Any) -> None:
            tasks = list(group._tasks)
            if sum(not task.done() for task in tasks) > 1:
                what = f"a TaskGroup cancels {len(tasks)} tasks"
                order = self._choices.order("set-order", len(tasks), 0, what)
                group._tasks.clear()
                group._tasks.update({tasks[index]: None for index in order})
            original(group)

        return _abort


def take_out(loop: Any, timer: Any) -> None:
    """Take a timer out of the heap."""
    loop._scheduled[:] = [one for one in loop._scheduled if one.timer is not timer]
    heapq.heapify(loop._scheduled)


def hop_rule(future: Any, entry: Any) -> str:
    """Return the rule that says when an entry of a future's line runs, or nothing."""
    callback = getattr(entry, "_callback", None)
    function = getattr(callback, "__func__", callback)
    module = getattr(function, "__module__", None) or ""
    if module.startswith("miniloop."):
        name = getattr(function, "__qualname__", "")
        if name in HOPS:
            return HOPS[name]
    awaits = isinstance(entry, Task) or getattr(callback, "__name__", "") == "_wakeup"
    return "task-hop" if awaits and isinstance(future, Task) else ""


def one_tick_later(ready: Any, entry: Any) -> None:
    """Put an entry into the ready queue, a tick after its turn."""
    ready.append(entry)


def with_other_order(
    permutation: Permutation, rule: str, waiters: Any, line: int, call: Callable[[], Any]
) -> Any:
    """Make a call while those who wait stand in another order, if the plan wants one.

    The line is as before afterwards, less those whom the call has taken out of it.
    """
    before = list(waiters)
    pending = [one for one in before if not one.done()]
    order = permutation._choices.order(rule, len(pending), line, f"{len(pending)} wait")
    if order == sorted(order):
        return call()
    waiters.clear()
    waiters.extend([one for one in before if one.done()])
    waiters.extend(pending[index] for index in order)
    try:
        return call()
    finally:
        left = {id(one) for one in waiters}
        waiters.clear()
        waiters.extend(one for one in before if id(one) in left)


def _in_turn(run: Any, park: Callable[[], object]) -> Any:
    """Return the function that runs a job of a pool, which first waits for its thread's turn.

    Without this the order of the threads would decide nothing: each takes the next job.
    """

    @functools.wraps(run)
    def run_in_turn(item: Any, *args: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            park()
        return run(item, *args)

    return run_in_turn


def permute(recorder: Any, plan: str, rules: Iterable[str]) -> None:
    """Let the loops of a process run on a plan, and have their choices in the record.

    `recorder` is a `trace.scripts.ScriptRecorder` that is not installed yet.
    """
    install, note = recorder.install, recorder.note

    def tell(choice: Choice) -> None:
        recorder.write("explored", "choice", dataclasses.astuple(choice))

    def installing(module: Any, *rest: Any, **options: Any) -> None:
        permutation = Permutation(Choices(plan_of(plan), rules, tell))
        for owner, name, value in permutation.places(recorder.threads.park):
            setattr(owner, name, value)
        install(module, *rest, **options)

    def noting(who: str, what: str) -> None:
        if who == "print" and not recorder.stopped:
            recorder.write("explored", "line", FILES.line(sys._getframe(1)))
        note(who, what)

    recorder.install, recorder.note = installing, noting
