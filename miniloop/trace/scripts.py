"""Records a whole program, from inside its process: all loops that it makes in the main thread.

The program is an ordinary one that nobody prepared. Whatever way it makes its loop, it gets a
recorded one, with a selector that counts ticks and, on virtual time, moves the clock instead of
waiting. `time`'s functions tell that clock, what is printed is an event, and each event is written
out at once: a process that crashes, hangs or is left by `os._exit` has still told what it did.

Two things that are undefined in asyncio are made the same on every loop, because otherwise one run
would not even agree with the next: sets of tasks are iterated in the order in which the tasks were
made (tasks hash by number; asyncio's hash by address), and `as_completed` starts coroutines in the
order given.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import io
import itertools
import json
import math
import os
import queue
import random
import re
import selectors
import signal
import sys
import threading
import time
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from . import undefined
from .account import SHUTTING_DOWN
from .clock import COST_OF_ASKING, CountingSelector, VirtualClock
from .places import cut
from .recorder import (
    Recorder,
    Steps,
    WeakOrderedSet,
    driven_by,
    not_yet,
    numbered,
    suspended_at,
)
from .threads import Threads

LIBRARIES = tuple(
    f"{one}{os.sep}" for one in (Path(asyncio.__file__).parent, Path(__file__).parents[1])
)
"""The beginnings of the paths of files that belong to asyncio or miniloop."""

TOOLS = tuple(f"miniloop.{one}" for one in ("trace", "difftest", "lab", "testing", "explore"))
"""The rooms that run no program, and whose names mean the loops as they are."""

BUSY = 100
"""Ticks without a wait after which a thread gets its turn although the loop has more to do: the
loop may be waiting for it."""

LONGEST = 0.5
"""Real seconds for which a thread waits for its turn on a loop that takes no selector, and so does
not tell when it has nothing to do."""

COLLECT = 1000
"""Ticks between two collections of garbage. When Python's own come depends on how many objects the
loop makes."""

TIME_PASSES = (
    "waits for sockets, signals or processes: time passes really, and only the order of events is "
    "compared"
)

LIBRARY = "(library)"
"""The name of all tasks that a library makes for itself."""

NEVER_AWAITED = "was never awaited"
"""The end of Python's warning about a coroutine."""

ADDRESS = re.compile(r"\b(?:0x[0-9a-fA-F]{4,}|(?=\d*[a-f])[0-9a-f]{12})\b")
FRAME = re.compile(r'(?P<margin>[ |]*)  File "(?P<file>[^"]+)", line \d+, in ')
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LIBRARY_CLASS = re.compile(r"\b(?:_?asyncio|miniloop)\.(?:[a-z_]+\.)*(?=[A-Z])")
IN_LIBRARY = re.compile(r"(?:/[^\s<>]*)?/(?:asyncio|miniloop)/(?:[a-z_]+/)?[a-z_]+\.py:\d+")
WAKE_UP = re.compile(r"\bTask\.(?:task_wakeup|__?wakeup)\b")
LONG_FRACTION = re.compile(r"\d+\.\d{4,}")


class RealClock(VirtualClock):
    """Real seconds since the run began."""

    def __init__(self) -> None:
        self._began = _monotonic()

    @property
    def now(self) -> float:  # type: ignore[override]
        """The time."""
        return _monotonic() - self._began

    def time(self) -> float:
        """Return the loop's time: seconds on the usual clock."""
        return _monotonic()

    def move(self, when: float) -> None:
        """Do nothing: this clock moves by itself."""

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        _real_sleep(seconds)


def recording(
    record: str,
    program: str,
    ticks: int,
    real_time: bool = False,
    recorder_class: Callable[..., ScriptRecorder] | None = None,
) -> ScriptRecorder:
    """Seed random numbers, and return a recorder that writes to a file."""
    out = Path(record).open("w", 1, encoding="utf-8")  # noqa: SIM115  # closed by the recorder
    recorder = (recorder_class or ScriptRecorder)(out, program, ticks, real_time)
    random.seed(0)  # so that a program without a seed gets the same numbers on all loops
    return recorder


