"""Watches a loop from outside: each step, what it changed, and the cause of each queue entry.

A `Watch` is attached to a loop that was made already. It changes nothing in the loop's class. It
puts a deque that tells it of each `append()` and `popleft()` in the place of the ready queue, and
stands between the loop and its selector, so it sees every border between two things that the loop
does. What lies between two borders is a *step*. A loop that nobody watches pays nothing.

What was seen goes out a step at a time, as soon as the step is over: a process that crashes or
hangs has still told what it did. `document.py` puts the steps together.
"""

from __future__ import annotations

import functools
import math
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from . import words
from .causes import CALLBACKS, callback_name, ended_by, let_go_by, stepped_by
from .places import Files, Place, cut, short, standing, waits_for

MOST_STEPS = 10_000
"""Steps after which a recording ends, unless its maker says otherwise."""

SEEN_BY_LOOP = ("wait", "descriptors", "due")
"""The phases of a tick before its batch."""

SHUTTING_DOWN = ("shutdown_asyncgens", "shutdown_default_executor")
"""Coroutines that a runner runs in the end."""

CREDIT, CREDIT_A_STEP = 2_000, 8
"""Numbers that keyframes may hold: so many at once, and so many more with each step."""


class WatchedQueue(deque[Any]):
    """A ready queue that tells a watch what goes in and what comes out."""

    def __init__(self, watch: Watch, entries: Any) -> None:
        super().__init__(entries)
        self._watch = watch

    def append(self, entry: Any) -> None:
        """Put an entry at the end."""
        watch = self._watch
        with watch.lock:
            super().append(entry)
            watch.pushed(entry, sys._getframe(1))

    def popleft(self) -> Any:
        """Take the first entry out: the step before is over, and this one's begins."""
        watch = self._watch
        with watch.lock:
            entry = super().popleft()
            watch.popped(entry)
            return entry

    def clear(self) -> None:
        """Forget all entries, as a loop does that is closed."""
        while self:
            self.popleft()


