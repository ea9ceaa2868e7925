"""Turns what a watch has seen into steps, entries and views, and puts it into words.

The program waits while a watch notes something, so a `Watch` notes bare facts. An `Account` makes
the rest of them after the run: numbers of entries, the state of queue and tasks, keyframes, causes
and plain English. It takes the facts in their order, so at each of them it knows what was known
then.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from . import words
from .places import Called, Place, Wait

SEEN_BY_LOOP = ("wait", "descriptors", "due")
"""The phases of a tick before its batch."""

SHUTTING_DOWN = ("shutdown_asyncgens", "shutdown_default_executor")
"""Coroutines that a runner runs in the end."""

CREDIT, CREDIT_A_STEP = 2_000, 8
"""Numbers that keyframes may hold: so many at once, and so many more with each step."""

Told = tuple[Any, ...]
Entry = dict[str, Any]
Cause = dict[str, Any]
Lines = Sequence[tuple[int, int]]
Thrown = tuple[Cause, str]

Call = tuple[str, int, int | None, Called | None]
"""A call that will cause something later: the kind of cause, the step, the task and the line."""


class Deadline(float):
    """When a timer is due. In a heap it stands where the timer does in the loop's: see heapq."""

    __slots__ = ("number",)

    def __new__(cls, when: float, number: int) -> Deadline:
        """Make the deadline of the timer with this number."""
        deadline = super().__new__(cls, when)
        deadline.number = number
        return deadline

    number: int