class ScriptRecorder(Recorder):
    """Writes what happens in this process to a file, a line of JSON each.

    `["s", timeout]` is a call of `select`, `["e", tick, time, who, what]` an event; the last lines
    are `["reports", [...]]` and `["end"]`. `["note", text]` and `["stop", kind, text]` are for the
    person who compares: what to know of the comparison, and why the run was ended.
    `["order", text]` says that the loop has no ticks, and why. For the person, too, are
    `["task", who, name, library]`, the name that the program has given a task and whether the
    library has made it for itself, and `["by", who]`: the task that prints the event that follows,
    or who else does.
    """

    def __init__(self, out: TextIO, program: str, tick_limit: int, real_time: bool) -> None:
        super().__init__(program, tick_limit)
        self.place = lambda coro: without_own_names(suspended_at(coro, program))
        self.tasks = deque(maxlen=0)  # a script's tasks end when they end
        self.began = time.time()
        """The date at which virtual time begins."""
        self.real_time = False
        self.threads = Threads(self.clock)
        if real_time:
            self._leave_virtual_time()
        self.ticks = 0
        self.future_class: Any = None
        """What loops make as futures, if not what they make themselves."""
        self._out = out
        self._process = os.getpid()
        self.main_thread = threading.main_thread()
        self._notes: set[str] = set()
        self.at_work: list[str] = []
        """The tasks whose steps are not over, each inside the one before it."""
        self._running_loop: Callable[[], object] = lambda: None

    def _leave_virtual_time(self) -> None:
        self.real_time = True
        self.clock = RealClock()
        self.threads = Threads(self.clock, real_time=True)

    def write(self, *values: object) -> None:
        """Write a line of the record. A forked child of the program's does not."""
        if os.getpid() == self._process and not self._out.closed:
            self._out.write(json.dumps(values) + "\n")

    def note(self, who: str, what: str) -> None:
        """Write down one event at the present tick and time."""
        if not self.stopped:
            if who == "print":
                self.write("by", self._who_prints())
            self.write("e", self.ticks, int(self.clock.now * 1000), who, settled(what))

    def _who_prints(self) -> str:
        if threading.current_thread() is not self.main_thread:
            return "a thread"
        if self.at_work:
            return self.at_work[-1]
        return "the program" if self._running_loop() is None else "a callback"

    def remark(self, text: str) -> None:
        """Write down, once, something to know of the comparison."""
        if text not in self._notes:
            self._notes.add(text)
            self.write("note", text)

    def loop_made(self, loop: Any) -> None:
        """Do nothing: for recorders that look closer at a loop with ticks."""

    def give_up(self, kind: str, text: str) -> None:
        """End the process here and now: no handler of the program's can keep it alive."""
        self.write("stop", kind, text)
        self._out.close()
        os._exit(0)

    # -- installing -----------------------------------------------------------------------------

    def install(
        self,
        module: ModuleType,
        loop_class: Any = None,
        task_class: Any = None,
        *,
        asks_factory: bool = True,
        make_loop: Callable[[], Any] | None = None,
    ) -> None:
        """Replace the loops that the library `module` (asyncio or miniloop) makes by recorded ones.

        They are of `loop_class`, and the tasks that it makes itself of `task_class`; by default
        these are the library's own. `asks_factory` says whether its `create_task()` asks the
        task factory. A loop that takes no selector is made by `make_loop`: of such a one the
        events are recorded, and no ticks.
        """
        own_loop = getattr(module, "SelectorEventLoop", None) or vars(module)["EventLoop"]
        own_task = vars(module)["Task"]
        self._running_loop = vars(module)["_get_running_loop"]
        names = itertools.count(1)
        recorded = recorded_task(self, own_task, names)
        tasks = recorded
        if task_class not in (None, own_task):
            tasks = recorded_task(self, task_class, names)
        if make_loop is None:
            loops = recorded_loop(self, loop_class or own_loop, tasks, asks_factory)
        else:
            self._leave_virtual_time()
            self.threads.longest = LONGEST
            loops = recorded_in_real_time(self, own_loop, make_loop, tasks, asks_factory)
        stand_ins = [(own_task, recorded), (own_loop, loops)]
        eager = vars(module).get("eager_task_factory")
        if eager is not None:
            stand_ins.append((eager, vars(module)["create_eager_task_factory"](recorded)))
        for name, made_alike in MADE_ALIKE.items():
            own = vars(module)[name]
            stand_ins.append((own, made_alike(module, own)))
        self.replace(module, stand_ins)
        self.threads.install()
        time.sleep = self.threads.sleep  # type: ignore[assignment]
        if not self.real_time:
            self._install_time()
        self._install_stdout()
        self._install_warnings()
        gc.disable()
        atexit.register(self.finish)

    def replace(self, module: ModuleType, stand_ins: list[tuple[Any, Any]]) -> None:
        """Replace objects wherever the library has them under a name, in a module or in a class.

        `stand_ins` are pairs of an object and what takes its place.
        """
        new = {id(old): value for old, value in stand_ins}
        for name, submodule in list(sys.modules.items()):
            if name.partition(".")[0] != module.__name__ or name.startswith(TOOLS):
                continue
            for key, value in list(vars(submodule).items()):
                if id(value) in new:
                    setattr(submodule, key, new[id(value)])
                # Event loop policies have the class of their loops in an attribute.
                elif isinstance(value, type) and "_loop_factory" in vars(value):
                    factory: Any = vars(value)["_loop_factory"]
                    if id(factory) in new:
                        value._loop_factory = new[id(factory)]  # type: ignore[attr-defined]

    def _install_stdout(self) -> None:
        real = sys.stdout
        self.printed = Printed(self)
        buffer = PrintedBuffer(self.printed)
        sys.stdout = self.stdout = io.TextIOWrapper(
            buffer, real.encoding, real.errors, line_buffering=bool(real.line_buffering)
        )
        self.stdout.mode = "w"  # type: ignore[misc]
        self.stdout.reconfigure(write_through=True)
        sys.__stdout__ = self.stdout  # type: ignore[misc]

    def _install_warnings(self) -> None:
        show = warnings.showwarning

        def showwarning(message: Warning | str, category: type[Warning], *rest: Any) -> None:
            show(message, category, *rest)
            text = str(message)
            if category is RuntimeWarning and text.endswith(NEVER_AWAITED):
                # When a coroutine is destroyed is up to what holds it.
                self.reports.append(f"{category.__name__}: {text}")

        warnings.showwarning = showwarning  # type: ignore[assignment]

    def _install_time(self) -> None:
        clock, began = self.clock, self.began

        def seconds() -> float:
            # Whole milliseconds, as in Event.time: finer differences are noise.
            clock.now += COST_OF_ASKING
            return math.floor(clock.now * 1000) / 1000

        self.threads.alarm.install()
        time.monotonic = time.perf_counter = seconds
        # They have asked for it before.
        threading._time = queue.time = seconds  # type: ignore[attr-defined]
        time.time = lambda: began + seconds()
        time.monotonic_ns = time.perf_counter_ns = lambda: int(seconds() * 1e9)
        time.time_ns = lambda: int((began + seconds()) * 1e9)

    def finish(self) -> None:
        """Write what destructors have to say, and that the process came to its end."""
        sys.stdout.flush()
        self.printed.end_line()
        self.stop()
        main = sys.modules.get("__main__")
        if main is not None:
            vars(main).clear()
        gc.collect()
        if self.threads.time_passed and not self.real_time:
            self.remark(
                "a thread waits for something outside, or computes for long: time passes really "
                "meanwhile"
            )
        self.write("reports", sorted(self.reports))
        self.write("end")
        self._out.close()