class Watch:
    """Records one run. `emit(kind, *values)` gets what is seen; `now()` says the time in seconds.

    `stop(kind, text)` is called when there are more than `most_steps` steps.
    """

    def __init__(
        self,
        emit: Callable[..., None],
        now: Callable[[], float],
        script: str = "",
        most_steps: int = MOST_STEPS,
        stop: Callable[[str, str], object] = lambda kind, text: None,
    ) -> None:
        self.emit = emit
        self.now = now
        self.files = Files()
        self.most_steps = most_steps
        self.lock = threading.RLock()
        self._stop = stop
        self._folder = Path(script).parent
        self._file_numbers: dict[str, int] = {}
        self._number_of_file(script)
        self._thread = threading.get_ident()

        # The state, in numbers.
        self.ready: deque[int] = deque()
        self.batch = 0
        self.heap: list[int] = []
        self.views: dict[int, dict[str, Any]] = {}
        self.output = 0
        self._heap_touched = False
        self._credit = CREDIT

        # Tasks.
        self.names: list[str] = []
        self._coros: list[str] = []
        self._libraries: set[int] = set()  # those that the library has made for itself
        self._named: set[int] = set()  # those that the program has given a name
        self._taken: dict[str, int] = {}  # how often each name was given
        self._made: list[dict[str, Any] | None] = []  # the cause of each task, until it starts
        self._calls: list[str] = []  # which call has made it
        self._ended: dict[int, int] = {}  # the step in which it ended

        # Entries.
        self.entries = 0
        self._live: dict[int, dict[str, Any]] = {}  # that are in the queue or the heap
        self._timers: dict[int, int] = {}  # by the id of the handle, while it is in the heap
        self._origins: dict[int, tuple[Any, dict[str, Any]]] = {}  # of handles and futures, by id

        # The step.
        self.index = -1
        self.tick = 0
        self.over = False
        self._loops: list[weakref.ref[Any]] = []
        self._step: dict[str, Any] = {}
        self.task: int | None = None  # whose code runs
        self._entry: dict[str, Any] = {}  # what runs
        self._entered = False
        self._outer: list[tuple[int, int | None, dict[str, Any]]] = []  # around an eager step
        self._woken: dict[str, Any] | None = None  # what has written to the self-pipe
        self._going_back: tuple[int, int | None, dict[str, Any]] | None = None
        self._begin("outside")
        self.emit("keyframe", 0, self._state())

    # -- attaching ---------------------------------------------------------------------------

    def attach(self, loop: Any) -> None:
        """Watch a loop of miniloop or asyncio from now on."""
        self._loops.append(weakref.ref(loop))
        loop._ready = WatchedQueue(self, loop._ready)
        selector = loop._selector
        selector.select = functools.partial(self._select, weakref.ref(loop), selector.select)
        process_events, run_forever, call_at = loop._process_events, loop.run_forever, loop.call_at
        timer_handle_cancelled = loop._timer_handle_cancelled

        def see_events(events: Any) -> None:
            if events:
                self._finish()
                self._begin("descriptors")
            process_events(events)

        def run() -> None:
            try:
                run_forever()
            finally:
                if self.batch:  # an exception has ended the batch
                    self.batch = self._step["batch"] = 0
                self._finish()
                self._begin("outside")

        def at(when: float, callback: Any, *args: Any, **keywords: Any) -> Any:
            timer = call_at(when, callback, *args, **keywords)
            if timer._source_traceback:
                _forget_us(timer._source_traceback, in_asyncio)
            self._set_timer(timer, sys._getframe(1))
            return timer

        def cancelled(handle: Any) -> None:
            number = self._timers.get(id(handle))
            if number is not None and not self.over:
                self._add("void", number)
            timer_handle_cancelled(handle)

        in_asyncio = not hasattr(type(loop), "_takes_tasks")
        write_to_self = loop._write_to_self

        def write() -> None:
            with self.lock:
                if not self.over:
                    self._woken = self._cause("thread", self.files.caller(sys._getframe(1)))
            write_to_self()

        loop._write_to_self = write
        loop._process_events, loop.run_forever, loop.call_at = see_events, run, at
        loop._timer_handle_cancelled = cancelled
        for name, kind in ORIGINS.items():
            if hasattr(loop, name):
                setattr(loop, name, self._noting_origin(loop, name, kind))

    def _noting_origin(self, loop: Any, name: str, kind: str) -> Callable[..., Any]:
        """Return a method of the loop that notes who registers a descriptor or employs a thread."""
        original = getattr(loop, name)

        def call(*args: Any, **keywords: Any) -> Any:
            made = original(*args, **keywords)
            thing = loop._signal_handlers.get(args[0]) if kind == "signal" else made
            if thing is not None and not self.over:
                where = self.files.caller(sys._getframe(1))
                key, forget = id(thing), self._origins.pop
                reference = weakref.ref(thing, lambda _: forget(key, None))
                if key not in self._origins:
                    self._origins[key] = reference, self._cause(kind, where)
            return made

        return call

    # -- steps -------------------------------------------------------------------------------

    def _begin(self, kind: str, **fields: Any) -> None:
        """Begin a step."""
        if self.over:
            return
        self.index += 1
        fields.update(kind=kind, tick=self.tick, time=round(self.now(), 4))
        self._step = fields
        self.task = fields.get("task")
        self._entered = False
        if kind == "wait":
            cost = 1 + len(self.ready) + len(self.heap) + 6 * len(self.views)
            if cost <= self._credit:
                self._credit -= cost
                self.emit("keyframe", self.index, self._state())

    def _state(self) -> dict[str, Any]:
        return {
            "ready": list(self.ready),
            "batch": self.batch,
            "heap": self.heap,
            "tasks": dict(self.views),
            "output": self.output,
        }

    def _add(self, what: str, *values: Any) -> None:
        """Add to one of the step's lists."""
        found = self._step.get(what)
        if found is None:
            found = self._step[what] = []
        found.append(values[0] if len(values) == 1 else values)

    def _finish(self) -> None:
        """End the step, and tell of it."""
        self._going_back = None
        if self.over:
            return
        step = self._step
        heap = self._heap_change() if self._heap_touched else None
        if heap is not None:
            step["heap"] = heap
        for number in step.get("void", ()):
            self._live.pop(number, None)
        self.emit("step", step)
        self._credit += CREDIT_A_STEP
        if self.index + 1 >= self.most_steps:
            text = f"the recording was cut off after {self.most_steps:,} steps; --steps allows more"
            self.end("cut", text)
            self._stop("cut", text)

    def _heap_change(self) -> dict[str, Any] | None:
        """Return what has changed in the heap, in the form of `do.heap` in the JSON, or None."""
        self._heap_touched = False
        loops = [loop for one in self._loops if (loop := one()) is not None]
        known = self._timers
        now = [
            known.get(id(getattr(one, "timer", one)), -1)
            for loop in loops
            for one in loop._scheduled
        ]
        before, self.heap = self.heap, now
        if now == before:
            return None
        change = [
            [index, number]
            for index, number in enumerate(now)
            if index >= len(before) or before[index] != number
        ]
        return {"size": len(now), "set": change}

    def end(self, kind: str, say: str) -> None:
        """Record the end of the run, for the reason `kind`, with a sentence that says it."""
        if not self.over:
            if kind != "cut":
                self._finish()
            self.emit("end", kind, say)
            self.over = True
            self._detach()

    def _detach(self) -> None:
        """Leave the loops alone: what was put into them leads back to them."""
        for loop in filter(None, (one() for one in self._loops)):
            for name in (*REPLACED, *ORIGINS):
                vars(loop).pop(name, None)
            if loop._selector is not None:
                vars(loop._selector).pop("select", None)

    # -- the phases of a tick ------------------------------------------------------------------

    def _select(self, loop: Any, select: Callable[..., Any], timeout: float | None = None) -> Any:
        self._finish()
        self.tick += 1
        self.batch = 0
        self._entry = {}
        if len(loop()._scheduled) != len(self.heap):
            self._heap_touched = True  # cancelled timers were dropped
        self._begin("wait", timeout=None if timeout is None else round(timeout, 4))
        events = select(timeout)
        self._step["until"] = round(self.now(), 4)
        return events

    def popped(self, taken: Any) -> None:
        """Begin the step of the entry that was taken out of the ready queue."""
        if self.over:
            return
        if self._step["kind"] == "outside":  # the loop is closed: nothing runs any more
            if "push" in self._step:  # a step takes entries out before it puts others in
                self._finish()
                self._begin("outside")
            self._step["pop"] = self._step.get("pop", 0) + 1
            self._live.pop(self.ready.popleft(), None)
            return
        if self._step["kind"] in SEEN_BY_LOOP:
            self.batch = self._step["batch"] = len(self.ready)
        self._finish()
        number = self.ready.popleft()
        self.batch -= 1
        self._entry = entry = self._live.pop(number, {})
        task = entry.get("task") if entry.get("kind") == "task" else None
        self._begin("run", entry=number, task=task)
        if task is not None and self._made[task] is not None:
            made = stepped_by(taken)
            if made is not None:
                self._see_name(task, made)
        self._step["pop"] = 1

    # -- tasks ---------------------------------------------------------------------------------

    def made(self, coro: Any, code_name: str, frame: FrameType) -> int:
        """Note a new task, around a coroutine; returns its number."""
        self._go_back()
        number = len(self.names)
        where = self.files.caller(frame)
        self.names.append("")
        self._coros.append(code_name)
        self._made.append(self._cause("create_task", where))
        self._calls.append(where.call if where else "")
        lines = standing(coro, self.files).lines
        self.views[number] = {"state": "ready", **self._lines(lines)}
        self._see(number, self.views[number])
        own = code_name.startswith("_") or code_name in SHUTTING_DOWN or where is None
        if not lines and own:
            self._libraries.add(number)
        self._name(number, code_name.lstrip("_") or "task")
        return number

    def _name(self, number: int, name: str) -> None:
        """Give a task the name to show, which no other task has."""
        times = self._taken[name] = self._taken.get(name, 0) + 1
        self.names[number] = name if times == 1 else f"{name}-{times}"
        row: dict[str, Any] = {"name": self.names[number], "coro": self._coros[number]}
        if number in self._libraries:
            row["library"] = True
        self._add("made" if self._step.get("task") != number else "named", number, row)

    def number(self, task: Any) -> int | None:
        """Return the number of a task, or None if it is something else, or of another loop."""
        if not hasattr(task, "get_coro"):
            return None
        found = getattr(task, "_trace_number", None)
        if found is not None:
            return found  # type: ignore[no-any-return]
        coro = getattr(task, "_coro", None)
        found = getattr(coro, "trace_number", None)
        if found is None:
            return None
        try:
            task._trace_number = found
        except AttributeError:
            return found  # type: ignore[no-any-return]
        self._see_name(found, task)
        return found  # type: ignore[no-any-return]

    def _see_name(self, number: int, task: Any) -> None:
        """Show a task under the name that the program has given it.

        Before Python 3.13 asyncio sets it after it has made the task: so it is looked for twice.
        """
        name = cut(str(task.get_name()), 40)
        if not name.startswith("Task-") and name != "None" and number not in self._named:
            self._named.add(number)
            self._name(number, name)

    def enter(self, number: int, error: BaseException | None) -> None:
        """Note that a task's coroutine is resumed, with `error` thrown in if there is one."""
        if self.over:
            return
        self._go_back()
        if self._entered or self.task != number or self._step["kind"] not in ("run", "back"):
            cause = self._made[number] or self._cause("other", None)
            self._outer.append((self.index, self.task, self._entry))
            self._finish()
            why = self._why_made(number, cause)
            self._begin("eager", task=number, inside=self._outer[-1][0], cause=cause, why=why)
            self._entry = {}
        else:
            self._outer.append((-1, None, {}))
        self._entered = True
        view = self.views.get(number)
        if view is not None and "line" in view:
            self._step.update({key: view[key] for key in ("line", "file") if key in view})
        if error is not None:
            self._step["throws"] = cut(words.of_error(error))
        self._step["first"] = self._made[number] is not None
        self._made[number] = None

    def left(self, number: int, inner: Any, yielded: Any, error: BaseException | None) -> None:
        """Note that a task's coroutine has yielded something, or has ended with `error`."""
        if self.over:
            return
        self._go_back()
        if error is None:
            place = standing(inner, self.files)
            what, on = waits_for(place, yielded, self.number, self.names.__getitem__)
            if what == "a future" and id(yielded) in self._origins:
                what = "run_in_executor()"
            view = {"state": "waiting", **self._lines(place.lines), "for": what}
            if on:
                view["on"] = on
            self._see(number, view)
        else:
            how, value = words.end_of_task(error, short)
            self._add("ended", number, how, value)
            self._ended[number] = self.index
            self._see(number, None)
        outer = self._outer.pop()
        if outer[0] >= 0:
            self._going_back = outer

    def _go_back(self) -> None:
        """Begin the step in which the code goes on that was interrupted by an eager task.

        That is not when the task's coroutine has yielded: the task may put itself into the queue.
        So it begins with the next thing that happens.
        """
        if self._going_back is not None:
            outer, task, entry = self._going_back
            self._finish()
            self._begin("back", of=outer, task=task)
            self.task, self._entry, self._entered = task, entry, True

    def marked(self, task: Any) -> None:
        """Note that a task was cancelled, and that its next step will throw a CancelledError."""
        number = self.number(task)
        if not self.over and number in self.views:
            self._go_back()
            self._see(number, {**self.views[number], "cancel": True})

    def _see(self, number: int, view: dict[str, Any] | None) -> None:
        self._step.setdefault("tasks", {})[number] = view
        if view is None:
            self.views.pop(number, None)
        else:
            self.views[number] = view

    def _lines(self, lines: list[tuple[str, int]]) -> dict[str, Any]:
        if not lines:
            return {}
        file, line = lines[-1]
        found: dict[str, Any] = {"line": line}
        number = self._number_of_file(file)
        if number:
            found["file"] = number
        if len(lines) > 1:
            found["lines"] = [line for _, line in lines]
        return found

    def _number_of_file(self, file: str) -> int:
        number = self._file_numbers.get(file)
        if number is None:
            number = self._file_numbers[file] = len(self._file_numbers)
            path = Path(file)
            name = path.name
            if path.is_relative_to(self._folder):
                name = str(path.relative_to(self._folder))
            self.emit("file", {"name": name, "path": file})
        return number

    # -- what the program says -------------------------------------------------------------------

    def printed(self, text: str, frame: FrameType | None = None) -> None:
        """Note that the program has printed a line."""
        if not self.over:
            self._go_back()
            where = self.files.caller(frame)
            row: dict[str, Any] = {"task": self.task, "text": cut(text, 400)}
            if where is not None:
                row["line"] = where.line
                if file := self._number_of_file(where.file):
                    row["file"] = file
            self._add("out", row)
            self.output += 1

    def reported(self, text: str) -> None:
        """Note that the loop has called its exception handler."""
        if not self.over:
            self._go_back()
            self._add("reports", cut(text, 400))

    # -- entries ---------------------------------------------------------------------------------

    def pushed(self, entry: Any, frame: FrameType) -> None:
        """Note an entry of the ready queue, and what has put it there."""
        if self.over:
            return
        timer = self._timers.pop(id(entry), None) if self._timers else None
        if timer is not None and hasattr(entry, "_when"):
            if self._step["kind"] != "due":
                self._finish()
                self._begin("due")
            self._heap_touched = True
            self.ready.append(timer)
            self._add("push", timer)
            return
        if self._going_back is not None and not self._of_eager(entry):
            self._go_back()
        number = self._new(self._seen(entry, frame), getattr(entry, "_callback", None))
        self.ready.append(number)
        self._add("push", number)

    def _of_eager(self, entry: Any) -> bool:
        """Return True if an entry is made at the end of an eager task's first step."""
        task = stepped_by(entry)
        future = let_go_by(entry, task)
        eager = self._step.get("task")
        return eager in (task and self.number(task), future and self.number(future))

    def _new(self, entry: dict[str, Any], callback: Any) -> int:
        number = self.entries
        self.entries += 1
        if entry["kind"] != "task" and self._is_library(callback):
            entry["library"] = True
        self._live[number] = entry
        self._add("entries", number, entry)
        return number

    def _is_library(self, callback: Any) -> bool:
        """Return True if a callback is not the program's own."""
        code = getattr(getattr(callback, "__func__", callback), "__code__", None)
        if code is None:
            return callback_name(callback) in CALLBACKS
        return not self.files[code.co_filename]

    def _seen(self, entry: Any, frame: FrameType) -> dict[str, Any]:
        """Describe an entry that is new."""
        if threading.get_ident() != self._thread:
            return self._from_thread(entry, frame)
        if self._step["kind"] in SEEN_BY_LOOP:
            return self._from_outside(entry)
        where = self.files.caller(frame)
        if where is None and "_handle_signal" in frame_names(frame):
            return self._from_outside(entry)
        task = stepped_by(entry)
        number = None if task is None else self.number(task)
        future = let_go_by(entry, task)
        if future is not None and where is not None and where.call.startswith("call_soon"):
            where = where._replace(call="")  # asyncio's C code ends futures without a frame
        if number is not None:
            return self._step_of_task(number, future, where)
        label = words.of_callback(entry, future, self)
        if future is not None and not (where and where.call == "add_done_callback"):
            other = self.number(future)
            if other is None or self._ended.get(other) == self.index:
                kind = ended_by(future, other)
                return {
                    "kind": "callback",
                    "label": label,
                    "why": words.why_done(kind, other, where, self),
                    "cause": self._cause(kind, where if other is None else None, other),
                }
        kind = where.call if where and where.call.startswith("call_soon") else "call_soon"
        if future is not None:
            kind = "callback"
        return {
            "kind": "callback",
            "label": label,
            "why": words.who_called(where, kind, self),
            "cause": self._cause(kind, where),
        }

    def _step_of_task(self, number: int, future: Any, where: Place | None) -> dict[str, Any]:
        """Describe an entry that is a task's step."""
        name = self.names[number]
        made = self._made[number]
        entry: dict[str, Any] = {"kind": "task", "task": number}
        view = self.views.get(number, {"state": "ready"})
        if made is not None and future is None:
            entry["label"] = f"first step of {name}"
            entry["why"] = self._why_made(number, made)
            entry["cause"] = made
        elif future is None:
            entry["label"] = f"{name} goes on after sleep(0)"
            place = {key: view[key] for key in ("line", "file") if key in view}
            at = f", line {view['line']}" if "line" in view else ""
            entry["why"] = f"it let the others go first{at}"
            entry["cause"] = {"kind": "sleep0", "step": self.index, "task": number, **place}
        else:
            other = self.number(future)
            kind = ended_by(future, other)
            entry["label"] = words.wakes(kind, other, where, name, self)
            entry["why"] = words.why_done(kind, other, where, self)
            entry["cause"] = self._cause(kind, where if other is None else None, other)
        woken: dict[str, Any] = {**view, "state": "ready"}
        woken.pop("for", None)
        woken.pop("on", None)
        if entry["cause"]["kind"] in ("cancel", "task_cancelled"):
            woken["cancel"] = True
        self._see(number, woken)
        return entry

    def _why_made(self, number: int, cause: dict[str, Any]) -> str:
        call = self._calls[number] or "create_task"
        return words.call_at_line(self, cause.get("task"), call, cause.get("line"))

    def _from_outside(self, entry: Any) -> dict[str, Any]:
        """Describe the callback of a descriptor that is ready, or of a signal."""
        label = words.of_callback(entry, None, self)
        origin = self._origins.get(id(entry))
        if callback_name(getattr(entry, "_callback", None)).endswith("._read_from_self"):
            waited = {"kind": "signal", "step": self.index - 1}
            cause, self._woken = self._woken or waited, None
            why = "the loop was woken" if cause["kind"] == "thread" else "a signal has come"
        else:
            cause = dict(origin[1]) if origin else self._cause("descriptor", None)
            why = words.from_outside(cause, self)
        return {"kind": "callback", "label": label, "why": why, "cause": cause}

    def _from_thread(self, entry: Any, frame: FrameType) -> dict[str, Any]:
        """Describe a callback that another thread has sent."""
        args = getattr(entry, "_args", None) or ()
        found = [self._origins[id(one)] for one in args if id(one) in self._origins]
        where = self.files.caller(frame)
        if found:
            cause = dict(found[0][1])
        else:
            cause = self._cause("thread", where)
            cause.pop("task", None)
        label = words.of_callback(entry, None, self)
        return {
            "kind": "callback",
            "label": label,
            "why": words.from_thread(cause, bool(found), self),
            "cause": cause,
        }

    def _set_timer(self, timer: Any, frame: FrameType) -> None:
        """Note a timer that was put into the heap."""
        if self.over:
            return
        self._go_back()
        where = self.files.caller(frame)
        entry = words.of_timer(timer, where, self.task, self)
        if math.isfinite(timer._when):
            entry["when"] = round(float(timer._when), 4)
        entry["cause"] = self._cause("timer", where)
        if self.task is not None:
            entry["task"] = self.task
        self._timers[id(timer)] = self._new(entry, timer._callback)
        self._heap_touched = True

    def _cause(self, kind: str, where: Place | None, task: int | None = None) -> dict[str, Any]:
        """Return the cause that a call is which happens now."""
        cause: dict[str, Any] = {"kind": kind, "step": self.index}
        if task is None:
            task = self.task
        if task is not None:
            cause["task"] = task
        if where is not None:
            cause["line"] = where.line
            file = self._number_of_file(where.file)
            if file:
                cause["file"] = file
            if where.call and where.call != kind:
                cause["call"] = where.call
        return cause


REPLACED = (
    "_process_events",
    "_timer_handle_cancelled",
    "_write_to_self",
    "call_at",
    "run_forever",
)
"""The loop's methods that a watch stands before."""

ORIGINS = {
    "_watch": "descriptor",  # of miniloop
    "_add_reader": "descriptor",  # of asyncio
    "_add_writer": "descriptor",
    "add_signal_handler": "signal",
    "run_in_executor": "thread",
}
"""The loop's methods with which a program lets the outside world wake it, and the kind of cause."""


def _forget_us(stack: list[Any], in_asyncio: bool) -> None:
    """Take the function that stands before `call_at()` out of the stack that debug mode notes."""
    if stack[-1].filename == __file__:
        del stack[-1]
        if not in_asyncio and stack and stack[-1].name == "call_later":
            del stack[-1]  # asyncio's call_later() does this itself


def frame_names(frame: FrameType | None) -> list[str]:
    """Return the names of the next few functions on the stack."""
    names = []
    for _ in range(3):
        if frame is None:
            break
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names