class Account:
    """What is known of a run up to one of its facts."""

    def __init__(self) -> None:
        self.names: list[str] = []
        """The names of the tasks, as they are shown."""
        self.step: dict[str, Any] = {}
        """The present step."""
        self.task: int | None = None
        """The task whose code runs."""
        self.entry: Entry = {}
        """The entry that runs. Empty if there is none."""
        self._index = -1
        self._tick = 0
        self._ran: list[Entry] = []  # the entry of each step
        self._folder: Path | None = None

        # The state.
        self._ready: deque[int] = deque()
        self._batch = 0
        self._heap: list[int] = []
        self._deadlines: list[Deadline] = []  # what becomes of the heap in the present step
        self._whens: dict[int, float] = {}  # of each timer
        self._views: dict[int, dict[str, Any]] = {}
        self._output = 0
        self._credit = CREDIT

        # Tasks, by number.
        self._coros: list[str] = []
        self._made: list[Cause | None] = []  # until the task starts
        self._made_in: list[int] = []  # in which step
        self._calls: list[str] = []  # which call has made it
        self._ended: dict[int, int] = {}  # the step in which it ended
        # The calls of cancel(), by task: the one whose error is on its way to the task, the one
        # whose error was thrown into it last, and the one that has ended it.
        self._marks: dict[int, Thrown] = {}
        self._thrown: dict[int, Thrown] = {}
        self._cancelled: dict[int, Thrown] = {}
        self._libraries: set[int] = set()  # those that the library has made for itself
        self._taken: dict[str, int] = {}  # how often each name was given

        # By the number of a context: the first task or entry that runs in it.
        self._owners: dict[int, dict[str, int]] = {}

        # Entries, by number.
        self._count = 0
        self._live: dict[int, Entry] = {}  # those that are in the queue or the heap

    def told(self, facts: Iterable[Any]) -> Iterator[Told]:
        """Yield what the facts of a watch mean.

        `("file", name, path)`, `("end", kind, sentence)`, `("keyframe", number of a step, state)`
        and `("step", fields)`, where the fields hold all that is new.
        """
        following = iter(facts)
        for what in following:
            values = list(islice(following, VALUES[what]))
            if what in FACTS:
                FACTS[what](self, *values)
            elif what == "file":
                if self._folder is None:
                    yield "keyframe", 0, self._state()
                yield "file", *self._file(*values)
            else:
                if self.step:
                    yield "step", self._end_step()
                if what == "over":
                    yield "end", *values
                    return
                yield from self._begin_step(what, *values)
        if self.step:
            yield "step", self._end_step()

    def _file(self, path: str) -> tuple[str, str]:
        """Return the name of a file as it is shown, and its path. The first one is the script."""
        file = Path(path)
        if self._folder is None:
            self._folder = file.parent
        inside = file.is_relative_to(self._folder)
        return str(file.relative_to(self._folder)) if inside else file.name, path

    def _state(self) -> dict[str, Any]:
        return {
            "ready": list(self._ready),
            "batch": self._batch,
            "heap": self._heap,
            "tasks": {str(number): view for number, view in self._views.items()},
            "output": self._output,
        }

    # -- steps -------------------------------------------------------------------------------

    def _begin_step(self, kind: str, time: float, *about: Any) -> Iterator[Told]:
        """Begin a step; `about` has values that only this kind of step has. Yield a keyframe."""
        self._index += 1
        self._tick += kind == "wait"
        self.step = {"kind": kind, "tick": self._tick, "time": round(time, 4)}
        self.task = None
        self.entry = {}
        BEGINNINGS[kind](self, *about)
        self._ran.append(self.entry)
        if kind == "wait":
            cost = 1 + len(self._ready) + len(self._heap) + 6 * len(self._views)
            if cost <= self._credit:
                self._credit -= cost
                yield "keyframe", self._index, self._state()

    def _end_step(self) -> dict[str, Any]:
        """End the step, and return its fields."""
        for number in self.step.get("void", ()):
            self._live.pop(number, None)
        heap = [deadline.number for deadline in self._deadlines]
        if heap != self._heap:
            self._change_heap(heap)
        self._credit += CREDIT_A_STEP
        return self.step

    def _begin_other(self) -> None:
        """Begin a step of which nothing else is known."""

    def _begin_wait(self, timeout: float | None) -> None:
        self._batch = 0
        self.step["timeout"] = None if timeout is None else round(timeout, 4)

    def _begin_run(self) -> None:
        number = self._ready.popleft()
        self._batch -= 1
        self.entry = self._live.pop(number, {})
        if self.entry.get("kind") == "task":
            self.task = self.step["task"] = self.entry["task"]
        self.step["entry"] = number
        self.step["pop"] = 1

    def _begin_eager(self, task: int, inside: int) -> None:
        self.task = task
        cause = self._made[task] or self._cause("other", None)
        why = self._why_made(task, cause)
        self.step.update(task=task, inside=inside, cause=cause, why=why)

    def _begin_back(self, of: int, task: int | None) -> None:
        self.task = task
        self.entry = self._ran[of]
        self.step["of"] = of
        if task is not None:
            self.step["task"] = task

    def _add(self, what: str, value: Any) -> None:
        """Add to one of the step's lists."""
        self.step.setdefault(what, []).append(value)

    def _did(self, what: str) -> None:
        """Note that the step has done something more of what is told of it."""
        self._add("did", what)

    def _batch_begins(self) -> None:
        self._batch = self.step["batch"] = len(self._ready)

    def _loop_returns(self) -> None:
        if self._batch:  # an exception has ended the batch
            self._batch = self.step["batch"] = 0

    def _drop_first(self) -> None:
        """Take the first entry out of the queue of a loop that is closed."""
        self.step["pop"] = self.step.get("pop", 0) + 1
        self._live.pop(self._ready.popleft(), None)

    def _cancel_timer(self, number: int) -> None:
        self._add("void", number)

    def _take_heap(self, heap: Sequence[int]) -> None:
        """Take the heap as it is. The loop has dropped timers that were cancelled."""
        self._deadlines = [Deadline(self._whens.get(one, math.inf), one) for one in heap]

    def _move_timer(self, number: int) -> None:
        """Note that a timer is due, and moves from the heap to the queue."""
        heap = self._deadlines
        if heap and heap[0].number == number:
            heapq.heappop(heap)
        self._push(number)

    def _change_heap(self, heap: list[int]) -> None:
        """Note what the heap has become, in the form of `do.heap` in the JSON."""
        before, self._heap = self._heap, heap
        change = [
            [index, number]
            for index, number in enumerate(heap)
            if index >= len(before) or before[index] != number
        ]
        self.step["heap"] = {"size": len(heap), "set": change}

    # -- tasks ---------------------------------------------------------------------------------

    def _make_task(self, coro: str, called: Called | None, lines: Lines) -> None:
        number = len(self.names)
        where = _place(called)
        self.names.append("")
        self._coros.append(coro)
        self._made.append(self._cause("create_task", where))
        self._calls.append(where.call if where else "")
        self._see(number, {"state": "ready", **_lines(lines)})
        self._made_in.append(self._index)
        self._did("make")
        own = coro.startswith("_") or coro in SHUTTING_DOWN or where is None
        if not lines and own:
            self._libraries.add(number)
        self._name_task(number, coro.lstrip("_") or "task")

    def _name_task(self, number: int, name: str) -> None:
        """Give a task the name to show, which no other task has."""
        times = self._taken[name] = self._taken.get(name, 0) + 1
        self.names[number] = name if times == 1 else f"{name}-{times}"
        row: dict[str, Any] = {"name": self.names[number], "coro": self._coros[number]}
        if number in self._libraries:
            row["library"] = True
        self._add("made" if self._made_in[number] == self._index else "named", (number, row))

    def _resume_task(self, error: str | None) -> None:
        """Note that the coroutine of the step's task is resumed."""
        number = self.step["task"]
        view = self._views.get(number, {})
        if "line" in view:
            self.step.update({key: view[key] for key in ("line", "file") if key in view})
        self._note_thrown(number, error)
        self.step["first"] = self._made[number] is not None
        self._made[number] = None

    def _note_thrown(self, number: int, error: str | None) -> None:
        """Note which error is thrown into a task, and who has caused it.

        The entry's own cause says so, unless the task was cancelled after something else had put it
        into the queue, or awaits a task that was cancelled.
        """
        mark = self._marks.pop(number, None)
        self._thrown.pop(number, None)
        if error is None:
            return
        self.step["throws"] = error
        if not error.startswith("CancelledError"):
            return
        cause = self.entry.get("cause", {})
        by = mark or self._cancelled.get(cause.get("task", -1))
        if mark is None and cause.get("kind") == "cancel":
            self._thrown[number] = cause, self.entry["why"]
        elif by is not None and (mark is not None or cause["kind"] == "task_cancelled"):
            self._thrown[number] = by
            self.step["thrown"] = {"cause": by[0], "why": by[1]}

    def _let_others_go(self, number: int, lines: Lines) -> None:
        """Note that a task has yielded nothing: `sleep(0)`."""
        self._see_waiting(number, {**_lines(lines), "for": "its next turn"})

    def _see_waiting(self, number: int, view: dict[str, Any]) -> None:
        view = {"state": "waiting", **view}
        if number in self._marks:
            view["cancel"] = True
        self._see(number, view)

    def _suspend_task(
        self, number: int, lines: Lines, what: str, joint: str, on: Sequence[int]
    ) -> None:
        wait = words.of_wait(Wait(what, joint, on), self)
        view = {**_lines(lines), "for": wait}
        if on:
            view["on"] = list(on)
        self._see_waiting(number, view)

    def _end_task(self, number: int, how: str, value: str) -> None:
        self._add("ended", (number, how, value))
        self._ended[number] = self._index
        if how == "cancelled" and number in self._thrown:
            self._cancelled[number] = self._thrown[number]
        self._see(number, None)

    def _note_context(self, number: int, context: int | None) -> None:
        """Note the context that a task runs in."""
        owner = self._owner_of(context, {"task": number})
        if owner is not None:
            self._add("contexts", (number, owner))

    def _owner_of(self, context: int | None, user: dict[str, int]) -> dict[str, int] | None:
        """Return whose context it is that a task or an entry runs in, or None if it is its own."""
        if context is None:
            return None
        owner = self._owners.setdefault(context, user)
        return None if owner is user else owner

    def _set_variable(self, name: str, value: str | None) -> None:
        self._did("set")
        self._add("sets", {"name": name} if value is None else {"name": name, "value": value})

    def _skip_callback(self) -> None:
        """Note that a callback was cancelled when its turn came: it does not run."""
        self.step["skipped"] = True

    def _mark_task(self, number: int, called: Called | None) -> None:
        """Note that the next step of a task will throw a CancelledError."""
        where = _place(called)
        why = words.who_called(where, "cancel", self)
        self._marks.setdefault(number, (self._cause("cancel", where), why))
        self._see(number, {**self._views[number], "cancel": True})

    def _see(self, number: int, view: dict[str, Any] | None) -> None:
        self.step.setdefault("tasks", {})[number] = view
        if view is None:
            self._views.pop(number, None)
        else:
            self._views[number] = view

    def _why_made(self, number: int, cause: Cause) -> str:
        call = self._calls[number] or "create_task"
        return words.call_at_line(self, cause.get("task"), call, cause.get("line"))

    # -- what the program says -------------------------------------------------------------------

    def _print(self, text: str, called: Called | None) -> None:
        row: dict[str, Any] = {"task": self.task, "text": text}
        if called is not None:
            file, row["line"], _ = called
            if file:
                row["file"] = file
        self._did("print")
        self._add("out", row)
        self._output += 1

    def _report(self, text: str) -> None:
        self._did("report")
        self._add("reports", text)

    # -- entries ---------------------------------------------------------------------------------

    def _new(self, entry: Entry, library: bool = False, context: int | None = None) -> int:
        number = self._count
        self._count += 1
        if library:
            entry["library"] = True
        owner = self._owner_of(context, {"entry": number})
        if owner is not None:
            entry["context"] = owner
        self._live[number] = entry
        self._add("entries", (number, entry))
        return number

    def _push(self, number: int) -> None:
        self._ready.append(number)
        self._add("push", number)

    def _push_ready(self, number: int) -> None:
        """Note that a task's step joins the queue which no future has let go."""
        self._push_step(number, None, None, None)

    def _push_step(
        self, number: int, kind: str | None, other: int | None, called: Called | None
    ) -> None:
        """Note that a task's step joins the queue.

        `kind` and `other` are about the future whose end is the cause: how it has ended, and which
        task it is. `kind` is None if there is no such future.
        """
        name = self.names[number]
        made = self._made[number]
        where = _place(called)
        entry: Entry = {"kind": "task", "task": number}
        view = self._views.get(number, {"state": "ready"})
        if kind is not None:
            entry["label"] = words.wakes(kind, other, where, name, self)
            entry["why"] = words.why_done(kind, other, where, self)
            entry["cause"] = self._cause(kind, where if other is None else None, other)
            if kind == "cancel" and number == self.task and number in self._marks:
                # The task was cancelled before it waited: the call had only left a mark.
                entry["cause"], entry["why"] = self._marks.pop(number)
        elif made is not None:
            entry["label"] = f"first step of {name}"
            entry["why"] = self._why_made(number, made)
            entry["cause"] = made
        else:
            entry["label"] = f"{name} goes on after sleep(0)"
            place = {key: view[key] for key in ("line", "file") if key in view}
            at = f", line {view['line']}" if "line" in view else ""
            entry["why"] = f"it let the others go first{at}"
            entry["cause"] = {"kind": "sleep0", "step": self._index, "task": number, **place}
        woken = {key: value for key, value in view.items() if key not in ("for", "on")}
        woken["state"] = "ready"
        if kind in ("cancel", "task_cancelled"):
            woken["cancel"] = True
        self._see(number, woken)
        self._push(self._new(entry))

    def _push_callback(
        self,
        name: str | None,
        library: bool,
        context: int | None,
        kind: str | None,
        other: int | None,
        called: Called | None,
    ) -> None:
        """Note that a callback joins the queue. See `_push_step()`, and `words.of_callback()`."""
        where = _place(called)
        call = where.call if where is not None else ""
        entry: Entry = {"kind": "callback"}
        entry["label"] = words.of_callback(name, self, kind, other)
        just_ended = other is None or self._ended.get(other) == self._index
        if kind is not None and just_ended and call != "add_done_callback":
            entry["why"] = words.why_done(kind, other, where, self)
            entry["cause"] = self._cause(kind, where if other is None else None, other)
        else:
            said = call if call.startswith("call_soon") else "call_soon"
            if kind is not None:
                said = "callback"
            entry["why"] = words.who_called(where, said, self)
            entry["cause"] = self._cause(said, where)
        self._push(self._new(entry, library, context))

    def _push_from_outside(
        self, name: str | None, library: bool, wakes_loop: bool, origin: Call | None
    ) -> None:
        """Note that the callback of a descriptor or of a signal joins the queue.

        `origin` is the call that has registered it. For the callback that `wakes_loop` it is what
        another thread has called to that end, or None if a signal has come.
        """
        if origin is not None:
            cause = self._cause_before(origin)
        elif wakes_loop:
            cause = {"kind": "signal", "step": self._index - 1}
        else:
            cause = self._cause("descriptor", None)
        if wakes_loop:
            why = "the loop was woken" if cause["kind"] == "thread" else "a signal has come"
        else:
            why = words.from_outside(cause, self)
        entry: Entry = {"kind": "callback", "label": words.of_callback(name, self), "why": why}
        entry["cause"] = cause
        self._push(self._new(entry, library))

    def _push_from_thread(
        self, name: str | None, library: bool, origin: Call | None, called: Called | None
    ) -> None:
        """Note that a callback joins the queue which another thread has sent.

        `origin` is the call that has employed the thread, if that is known.
        """
        if origin is not None:
            cause = self._cause_before(origin)
        else:
            cause = self._cause("thread", _place(called))
            cause.pop("task", None)
        why = words.from_thread(cause, origin is not None, self)
        entry: Entry = {"kind": "callback", "label": words.of_callback(name, self), "why": why}
        entry["cause"] = cause
        self._push(self._new(entry, library))

    def _set_timer(
        self,
        name: str,
        library: bool,
        context: int | None,
        when: float,
        delay: float,
        called: Called | None,
    ) -> None:
        """Note a timer that was put into the heap."""
        where = _place(called)
        entry = words.of_timer(name, delay, where, self.task, self)
        if math.isfinite(when):
            entry["when"] = round(when, 4)
        entry["cause"] = self._cause("timer", where)
        if self.task is not None:
            entry["task"] = self.task
        number = self._new(entry, library, context)
        self._whens[number] = when
        heapq.heappush(self._deadlines, Deadline(when, number))

    def _cause(self, kind: str, where: Place | None, task: int | None = None) -> Cause:
        """Return the cause that a call is which happens now, in a task or in that which runs."""
        if task is None:
            task = self.task
        return _cause(kind, self._index, task, where)

    def _cause_before(self, call: Call) -> Cause:
        """Return the cause that an earlier call is."""
        kind, step, task, called = call
        return _cause(kind, step, task, _place(called))