class PrintedBuffer(io.BufferedWriter):
    """`sys.stdout.buffer`: passes on at once what is written to it."""

    def write(self, data: Any) -> int:
        """Write and flush."""
        written = super().write(data)
        self.flush()
        return written


class Printed(io.RawIOBase):
    """What stands below `sys.stdout`: each line is an event."""

    name = "<stdout>"
    mode = "wb"

    def __init__(self, recorder: ScriptRecorder) -> None:
        self._recorder = recorder
        self._line = b""
        self._frame = ""  # how the lines begin that belong to a library's frame

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that children of the program get as their standard output."""
        return 1

    def write(self, data: Any) -> int:
        """Note the lines that are complete by now."""
        data = bytes(data)
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._note(line)
        return len(data)

    def end_line(self) -> None:
        """Note what is left of a line."""
        if self._line:
            self._note(self._line)
            self._line = b""

    def close(self) -> None:
        """Note what is left of a line, and close this."""
        self.end_line()
        super().close()

    def _note(self, line: bytes) -> None:
        encoding = self._recorder.stdout.encoding
        try:
            text = line.decode(encoding)
            binary = "\0" in text
        except UnicodeDecodeError:
            text = line.decode(encoding, "backslashreplace")
            binary = True
        if binary:
            self._recorder.remark("prints bytes that are no text: they are shown as \\x..")
        text = CONTROL.sub(lambda one: f"\\x{ord(one[0]):02x}", text)
        if not self._is_of_library_frame(text):
            self._recorder.note("print", text)

    def _is_of_library_frame(self, text: str) -> bool:
        """Return whether a line belongs to a traceback's frame of the loop itself.

        How many frames a library has between two of the program's is its own affair.
        """
        frame = FRAME.match(text)
        if frame is not None:
            ours = is_of_library(frame["file"])
            self._frame = frame["margin"] + "    " if ours else ""
            return ours
        if self._frame and text.startswith(self._frame):
            return True
        self._frame = ""
        return False


def is_of_library(path: str) -> bool:
    """Return whether a file is asyncio's or miniloop's."""
    return path.startswith(LIBRARIES)


def without_own_names(place: str) -> str:
    """Return where a coroutine is suspended, without the name of a library's own function."""
    *places, last = place.split(" > ")
    return " > ".join([*places, LIBRARY if last.startswith("_") else last])


