"""Watches a loop from outside: each step, what it changed, and the cause of each queue entry.

A `Watch` is attached to a loop that was made already. It changes nothing in the loop's class. It
puts a deque that tells it of each `append()` and `popleft()` in the place of the ready queue, and
stands between the loop and its selector, so it sees every border between two things that the loop
does. What lies between two borders is a *step*. A loop that nobody watches pays nothing.

The program waits while a watch notes something. So it notes bare facts, numbers and names above
all, and only what may be gone or changed later: the lines on the stack and of suspended coroutines,
how futures have ended, the heap as it is, and the reprs of what can change (an exception, a task's
result, the seconds of a `sleep()`, the value of a context variable). `account.py` makes steps and
sentences of these facts.

All facts stand in one list, in their order, value by value: no object is made of a fact, and so the
garbage collector has nothing to look at. The fact with which a step begins is the border between
two steps. A process that may crash or hang tells its facts a step at a time, as soon as the
step is over. `document.py` puts the steps together.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from threading import get_ident
from types import FrameType, FunctionType
from typing import Any

from . import words
from .account import SEEN_BY_LOOP, Call
from .causes import CALLBACKS, callback_name, ended_by, let_go_by, stepped_by
from .clock import VirtualClock
from .places import Files, Standing, cut, short, waits_for

MOST_STEPS = 10_000
"""Steps after which a recording ends, unless its maker says otherwise."""


class WatchedQueue(deque[Any]):
    """A ready queue that tells a watch what goes in and what comes out."""

    def __init__(self, watch: Watch, entries: Any) -> None:
        super().__init__(entries)
        self._watch = watch

    def append(self, entry: Any) -> None:
        """Put an entry at the end. Other threads do so, too.

        It is noted first, so the loop takes out no entry that the watch does not know.
        """
        watch = self._watch
        with watch.lock:
            watch.pushed(entry)
            super().append(entry)

    def popleft(self) -> Any:
        """Take the first entry out: the step before is over, and this one's begins."""
        entry = super().popleft()
        self._watch.popped(entry)
        return entry

    def clear(self) -> None:
        """Forget all entries, as a loop does that is closed."""
        while self:
            self.popleft()


