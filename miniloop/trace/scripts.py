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
import json
import math
import os
import re
import selectors
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from .clock import COST_OF_ASKING, CountingSelector, VirtualClock
from .recorder import Recorder, Steps, numbered_task, suspended_at
from .threads import Threads

LIBRARIES = {Path(asyncio.__file__).parent, Path(__file__).parents[1]}
"""Where asyncio and miniloop stand."""

SLICE = 0.0005
"""Real seconds of one look at what threads and sockets do."""

TIME_PASSES = (
    "waits for sockets, signals or processes: time passes really, and only the order of events is "
    "compared"
)

ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LIBRARY_CLASS = re.compile(r"\b(?:_?asyncio|miniloop)\.(?:[a-z_]+\.)*(?=[A-Z])")
IN_LIBRARY = re.compile(r"(?:/[^\s<>]*)?/(?:asyncio|miniloop)/[a-z_]+\.py:\d+")
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
        """The loop's time: seconds on the usual clock."""
        return _monotonic()


class ScriptRecorder(Recorder):
    """Writes what happens in this process to a file, a line of JSON each.

    `["s", timeout]` is a call of `select`, `["e", tick, time, who, what]` an event; the last lines
    are `["reports", [...]]` and `["end"]`. `["note", text]` and `["stop", kind, text]` are for the
    person who compares: what to know of the comparison, and why the run was ended.
    """

    def __init__(self, out: TextIO, program: str, tick_limit: int, real_time: bool) -> None:
        super().__init__(program, tick_limit)
        self.tasks = deque(maxlen=0)  # a script's tasks end when they end
        if real_time:
            self.clock = RealClock()
        self.real_time = real_time
        self.threads = Threads(self.clock)
        self.ticks = 0
        self._out = out
        self._process = os.getpid()
        self._main_thread = threading.main_thread()
        self._notes: set[str] = set()

    def write(self, *values: object) -> None:
        """Write a line of the record. A forked child of the program's does not."""
        if os.getpid() == self._process and not self._out.closed:
            self._out.write(json.dumps(values) + "\n")

    def note(self, who: str, what: str) -> None:
        """Write down one event at the present tick and time."""
        if not self.stopped:
            self.write("e", self.ticks, int(self.clock.now * 1000), who, what)

    def remark(self, text: str) -> None:
        """Write down, once, something to know of the comparison."""
        if text not in self._notes:
            self._notes.add(text)
            self.write("note", text)

    def give_up(self, kind: str, text: str) -> None:
        """End the process here and now: no handler of the program's can keep it alive."""
        self.write("stop", kind, text)
        self._out.close()
        os._exit(0)

    # -- installing -----------------------------------------------------------------------------

    def install(self, module: ModuleType) -> None:
        """Have the library `module` (asyncio or miniloop) make recorded loops, and nothing else."""
        recorded = recorded_loop(self, module)
        self._replace(module, recorded.__base__, recorded)
        as_completed = module.as_completed
        self._replace(module, as_completed, in_given_order(module, as_completed))
        if module.__name__ == "asyncio":
            module.DefaultEventLoopPolicy._loop_factory = recorded
        else:
            module.running._loop_factory = recorded
        if not self.real_time:
            self.threads.install()
            self._install_time()
        sys.stdout = io.TextIOWrapper(Printed(self), "utf-8", write_through=True)
        atexit.register(self.finish)

    def _replace(self, module: ModuleType, old: Any, new: Any) -> None:
        """Put `new` wherever the library has `old` under a name."""
        for name, submodule in list(sys.modules.items()):
            if name.partition(".")[0] == module.__name__ and not name.startswith(__package__):
                for key, value in list(vars(submodule).items()):
                    if value is old:
                        setattr(submodule, key, new)

    def _install_time(self) -> None:
        clock = self.clock
        began = time.time()

        def seconds() -> float:
            # Whole milliseconds, as in Event.time: finer differences are noise.
            clock.now += COST_OF_ASKING
            return math.floor(clock.now * 1000) / 1000

        time.sleep = self.threads.sleep  # type: ignore[assignment]
        time.monotonic = time.perf_counter = seconds
        time.time = lambda: began + seconds()
        time.monotonic_ns = time.perf_counter_ns = lambda: int(seconds() * 1e9)
        time.time_ns = lambda: int((began + seconds()) * 1e9)

    def finish(self) -> None:
        """The end of the process: what destructors have to say, and that it came to its end."""
        sys.stdout.flush()
        self.stop()
        main = sys.modules.get("__main__")
        if main is not None:
            vars(main).clear()
        gc.collect()
        if self.threads.ever_at_work:
            self.remark("threads are at work: time does not jump while one computes or waits")
        self.write("reports", sorted(self.reports))
        self.write("end")
        self._out.close()