def settled(text: str) -> str:
    """Return text without what differs from run to run or library to library.

    These are addresses, digits past the millisecond, the module that a class of asyncio's stands
    in, the line of the library that a callback is defined in, and the name of the one that
    wakes a task, which asyncio's C and Python code do not share.
    """
    text = WAKE_UP.sub("Task.__wakeup", ADDRESS.sub("0x...", text))
    text = IN_LIBRARY.sub("asyncio", LIBRARY_CLASS.sub("asyncio.", text))
    return LONG_FRACTION.sub(lambda number: f"{float(number[0]):.3f}", text)


class ScriptSelector(CountingSelector):
    """Counts the ticks of all loops of the program together; waits where time must not jump."""

    def __init__(self, recorder: ScriptRecorder, real: selectors.BaseSelector) -> None:
        super().__init__(recorder.clock, recorder.selector.tick_limit)
        self._real.close()
        self._real = real
        self._recorder = recorder
        self._threads = recorder.threads
        self._busy = 0
        self.loop: Any = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Count a tick, and wait as virtual or real time has it."""
        recorder = self._recorder
        recorder.ticks += 1
        recorder.write("s", round(timeout, 3) if timeout else timeout)
        if recorder.ticks > self.tick_limit:
            recorder.give_up("endless", f"still running after {self.tick_limit:,} ticks")
        if recorder.ticks % COLLECT == 0:
            gc.collect()
        ready: list[Any] = self._real.select(0)
        if ready and has_processes():
            self._time_passes()  # a process may be the quicker one
        if not ready:
            ready = self._wait_for(timeout)
        ready.sort(key=lambda pair: self._registered.get(pair[0].fd, 0))
        return ready

    def _wait_for(self, timeout: float | None) -> list[Any]:
        """Let time pass: virtually, unless something outside can end the wait."""
        threads = self._threads
        self._busy = self._busy + 1 if timeout == 0 else 0
        if timeout is not None and timeout <= 0:
            if self._busy % BUSY == BUSY - 1 or (
                threads.has_ready() and undefined.thread_comes_between()
            ):
                threads.give_turn_in_passing()
            return []
        deadline = None if timeout is None else self.clock.now + math.ceil(timeout * 1e3) * 1e-3
        ready: list[Any] | None = threads.pass_time(
            deadline, self._real.select, self._awaits_others, self._stuck
        )
        if ready and self._awaits_others():
            self._time_passes()
        return ready or []

    def _time_passes(self) -> None:
        if not self._recorder.real_time:
            self._recorder.remark(TIME_PASSES)

    def _awaits_others(self) -> bool:
        """Return whether something outside can wake the loop: a descriptor, a signal, a process."""
        own = getattr(self.loop, "_ssock", None)
        count = len(self._registered) - (own is not None and own.fileno() in self._registered)
        signals = getattr(self.loop, "_signal_handlers", None)
        return count > 0 or bool(signals) or has_processes() or self._awaits_alarm()

    def _awaits_alarm(self) -> bool:
        # On virtual time the clock knows of it.
        return self._recorder.real_time and signal.getitimer(signal.ITIMER_REAL)[0] > 0

    def _stuck(self) -> None:
        waiting = [
            f"{steps._name} at {steps.place()}"
            for steps in self._recorder_steps()
            if steps.pending()
        ]
        what = f"; waiting: {', '.join(waiting[:8])}" if waiting else ""
        self._recorder.give_up(
            "deadlock",
            "waits for ever: nothing is ready, no timer is set, and no thread, socket or signal "
            f"can wake it{what}",
        )

    def _recorder_steps(self) -> list[Any]:
        found = [one for one in gc.get_objects() if issubclass(type(one), ScriptSteps)]
        return sorted(found, key=lambda steps: steps.number)


def has_processes() -> bool:
    """Return whether the program has children that multiprocessing has begun and not joined."""
    # Not active_children(): that joins those that have ended, and others want to do so.
    module = sys.modules.get("multiprocessing.process")
    return module is not None and bool(module._children)


class ScriptSteps(Steps):
    """Steps that tell their recorder whose task is at work, and can say where they stand."""

    def __init__(self, coro: Any, inner: Any, name: str, number: int, recorder: Any) -> None:
        code = getattr(inner, "cr_code", None)
        by_library = bool(code and is_of_library(code.co_filename))
        if by_library and name.startswith("_"):
            name = LIBRARY  # what it calls its own tasks is its own affair
        super().__init__(coro, inner, name, number, recorder)
        self._at_work: list[str] = recorder.at_work
        if by_library and (name == LIBRARY or name in SHUTTING_DOWN):
            recorder.write("task", self._name, "", True)

    def pending(self) -> bool:
        """Return whether the task has not ended."""
        task = self.task()
        return task is not None and not task.done()

    def place(self) -> str:
        """Return the line that the task waits in."""
        return suspended_at(self._coro, self._recorder.program)

    def send(self, value: Any) -> Any:  # noqa: D102
        self._at_work.append(self._name)
        try:
            return super().send(value)
        finally:
            self._at_work.pop()

    def throw(self, *error: Any) -> Any:  # noqa: D102
        self._at_work.append(self._name)
        try:
            return super().throw(*error)
        finally:
            self._at_work.pop()


def recorded_task(recorder: ScriptRecorder, task_class: Any, names: Iterator[int]) -> Any:
    """Return a class of tasks whose steps are recorded, however they are made.

    Tasks come out of sets in the order in which they were made. The first without a name of its own
    is Task-1; classes that share their `names` count on together.
    """
    drives = driven_by(task_class)

    class Task(numbered(task_class)):  # type: ignore[misc]
        def __init__(self, coro: Any, *, name: Any = None, **keywords: Any) -> None:
            if drives(coro):  # what is no coroutine is for the library to refuse
                number = f"Task-{next(names)}" if name is None else name
                if threading.current_thread() is recorder.main_thread:
                    if not isinstance(coro, Steps):  # by a loop that asks no factory
                        coro = recorder.steps(coro, ScriptSteps)
                    coro.task = weakref.ref(self)
                    recorder.tasks.append(self)
                    self._recorded_as = coro._name
                    self._note_name(name)
                name = number
            super().__init__(coro, name=name, **keywords)

        def set_name(self, name: Any) -> None:
            # asyncio 3.13.0 names tasks "None" where there is a task factory, as here.
            if name is not None:
                super().set_name(name)
            self._note_name(name)

        def get_coro(self) -> Any:
            coro = super().get_coro()
            return coro._coro if isinstance(coro, Steps) else coro

        def _note_name(self, name: Any) -> None:
            recorded_as = getattr(self, "_recorded_as", None)
            if recorded_as is not None and name is not None:
                recorder.write("task", recorded_as, cut(str(name), 40), False)

    Task.__qualname__ = "Task"
    Task.__module__ = task_class.__module__
    return Task


def recorded_loop(
    recorder: ScriptRecorder, base: Any, task_class: Any, asks_factory: bool = True
) -> Any:
    """Return a class of selector loops that are recorded when made in the main thread."""

    class Loop(watched_loop(recorder, base, task_class, asks_factory)):  # type: ignore[misc]
        def __init__(self, selector: Any = None) -> None:
            self._recorded = threading.current_thread() is recorder.main_thread
            if not self._recorded:
                recorder.remark("loops in other threads run on real time and are not recorded")
                super().__init__(selector)
                return
            selector = selector or selectors.DefaultSelector()
            # Loops log the name of its class.
            named_alike = type(type(selector).__name__, (ScriptSelector,), {})
            counting = named_alike(recorder, selector)
            super().__init__(counting)
            counting.loop = self
            self._begin_recording()
            recorder.loop_made(self)

        def time(self) -> float:
            # Not super().time(): it would ask `time.monotonic`, which tells virtual time.
            return recorder.clock.time() if self._recorded else _monotonic()

        def call_soon_threadsafe(self, *args: Any, **keywords: Any) -> Any:
            call = super().call_soon_threadsafe
            if not self._recorded or threading.current_thread() is recorder.main_thread:
                return call(*args, **keywords)
            return recorder.threads.call_in_turn(lambda: call(*args, **keywords))

    Loop.__name__ = Loop.__qualname__ = "EventLoop"  # in reprs that a program may print
    Loop.__module__ = base.__module__
    return Loop


def recorded_in_real_time(
    recorder: ScriptRecorder,
    own_loop: Any,
    make_loop: Callable[[], Any],
    task_class: Any,
    asks_factory: bool,
) -> Any:
    """Return a class that stands in for `own_loop` and makes loops that take no selector."""
    dressed: dict[Any, Any] = {}

    class Loop(own_loop):  # type: ignore[misc]
        def __new__(cls, *_: object) -> Any:
            loop = make_loop()
            if threading.current_thread() is recorder.main_thread:
                kind = type(loop)
                if kind not in dressed:
                    dressed[kind] = watched_loop(recorder, kind, task_class, asks_factory)
                try:
                    loop.__class__ = dressed[kind]
                    loop._recorded = True
                    loop._begin_recording()
                except TypeError:  # it is written in C
                    if not asks_factory:
                        name = f"{kind.__module__}.{kind.__qualname__}"
                        recorder.give_up("bad", f"{name} is written in C, and asks no task factory")
                    loop.set_exception_handler(recorder.exception_handler)
                    loop.set_task_factory(
                        lambda loop, coro, **keywords: task_class(coro, loop=loop, **keywords)
                    )
                recorder.write("s", None)  # for one that looks whether a loop was made
            return loop

    Loop.__name__ = Loop.__qualname__ = "EventLoop"
    Loop.__module__ = own_loop.__module__
    return Loop


def watched_loop(recorder: ScriptRecorder, base: Any, task_class: Any, asks_factory: bool) -> Any:
    """Return a class of loops whose tasks and reports are recorded."""

    class Loop(base):  # type: ignore[misc]
        _recorded = False
        _users_factory: Any = None

        def _begin_recording(self) -> None:
            # They are closed in its order, which is undefined.
            self._asyncgens = WeakOrderedSet()
            if asks_factory:
                super().set_task_factory(make_task)

        def call_exception_handler(self, context: dict[str, Any]) -> None:
            if self._recorded and not recorder.is_report(context):
                recorder.exception_handler(self, context)
            super().call_exception_handler(context)

        if recorder.future_class is not None:

            def create_future(self) -> Any:
                return recorder.future_class(loop=self)

        if asks_factory:

            def set_task_factory(self, factory: Any) -> None:
                super().set_task_factory(factory)
                self._users_factory = factory
                if factory is None and self._recorded:
                    super().set_task_factory(make_task)

            def get_task_factory(self) -> Any:
                return self._users_factory

        else:

            def create_task(self, coro: Any, **keywords: Any) -> Any:
                if self._recorded and asyncio.iscoroutine(coro):
                    coro = recorder.steps(coro, ScriptSteps)
                    coro.task = not_yet
                return super().create_task(coro, **keywords)

    def make_task(loop: Any, coro: Any, **keywords: Any) -> Any:
        return task_class(coro, loop=loop, **keywords)

    Loop.__name__ = Loop.__qualname__ = "EventLoop"
    Loop.__module__ = base.__module__
    return Loop


def in_given_order(module: Any, as_completed: Callable[..., Any]) -> Callable[..., Any]:
    """Return `as_completed`, with coroutines started in the order given."""

    def started(fs: Any, *, timeout: float | None = None) -> Any:
        if not (module.isfuture(fs) or module.iscoroutine(fs)):
            fs = undefined.start_order(list(dict.fromkeys(fs)))
            fs = [module.ensure_future(one) for one in fs]
        return as_completed(fs, timeout=timeout)

    return started


def in_order(module: Any, all_tasks: Callable[..., Any]) -> Callable[..., Any]:
    """Return `all_tasks`, with a set whose order does not depend on how it was filled."""
    return lambda loop=None: set(sorted(all_tasks(loop), key=hash))  # noqa: C414


MADE_ALIKE = {"as_completed": in_given_order, "all_tasks": in_order}
"""What makes functions of a library do the same each time, by their names."""

_monotonic = time.monotonic
_real_sleep = time.sleep