class Watch:
    """Records one run as a list of facts; `clock.now` is the time in seconds.

    A fact is a kind and so many values as the kind has; `account.py` has the kinds. The first fact
    of a step has the time as its first value. `tell(facts)` is called at the end of each step, and
    gets its facts. Without `tell`, all facts stay in `facts`.
    `stop(kind, text)` is called when there are more than `most_steps` steps.
    """

    def __init__(
        self,
        clock: VirtualClock,
        script: str = "",
        most_steps: int = MOST_STEPS,
        tell: Callable[[list[Any]], object] | None = None,
        stop: Callable[[str, str], object] = lambda kind, text: None,
    ) -> None:
        self.facts = facts = list[Any]()
        """What was seen, and not told yet: of each fact its kind, then its values."""
        self._tell = tell
        self._clock = clock
        self.files = Files(lambda path: facts.extend(("file", path)))
        self.files.add(script)
        self.most_steps = most_steps
        self.lock = threading.RLock()
        self._stop = stop
        self._thread = get_ident()
        self._loops: list[weakref.ref[Any]] = []

        # Tasks, by number.
        self._count = 0
        self._no_tasks: set[type] = set()  # the classes of what was taken for a task and is none
        self._alive: set[int] = set()
        self._unstarted: set[int] = set()
        self._named: set[int] = set()  # those that the program has given a name
        self._without_context: set[int] = set()  # those whose context is not known yet

        # Entries.
        self._ready: deque[int | None] = deque()  # the task of each entry of the queue
        self._entries = 0  # how many there were
        self._entries_before = 0  # how many of them before the step, if that is outside the loop
        self._timers: dict[int, int] = {}  # by the id of the handle, while it is in the heap
        self._heap_size = 0  # of the heap, as far as it is known
        self._heap_touched = False  # in a way that the account cannot know of
        self.whole_heap = False
        """True if each change of the heap is told with the whole heap. That takes longer. Without
        it the account does with its own heap what the loop does."""
        self._origins: dict[int, tuple[Any, Call]] = {}  # of handles and futures, by id
        self._signals = False  # True once the program has registered a handler
        self._woken: Call | None = None  # what has written to the self-pipe

        # Contexts: their numbers by id, and of the present one its variables before the step.
        self._contexts: dict[int, tuple[int, Any]] = {}
        self._context: Any = None
        self._variables: dict[Any, Any] = {}
        self._context_count = 0

        # The step.
        self.over = False
        self.task: int | None = None
        """The task whose code runs."""
        self._kind = ""
        self._index = -1
        self.stood: tuple[Standing, list[Any]] | None = None
        """Where the coroutine stands that has just yielded, and its chain, if that is known."""
        self._entered = False  # True once the coroutine of the step's task was resumed
        self._outer: list[tuple[int, int, int | None]] = []  # the tasks that have started eagerly
        self._going_back: tuple[int, int | None] | None = None
        self._begin_outside()

    # -- attaching ---------------------------------------------------------------------------

    def attach(self, loop: Any) -> None:
        """Watch a loop of miniloop or asyncio from now on."""
        itself = weakref.ref(loop)
        self._loops.append(itself)
        if loop._scheduled or len(self._loops) > 1:
            self.whole_heap = self._heap_touched = True
        loop._ready = WatchedQueue(self, loop._ready)
        loop._selector.select = self._watched_select(itself, loop._selector.select)
        run_forever, call_at = loop.run_forever, loop.call_at
        timer_handle_cancelled = loop._timer_handle_cancelled

        def run() -> None:
            try:
                run_forever()
            finally:
                self.facts.extend(("returns",))
                self._begin_outside()

        def at(when: float, callback: Any, *args: Any, **keywords: Any) -> Any:
            if self._going_back is not None and not self.over:
                self._go_back()  # before the heap has a timer that is not known yet
            timer = call_at(when, callback, *args, **keywords)
            if timer._source_traceback:
                _forget_us(timer._source_traceback, in_asyncio)
            self._set_timer(timer, sys._getframe(1))
            return timer

        def cancelled(handle: Any) -> None:
            number = self._timers.get(id(handle))
            if number is not None and not self.over:
                self.facts.extend(("void", number))
            timer_handle_cancelled(handle)

        in_asyncio = not hasattr(type(loop), "_takes_tasks")
        write_to_self = loop._write_to_self

        def write() -> None:
            with self.lock:
                if not self.over:
                    self._woken = self._call("thread", sys._getframe(1))
            write_to_self()

        loop._write_to_self = write
        loop.run_forever, loop.call_at = run, at
        loop._timer_handle_cancelled = cancelled
        for name, kind in ORIGINS.items():
            if hasattr(loop, name):
                setattr(loop, name, self._noting_origin(loop, name, kind))

    def _noting_origin(self, loop: Any, name: str, kind: str) -> Callable[..., Any]:
        """Return a method of the loop that notes who registers a descriptor or employs a thread."""
        original = getattr(loop, name)

        def call(*args: Any, **keywords: Any) -> Any:
            made = original(*args, **keywords)
            thing = made
            if kind == "signal":
                self._signals = True
                thing = loop._signal_handlers.get(args[0])
            if thing is not None and not self.over:
                key, forget = id(thing), self._origins.pop
                reference = weakref.ref(thing, lambda _: forget(key, None))
                if key not in self._origins:
                    self._origins[key] = reference, self._call(kind, sys._getframe(1))
            return made

        return call

    # -- steps -------------------------------------------------------------------------------

    def _begin(self, first: tuple[Any, ...]) -> None:
        """End the step, and begin another with its first fact."""
        if self.over:
            return
        self._going_back = None
        if self._heap_touched or self._context or self._variables or self._tell is not None:
            self._finish()
        if self._index + 1 >= self.most_steps:
            text = f"the recording was cut off after {self.most_steps:,} steps; --steps allows more"
            self.end("cut", text)
            self._stop("cut", text)
            return
        self._index += 1
        self._kind = first[0]
        self.task = self._context = None
        self._entered = False
        self.facts.extend(first)

    def _begin_outside(self) -> None:
        """Begin a step outside the loop."""
        self._begin(("outside", self._clock.now))
        self._entries_before = self._entries

    def _finish(self) -> None:
        """Note what has changed in the step, and tell of it."""
        if self._heap_touched:
            self._look_at_heap()
        if self._context or self._variables:
            self._look_at_variables()
            self._context, self._variables = None, {}
        if self._tell is not None and self.facts:
            with self.lock:  # another thread may note something
                self._tell(self.facts)
                self.facts.clear()

    def _look_at_heap(self) -> None:
        """Note the heap."""
        self._heap_touched = False
        number = self._timers.get
        heap: list[int] = []
        for loop in filter(None, (one() for one in self._loops)):
            scheduled = loop._scheduled
            if scheduled and hasattr(scheduled[0], "timer"):  # miniloop's heap holds deadlines
                heap += [number(id(one.timer), -1) for one in scheduled]
            else:
                heap += [number(id(one), -1) for one in scheduled]
        self._heap_size = len(heap)
        self.facts.extend(("heap", heap))

    def _look_at_variables(self) -> None:
        """Note which context variables the step has set, or reset to nothing, since the last look.

        A variable does not tell when it is set. So the watch looks before all else that a step is
        said to do, and each thing comes in its order.
        """
        before = self._variables
        self._variables = after = dict(self._context.items())
        for variable in {**before, **after}:
            if variable not in after:
                self.facts.extend(("set", variable.name, None))
            elif variable not in before or before[variable] is not after[variable]:
                self.facts.extend(("set", variable.name, short(after[variable])))

    def end(self, kind: str, say: str) -> None:
        """Record the end of the run, for the reason `kind`, with a sentence that says it."""
        if not self.over:
            self._finish()
            self.facts.extend(("over", kind, say))
            if self._tell is not None:
                self._tell(self.facts)
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

    def _watched_select(self, loop: Any, select: Callable[..., Any]) -> Callable[..., Any]:
        """Return a `select()` that notes the borders of its step. `loop` is a weak reference."""

        def watched_select(timeout: float | None = None) -> Any:
            if self._heap_size and len(loop()._scheduled) != self._heap_size:
                self._heap_touched = True  # cancelled timers were dropped
            self._begin(("wait", self._clock.now, timeout))
            events = select(timeout)
            if events:
                self._begin(("descriptors", self._clock.now))
            return events

        return watched_select

    def popped(self, taken: Any) -> None:
        """Begin the step of the entry that was taken out of the ready queue."""
        if self.over:
            return
        kind = self._kind
        if kind != "run":
            if kind == "outside":  # the loop is closed: nothing runs any more
                if self._entries != self._entries_before:  # a step pops before it pushes
                    self._begin_outside()
                self.facts.extend(("drop",))
                self._ready.popleft()
                return
            if kind in SEEN_BY_LOOP:
                self.facts.extend(BATCH_BEGINS)
        self._begin(("run", self._clock.now))
        self.task = task = self._ready.popleft()
        self._context = context = getattr(taken, "_context", None)
        if context:
            self._variables = dict(context.items())
        if task is None:
            if getattr(taken, "_cancelled", False):
                self.facts.extend(SKIPPED)
        elif NAMED_LATE and task in self._unstarted:
            made = stepped_by(taken)
            if made is not None:
                self._see_name(task, made)

    # -- tasks ---------------------------------------------------------------------------------

    def made(self, coro: Any, code_name: str, frame: FrameType) -> int:
        """Note a new task, around a coroutine; returns its number."""
        self._before_deed()
        number = self._count
        self._count += 1
        self._alive.add(number)
        self._unstarted.add(number)
        self._without_context.add(number)
        place, _ = self.files.standing(coro)
        self.facts.extend(("made", code_name, self.files.caller(frame), place.lines))
        return number

    def number(self, task: Any) -> int | None:
        """Return the number of a task, or None if it is something else, or of another loop."""
        found: Any = getattr(task, "_trace_number", None)
        if found is not None or type(task) in self._no_tasks:
            return found  # type: ignore[no-any-return]
        if not hasattr(task, "get_coro"):
            self._no_tasks.add(type(task))
            return None
        found = getattr(getattr(task, "_coro", None), "trace_number", None)
        if found is not None:
            try:
                task._trace_number = found
            except AttributeError:
                return found  # type: ignore[no-any-return]
            self._see_name(found, task)
        return found  # type: ignore[no-any-return]

    def _see_name(self, number: int, task: Any) -> None:
        """Show a task under the name that the program has given it."""
        name = cut(str(task.get_name()), 40)
        if not name.startswith("Task-") and name != "None" and number not in self._named:
            self._named.add(number)
            self.facts.extend(("name", number, name))

    def enter(self, number: int, error: BaseException | None) -> None:
        """Note that a task's coroutine is resumed, with `error` thrown in if there is one."""
        if self.over:
            return
        if self._going_back is not None:
            self._go_back()
        if self._entered or self.task != number or self._kind not in ("run", "back"):
            outer = self._index
            self._outer.append((number, outer, self.task))
            self._begin(("eager", self._clock.now, number, outer))
            self.task = number
        self._entered = True
        if number in self._unstarted:
            self._unstarted.discard(number)
        self.facts.extend(RESUMED if error is None else ("resume", cut(words.of_error(error))))

    def left(self, number: int, inner: Any, yielded: Any, error: BaseException | None) -> None:
        """Note that a task's coroutine has yielded something, or has ended with `error`."""
        if self.over:
            return
        if self._going_back is not None:
            self._go_back()
        if error is not None:
            self.facts.extend(("end", number, *words.end_of_task(error, short)))
            self._alive.discard(number)
        elif yielded is None:
            place, _ = self.stood or self.files.standing(inner)
            self.facts.extend(("yield", number, place.lines))
        else:
            place, chain = self.stood or self.files.standing(inner)
            what, joint, on = waits_for(place, chain, yielded, self.number)
            if what == "a future" and id(yielded) in self._origins:
                what = "run_in_executor()"
            self.facts.extend(("suspend", number, place.lines, what, joint, on))
        self.stood = None
        if self._outer and self._outer[-1][0] == number:
            self._going_back = self._outer.pop()[1:]

    def _go_back(self) -> None:
        """Begin the step in which the code goes on that was interrupted by an eager task.

        That is not when the task's coroutine has yielded: the task may put itself into the queue.
        So it begins with the next thing that happens.
        """
        assert self._going_back is not None
        outer, task = self._going_back
        self._begin(("back", self._clock.now, outer, task))
        self.task, self._entered = task, True

    def marked(self, task: Any, frame: FrameType) -> None:
        """Note that a task was cancelled, and that its next step will throw a CancelledError."""
        number = self.number(task)
        if not self.over and number in self._alive:
            if self._going_back is not None:
                self._go_back()
            self.facts.extend(("mark", number, self.files.caller(frame)))

    def _before_deed(self) -> None:
        """Note what has come before something that the code of the step does now."""
        if self._going_back is not None:
            self._go_back()
        if self._context or self._variables:
            self._look_at_variables()

    # -- what the program says -------------------------------------------------------------------

    def printed(self, text: str, frame: FrameType | None = None) -> None:
        """Note that the program has printed a line."""
        if not self.over:
            self._before_deed()
            self.facts.extend(("print", cut(text, 400), self.files.caller(frame)))

    def reported(self, text: str) -> None:
        """Note that the loop has called its exception handler."""
        if not self.over:
            self._before_deed()
            self.facts.extend(("report", cut(text, 400)))

    # -- entries ---------------------------------------------------------------------------------

    def pushed(self, entry: Any) -> None:
        """Note an entry of the ready queue, and what has put it there.

        The caller of the caller is what has put it there.
        """
        if self.over:
            return
        number = getattr(entry, "_trace_number", None)  # miniloop's tasks stand in the queue
        if (
            number is not None
            and number == self.task
            and entry._fut_waiter is None
            and self._kind == "run"
            and self._going_back is None
        ):
            self._entries += 1  # fast: the task that runs gives way, so nothing is to be found out
            self._ready.append(number)
            self.facts.extend(("ready", number))
            return
        timer = self._timers.pop(id(entry), None) if self._timers else None
        if timer is not None and hasattr(entry, "_when"):
            if self._kind != "due":
                self._begin(("due", self._clock.now))
            self._heap_size -= 1
            self._heap_touched = self.whole_heap
            self._ready.append(None)
            self.facts.extend(("moved", timer))
            return
        if self._going_back is not None and not self._of_eager(entry):
            self._go_back()
        self._entries += 1
        if get_ident() != self._thread:
            self._push_from_thread(entry, sys._getframe(2))
        elif self._kind in SEEN_BY_LOOP:
            self._push_from_outside(entry)
        else:
            self._push(entry, number)

    def _push(self, entry: Any, number: int | None) -> None:
        """Note an entry that the program has made, or the library in a callback.

        `number` is that of the task which the entry itself is.
        """
        task = entry
        if number is None:
            task = stepped_by(entry)
            number = None if task is None else self.number(task)
        future = let_go_by(entry, task)
        if number in self._without_context:
            self._without_context.discard(number)
            self.facts.extend(("context", number, self._number_of_context(entry)))
        if future is None and number is not None:  # the account knows the line
            self._ready.append(number)
            self.facts.extend(("ready", number))
            return
        frame = sys._getframe(3)
        where = self.files.caller(frame)
        if where is None and self._signals and "_handle_signal" in frame_names(frame):
            self._push_from_outside(entry)
            return
        kind = other = None
        if future is not None:
            other = self.number(future)
            kind = ended_by(future, other)
            if where is not None and where[2].startswith("call_soon"):
                where = (*where[:2], "")  # asyncio's C code ends futures without a frame
        self._ready.append(number)
        if number is not None:
            self.facts.extend(("step", number, kind, other, where))
            return
        name = "" if task is not None else name_of(entry)
        library = self._is_library(entry)
        context = None if library else self._number_of_context(entry)
        self.facts.extend(("callback", name, library, context, kind, other, where))

    def _number_of_context(self, entry: Any) -> int | None:
        """Return the number of the context that an entry runs in, or None if it does not say."""
        context = getattr(entry, "_context", None)
        if context is None:
            return None
        key, contexts = id(context), self._contexts
        if key not in contexts:
            reference = weakref.ref(context, lambda _: contexts.pop(key, None))
            contexts[key] = self._context_count, reference
            self._context_count += 1
        return contexts[key][0]

    def _of_eager(self, entry: Any) -> bool:
        """Return True if an entry is made at the end of an eager task's first step."""
        task = stepped_by(entry)
        future = let_go_by(entry, task)
        return self.task in (task and self.number(task), future and self.number(future))

    def _push_from_outside(self, entry: Any) -> None:
        """Note the callback of a descriptor that is ready, or of a signal."""
        name = name_of(entry)
        wakes_loop = name is not None and name.endswith("._read_from_self")
        if wakes_loop:
            origin, self._woken = self._woken, None
        else:
            _, origin = self._origins.get(id(entry), (None, None))
        self._ready.append(None)
        self.facts.extend(("from_outside", name, self._is_library(entry), wakes_loop, origin))

    def _push_from_thread(self, entry: Any, frame: FrameType) -> None:
        """Note a callback that another thread has sent."""
        args = getattr(entry, "_args", None) or ()
        found = [self._origins[id(one)][1] for one in args if id(one) in self._origins]
        origin = found[0] if found else None
        where = self.files.caller(frame)
        self._ready.append(None)
        self.facts.extend(("from_thread", name_of(entry), self._is_library(entry), origin, where))

    def _is_library(self, entry: Any) -> bool:
        """Return True if a callback is not the program's own."""
        callback: Any = getattr(entry, "_callback", None)
        if type(callback) is FunctionType:  # fast: most are
            return self.files[callback.__code__.co_filename] < 0
        code = getattr(getattr(callback, "__func__", callback), "__code__", None)
        if code is None:
            return callback_name(callback) in CALLBACKS
        return self.files[code.co_filename] < 0

    def _set_timer(self, timer: Any, frame: FrameType) -> None:
        """Note a timer that was put into the heap."""
        if self.over:
            return
        when = float(timer._when)
        delay = when - self._clock.now
        where = self.files.caller(frame)
        name = callback_name(timer._callback)
        library = self._is_library(timer)
        context = None if library else self._number_of_context(timer)
        self.facts.extend(("timer", name, library, context, when, delay, where))
        self._timers[id(timer)] = self._entries
        self._entries += 1
        self._heap_size += 1
        self._heap_touched = self.whole_heap

    def _call(self, kind: str, frame: FrameType) -> Call:
        """Return what is known of a call that happens now, and will cause something later."""
        return kind, self._index, self.task, self.files.caller(frame)


NAMED_LATE = sys.version_info < (3, 14)
"""True if asyncio names a task only after a task factory has made it, as that of 3.13.0 does."""

BATCH_BEGINS = ("batch",)
RESUMED = ("resume", None)
SKIPPED = ("skip",)
"""Facts that are the same each time."""


def name_of(entry: Any) -> str | None:
    """Return the qualified name of a callback, or None if it was cancelled."""
    callback = getattr(entry, "_callback", None)
    return None if callback is None else callback_name(callback)


REPLACED = (
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