def _cause(kind: str, step: int, task: int | None, where: Place | None) -> Cause:
    cause: Cause = {"kind": kind, "step": step}
    if task is not None:
        cause["task"] = task
    if where is not None:
        cause["line"] = where.line
        if where.file:
            cause["file"] = where.file
        if where.call and where.call != kind:
            cause["call"] = where.call
    return cause


def _place(called: Called | None) -> Place | None:
    return None if called is None else Place(*called)


def _lines(lines: Lines) -> dict[str, Any]:
    """Return the fields of a view that say where a task stands."""
    if not lines:
        return {}
    file, line = lines[-1]
    found: dict[str, Any] = {"line": line}
    if file:
        found["file"] = file
    if len(lines) > 1:
        found["lines"] = [line for _, line in lines]
    return found


BEGINNINGS: dict[str, Callable[..., None]] = {
    "outside": Account._begin_other,
    "descriptors": Account._begin_other,
    "due": Account._begin_other,
    "wait": Account._begin_wait,
    "run": Account._begin_run,
    "eager": Account._begin_eager,
    "back": Account._begin_back,
}
"""What to do with the fact with which each kind of step begins."""

FACTS: dict[str, Callable[..., None]] = {
    "batch": Account._batch_begins,
    "returns": Account._loop_returns,
    "drop": Account._drop_first,
    "void": Account._cancel_timer,
    "heap": Account._take_heap,
    "made": Account._make_task,
    "name": Account._name_task,
    "resume": Account._resume_task,
    "yield": Account._let_others_go,
    "suspend": Account._suspend_task,
    "end": Account._end_task,
    "mark": Account._mark_task,
    "skip": Account._skip_callback,
    "context": Account._note_context,
    "set": Account._set_variable,
    "print": Account._print,
    "report": Account._report,
    "moved": Account._move_timer,
    "ready": Account._push_ready,
    "step": Account._push_step,
    "callback": Account._push_callback,
    "from_outside": Account._push_from_outside,
    "from_thread": Account._push_from_thread,
    "timer": Account._set_timer,
}
"""What to do with each kind of fact that a `Watch` notes in a step."""

VALUES = {
    "file": 1,
    "over": 2,
    **{kind: note.__code__.co_argcount - 1 for kind, note in FACTS.items()},
    **{kind: begin.__code__.co_argcount for kind, begin in BEGINNINGS.items()},
}
"""How many values a fact of each kind has. Those of `BEGINNINGS` have the time in front."""