class Printed(io.BufferedIOBase):
    """What stands below `sys.stdout`: each line is an event."""

    def __init__(self, recorder: ScriptRecorder) -> None:
        self._recorder = recorder
        self._line = b""

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """What children of the program are given to write to."""
        return 1

    def write(self, data: Any) -> int:
        """Note the lines that are complete by now."""
        *lines, self._line = (self._line + bytes(data)).split(b"\n")
        for line in lines:
            self._note(line)
        return len(data)

    def close(self) -> None:
        """Note what is left of a line."""
        if self._line:
            self._note(self._line)
            self._line = b""

    def _note(self, line: bytes) -> None:
        text = CONTROL.sub(
            lambda one: f"\\x{ord(one[0]):02x}", line.decode("utf-8", "backslashreplace")
        )
        try:
            binary = b"\0" in line or not line.decode("utf-8")
        except UnicodeDecodeError:
            binary = True
        if binary and line:
            self._recorder.remark("prints bytes that are no text: they are shown as \\x..")
        self._recorder.note("print", settled(text))


def settled(text: str) -> str:
    """Text without what differs from run to run or library to library.

    These are addresses, digits past the millisecond, the module that a class of asyncio's stands
    in, the line of the library that a callback is defined in, and the name of the one that
    wakes a task, which asyncio's C and Python code do not share.
    """
    text = WAKE_UP.sub("Task.__wakeup", ADDRESS.sub("0x...", text))
    text = IN_LIBRARY.sub("asyncio", LIBRARY_CLASS.sub("asyncio.", text))
    return LONG_FRACTION.sub(lambda number: f"{float(number[0]):.3f}", text)


class ScriptSelector(CountingSelector):
    """Counts the ticks of all loops of the program together; waits where time must not jump."""

    def __init__(self, recorder: ScriptRecorder, real: selectors.BaseSelector | None) -> None:
        super().__init__(recorder.clock, recorder.selector.tick_limit)
        self._real: Any = real or selectors.DefaultSelector()
        self._recorder = recorder
        self._threads = recorder.threads
        self.loop: Any = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Count a tick, and wait as virtual or real time has it."""
        recorder = self._recorder
        recorder.ticks += 1
        recorder.write("s", round(timeout, 3) if timeout else timeout)
        if recorder.ticks > self.tick_limit:
            recorder.give_up("endless", f"still running after {self.tick_limit:,} ticks")
        if recorder.real_time:
            ready: list[Any] = self._real_select(timeout)
        else:
            ready = self._real.select(0)
            if ready and has_processes():
                self._recorder.remark(TIME_PASSES)  # a process may be the quicker one
            if not ready and (timeout is None or timeout > 0):
                try:
                    ready = self._wait(timeout)
                finally:
                    self._threads.selecting = False
        ready.sort(key=lambda pair: self._registered.get(pair[0].fd, 0))
        return ready

    def _real_select(self, timeout: float | None) -> Any:
        alone = not self._awaits_others() and threading.active_count() == 1
        # A thread that has just ended may have woken us.
        if timeout is None and alone and not self._real.select(0):
            self._stuck()
        return self._real.select(timeout)

    def _wait(self, timeout: float | None) -> Any:
        """Let time pass: virtually if nothing but the loop's own timers can end the wait."""
        clock, threads = self.clock, self._threads
        deadline = None if timeout is None else clock.now + math.ceil(timeout * 1e3) * 1e-3
        began = _monotonic()
        while True:
            threads.selecting = True
            others = self._awaits_others()
            at_work = others or threads.at_work()
            # Not before that question: one may just have ended its work by waking us.
            ready = self._real.select(SLICE if at_work else 0)
            passed = _monotonic() - began
            if ready:
                if others:
                    clock.now += passed
                    self._recorder.remark(TIME_PASSES)
                return ready
            if at_work:
                if deadline is not None and passed >= deadline - clock.now:
                    clock.now = deadline
                    return []
                wake = threads.earliest()
                may_wake = wake is not None and (deadline is None or wake <= deadline)
                if may_wake and threads.blocked():
                    threads.let_go()
                continue
            wake = threads.earliest()
            if wake is not None and (deadline is None or wake <= deadline):
                threads.let_go()
                began = _monotonic()
            elif deadline is not None:
                clock.now = deadline
                return []
            else:
                self._stuck()

    def _awaits_others(self) -> bool:
        """Whether something outside can wake the loop: a descriptor, a signal, a process."""
        own = getattr(self.loop, "_ssock", None)
        count = len(self._registered) - (own is not None and own.fileno() in self._registered)
        signals = getattr(self.loop, "_signal_handlers", None)
        return count > 0 or bool(signals) or has_processes()

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
        found = [one for one in gc.get_objects() if type(one) is ScriptSteps]
        return sorted(found, key=lambda steps: steps.number)


def has_processes() -> bool:
    """Whether the program has children that multiprocessing has begun and not joined."""
    # Not active_children(): that joins those that have ended, and others want to do so.
    module = sys.modules.get("multiprocessing.process")
    return module is not None and bool(module._children)


class ScriptSteps(Steps):
    """Steps that can say where they stand."""

    def __init__(self, coro: Any, inner: Any, name: str, number: int, recorder: Recorder) -> None:
        code = getattr(inner, "cr_code", None)
        if name.startswith("_") and code and Path(code.co_filename).parent in LIBRARIES:
            name = "(library)"  # what it calls its own tasks is its own affair
        super().__init__(coro, inner, name, number, recorder)

    def pending(self) -> bool:
        """Whether the task has not ended."""
        task = self.task()
        return task is not None and not task.done()

    def place(self) -> str:
        """The line that the task waits in."""
        return suspended_at(self._coro, self._recorder.program)


def recorded_loop(recorder: ScriptRecorder, module: ModuleType) -> Any:
    """The library's selector loop, recorded when it is made in the main thread."""
    name = "SelectorEventLoop" if module.__name__ == "asyncio" else "EventLoop"
    base: Any = getattr(module, name)
    make_task = recorder.task_factory(numbered_task(module.Task), ScriptSteps)

    class Loop(base):  # type: ignore[misc]
        def __init__(self, selector: Any = None) -> None:
            self._recorded = threading.current_thread() is recorder._main_thread
            self._user_factory: Any = None
            if not self._recorded:
                recorder.remark("loops in other threads run on real time and are not recorded")
                super().__init__(selector)
                return
            counting = ScriptSelector(recorder, selector)
            super().__init__(counting)
            counting.loop = self
            super().set_task_factory(make_task)

        def time(self) -> float:
            # Not super().time(): it would ask `time.monotonic`, which tells virtual time.
            return recorder.clock.time() if self._recorded else _monotonic()

        def set_task_factory(self, factory: Any) -> None:
            if not self._recorded or (factory is not None and not callable(factory)):
                super().set_task_factory(factory)
                return
            self._user_factory = factory
            super().set_task_factory(
                make_task if factory is None else recorder.around(factory, ScriptSteps)
            )

        def get_task_factory(self) -> Any:
            return self._user_factory if self._recorded else super().get_task_factory()

        def call_exception_handler(self, context: dict[str, Any]) -> None:
            if self._recorded and not recorder.is_report(context):
                recorder.exception_handler(self, context)
            super().call_exception_handler(context)

        def call_soon_threadsafe(self, *args: Any, **keywords: Any) -> Any:
            call = super().call_soon_threadsafe
            if (
                not self._recorded
                or recorder.real_time
                or threading.current_thread() is recorder._main_thread
            ):
                return call(*args, **keywords)
            return recorder.threads.enter(lambda: call(*args, **keywords))

    Loop.__name__ = Loop.__qualname__ = "EventLoop"  # in reprs that a program may print
    Loop.__module__ = base.__module__
    return Loop


def in_given_order(module: Any, as_completed: Callable[..., Any]) -> Callable[..., Any]:
    """`as_completed`, with coroutines started in the order given."""

    def started(fs: Any, *, timeout: float | None = None) -> Any:
        if not (module.isfuture(fs) or module.iscoroutine(fs)):
            fs = [module.ensure_future(one) for one in dict.fromkeys(fs)]
        return as_completed(fs, timeout=timeout)

    return started


_monotonic = time.monotonic
