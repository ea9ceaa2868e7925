"""The loops that can be held against each other, and how a program runs on one of them."""

from __future__ import annotations

import asyncio
import asyncio.constants
import asyncio.futures
import asyncio.tasks
import builtins
import contextlib
import contextvars
import functools
import gc
import importlib
import linecache
import logging
import queue
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType, ModuleType
from typing import Any, ClassVar

from .. import reprs, running
from ..trace import Recorder, Schedule, on_virtual_time
from ..trace.recorder import describe, hashed_by_number
from .known import StepsOfPythonTask, watches
from .linked import NAMES, Linked, place
from .programs import FILE_NAME, FORGOTTEN

# A program of the grammar ends within a few dozen ticks, or never. One with more events than this
# recurses, and how deep a recursion may go differs between C and Python code.
TICK_LIMIT = 60
EVENT_LIMIT = 64
# What people write may take longer.
LONG_TICK_LIMIT = 10_000
LONG_EVENT_LIMIT = 1_000_000
DEEPEST = 500
"""Frames. A task that waits for itself in a roundabout way is cancelled until there are as many;
other programs that recurse reach EVENT_LIMIT first."""
LONGEST = 5.0
"""Seconds: programs take milliseconds. One that is there so long after it was first seen hangs."""
HANGS = "hangs"
"""What is said of it."""
ENDS_WITH = "ends with "
"""What is said of a main program, before the exception."""
RINGS = 5
"""So often the watchdog looks meanwhile."""


class OrderedSet(dict[Any, None]):
    """As much of a set as a TaskGroup uses, in the order of insertion."""

    def add(self, item: Any) -> None:  # noqa: D102
        self[item] = None

    def discard(self, item: Any) -> None:  # noqa: D102
        self.pop(item, None)

    remove = discard


@functools.cache
def ordered_group(group_class: Any) -> Any:
    """A TaskGroup that cancels its tasks in the order of their creation.

    asyncio keeps them in a set, so the order is that of their addresses: undefined, and not to be
    compared. The order is made the same on every loop, and everything else is compared.
    """

    class TaskGroup(group_class):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._tasks = OrderedSet()

    return TaskGroup


class Thread:
    """Stand-in for `threading.Thread` whose threads are one that is kept: a tenth of the time."""

    _jobs: ClassVar[queue.SimpleQueue[Thread] | None] = None

    def __init__(
        self,
        *,
        target: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        name: str | None = None,
        daemon: bool | None = None,
    ) -> None:
        self._target = functools.partial(target, **kwargs) if kwargs else target
        self._args = args
        self._busy = threading.Lock()

    def start(self) -> None:  # noqa: D102
        if Thread._jobs is None:
            Thread._jobs = queue.SimpleQueue()
            threading.Thread(target=self._work, args=(Thread._jobs,), daemon=True).start()
        self._busy.acquire()
        Thread._jobs.put(self)

    def join(self) -> None:  # noqa: D102
        with self._busy:
            pass

    @staticmethod
    def _work(jobs: queue.SimpleQueue[Thread]) -> None:
        while True:
            thread = jobs.get()
            with contextlib.suppress(BaseException):  # a thread dies alone
                thread._target(*thread._args)
            thread._busy.release()
            del thread


_threading = ModuleType("threading")
_threading.__dict__.update(vars(threading), Thread=Thread)


TELL_TIME = (
    *("sleep", "time", "monotonic", "perf_counter"),
    *("time_ns", "monotonic_ns", "perf_counter_ns"),
)
# What someone may have imported from asyncio by name. Exceptions and constants are the same.
ASYNCIO_FUNCTIONS = [
    name
    for name in asyncio.__all__
    if callable(made := getattr(asyncio, name))
    and not (isinstance(made, type) and issubclass(made, BaseException | tuple))
]


@dataclass
class Side:
    """One loop with the library that goes with it."""

    name: str
    module: ModuleType
    """What programs call `asyncio`."""
    loop_class: Any
    """A selector loop that takes a selector."""
    task_class: Callable[..., Any]
    future_class: Any = None
    """What the loop's `create_future` makes, if not its own."""
    task_options: dict[str, Any] = field(default_factory=dict)
    """Given to each task, `eager_start=True` for one."""
    steps_class: Any = None
    """What records the steps, if not the usual class."""
    watched: bool = True
    """Whether comparisons end where this Python's asyncio is known to differ (see `known`), and
    reports of destructors are kept apart from the events, also from the program's own handler."""

    def __post_init__(self) -> None:
        base = self.loop_class
        if self.future_class is not None:
            base = with_future_class(base, self.future_class)
        self._recorder: Recorder
        self._loop: Any = None
        self._recorded = on_virtual_time(base)
        self._for_linked = with_late_self_pipe(self._recorded)
        self._facade = ModuleType("asyncio")
        self._facade.__dict__.update(
            {name: getattr(self.module, name) for name in dir(self.module)},
            Task=self.task_class,
            TaskGroup=ordered_group(self.module.TaskGroup),
            run=self._run,
            new_event_loop=lambda: self._loop,
        )
        if hasattr(self.module, "create_eager_task_factory"):
            factory = self.module.create_eager_task_factory(self._make_task)
            self._facade.__dict__["eager_task_factory"] = factory
        if self.module is asyncio and self.watched:
            known = watches(self._cut, self.task_class, self._facade.TaskGroup)
            self._facade.__dict__.update(known)
            self.task_class = self._facade.Task
        self._time = ModuleType("time")
        self._time.__dict__.update(vars(time))
        self._long = False
        self._ours: dict[int, Any] = {id(asyncio): self._facade, id(time): self._time}
        """By the identity of what a module has of asyncio and time, what stands in for it."""
        for name in ASYNCIO_FUNCTIONS:
            if hasattr(self._facade, name):
                self._ours[id(getattr(asyncio, name))] = getattr(self._facade, name)
        for name in TELL_TIME:
            self._ours[id(getattr(time, name))] = functools.partial(self._ask, name)
        own = {"asyncio": self._facade, "time": self._time, "threading": _threading}

        def import_(name: str, *rest: Any) -> Any:
            return own.get(name.partition(".")[0]) or __import__(name, *rest)

        self._builtins = {**vars(builtins), "__import__": import_}

    def run(self, code: CodeType | Linked, tick_limit: int = TICK_LIMIT) -> Schedule:
        """The schedule of a program on this loop. Whatever the program raises is part of it."""
        linked = isinstance(code, Linked)
        names: dict[str, Any] = NAMES if linked else {}
        names["__builtins__"] = self._builtins
        names["__name__"] = "__main__"
        names["repr"] = describe

        def main(loop: Any, log: Any) -> None:
            names["print"] = log
            if isinstance(code, Linked):
                self._recorder.place = place
                code.run()
            else:
                exec(code, names)

        def forget() -> None:
            for name in ("r0", "w0"):
                if names.get(name) is not None:
                    names[name].close()
            names.update(FORGOTTEN)

        return reported(self._record(main, forget, FILE_NAME, tick_limit, EVENT_LIMIT, linked))

    def run_script(self, code: CodeType) -> Schedule:
        """The schedule of what a person wrote: see `assert_same_schedule`."""
        names: dict[str, Any] = {"__builtins__": self._builtins, "__name__": "__main__"}
        names["repr"] = describe

        def main(loop: Any, log: Any) -> None:
            names["print"] = log
            exec(code, names)

        return self._run_long(main, FILE_NAME, forget=names.clear)

    def run_function(self, function: Any) -> Schedule:
        """The schedule of an async function without parameters: see `assert_same_schedule`."""
        names = function.__globals__
        missing = object()
        ours = {
            name: self._ours[id(value)] for name, value in names.items() if id(value) in self._ours
        }
        before = {name: names.get(name, missing) for name in (*ours, "print")}

        def main(loop: Any, log: Any) -> None:
            names.update(ours, print=log)
            self._run(function())

        def put_back() -> None:
            for name, value in before.items():
                if value is missing:
                    names.pop(name, None)
                else:
                    names[name] = value

        try:
            return self._run_long(main, function.__code__.co_filename, forget=lambda: None)
        finally:
            put_back()  # not sooner: coroutines that are left have clean-up to do

    def _run_long(
        self, main: Callable[[Any, Any], None], path: str, forget: Callable[[], None]
    ) -> Schedule:
        """What people write may take long, draw random numbers, and take tasks out of sets."""
        state = random.getstate()
        random.seed(0)
        self._long = True
        try:
            return reported(self._record(main, forget, path, LONG_TICK_LIMIT, LONG_EVENT_LIMIT))
        finally:
            self._long = False
            random.setstate(state)

    def _record(
        self,
        main: Callable[[Any, Any], None],
        forget: Callable[[], None],
        path: str,
        tick_limit: int,
        event_limit: int,
        linked: bool = False,
    ) -> Recorder:
        recorder, loop = self.new_loop(path, tick_limit, event_limit, linked)
        _warned.clear()
        before = left_behind()
        try:
            _watchdog.watch(recorder)
            contextvars.Context().run(main, loop, recorder.print)
        except BaseException as error:
            if type(error) is KeyboardInterrupt and not error.args:
                raise  # Not the program's: someone pressed Ctrl-C.
            recorder.note("main", ENDS_WITH + describe(error))
        finally:
            _watchdog.leave()
        if left_behind() != before:
            recorder.note("main", "leaves hooks behind")
            sys.set_asyncgen_hooks(*before[0])
            sys.set_coroutine_origin_tracking_depth(before[1])
        # What is left is torn down now, so that destructors make their reports.
        recorder.stop()
        forget()
        loop.close()
        return recorder

    def _cut(self, reason: str) -> None:
        self._recorder.stop(reason)

    def _ask(self, name: str, *args: Any) -> Any:
        return getattr(self._time, name)(*args)

    def _run(self, main: Any, *, debug: bool | None = None) -> Any:
        """Stand-in for `asyncio.run`, which cancels what is left in the order of a set."""
        loop = self._facade.new_event_loop()
        if debug is not None:
            loop.set_debug(debug)
        try:
            return loop.run_until_complete(main)
        finally:
            left = sorted(
                self.module.all_tasks(loop), key=lambda task: getattr(task.get_coro(), "number", -1)
            )
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(self.module.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())

    def new_loop(
        self, program: str, tick_limit: int, event_limit: int, linked: bool = False
    ) -> tuple[Recorder, Any]:
        """A fresh recorded loop of this kind; the façade's `new_event_loop` returns it."""
        task_class = hashed_by_number(self.task_class) if self._long else self.task_class
        recorder = Recorder(program, tick_limit, event_limit)
        loop = (self._for_linked if linked else self._recorded)(recorder)
        loop.set_task_factory(
            recorder.task_factory(task_class, self.steps_class, **self.task_options)
        )
        if not self.watched:
            loop._is_report = lambda context: False
        clock: Any = self._time
        clock.sleep, tell = recorder.clock.sleep, recorder.clock.time
        clock.time = clock.monotonic = clock.perf_counter = tell
        clock.time_ns = clock.monotonic_ns = clock.perf_counter_ns = lambda: int(tell() * 1e9)
        self._recorder, self._loop = recorder, loop
        return recorder, loop

    def _make_task(self, coro: Any, *, loop: Any, **rest: Any) -> Any:
        """What `eager_task_factory` makes, a task whose steps are recorded."""
        return self._recorder.task_factory(self.task_class, self.steps_class)(loop, coro, **rest)


def left_behind() -> tuple[Any, int]:
    """What of this thread's state a running loop changes, and puts back when it stops."""
    return sys.get_asyncgen_hooks(), sys.get_coroutine_origin_tracking_depth()


class Hangs(BaseException):
    """Raised in a program that has run for `LONGEST` seconds: it blocks, or never comes back."""


class Watchdog:
    """Ends programs that do not end, while `quiet`, in the main thread, where there is SIGALRM.

    What it cannot end is C code that never returns: foreign loops have a process of their own.
    """

    def __init__(self) -> None:
        self.running: Recorder | None = None
        self._seen: Recorder | None = None
        self._rings = 0
        self._handler: Any = None
        self._timer = (0.0, 0.0)
        self.on = False

    def start(self) -> None:
        """Take the signal."""
        if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGALRM, self._ring)
            self._timer = signal.setitimer(signal.ITIMER_REAL, LONGEST / RINGS, LONGEST / RINGS)
            self.on = True

    def end(self) -> None:
        """Give the signal and the timer back."""
        if self.on:
            self.on = False
            self._seen = None
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler or signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, *self._timer)  # someone else's, stopped meanwhile

    def watch(self, recorder: Recorder) -> None:
        """A program begins."""
        self.running = recorder

    def leave(self) -> None:
        """It has ended."""
        self.running = None

    def _ring(self, *_: object) -> None:
        recorder = self.running
        if recorder is None or recorder is not self._seen:
            self._seen, self._rings = recorder, 0
            return
        self._rings += 1
        # Where recording has stopped nothing is lost by ending it at once, and cancelling futures
        # that gather each other in all ways can take hours.
        if self._rings == RINGS or recorder.stopped:
            recorder.stop(HANGS)
            # Again and again, and soon: a program may catch what is raised.
            signal.setitimer(signal.ITIMER_REAL, 0.1, LONGEST / RINGS)
            raise Hangs


_watchdog = Watchdog()


def reported(recorder: Recorder) -> Schedule:
    """The schedule of a run that has ended."""
    # With collection disabled (see `quiet`), all that they made is in the youngest generation.
    gc.collect(0)
    recorder.reports += _warned
    return recorder.schedule()


WARNINGS = ("asynchronous generator", "unclosed event loop")
"""How those begin that are reports of loops, and not of sockets, coroutines or what is outdated."""
_warned: list[str] = []
"""Since the present run began."""


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    _warned.append("warning: " + " ".join(str(message).split()[:2]))


@functools.cache
def with_future_class(loop_class: Any, future_class: Any) -> Any:
    """The loop, with another class of futures."""

    class Loop(loop_class):  # type: ignore[misc]
        def create_future(self) -> Any:
            return future_class(loop=self)

    return Loop


@functools.cache
def with_late_self_pipe(loop_class: Any) -> Any:
    """The loop, with a self-pipe that it gets when it first writes to it: a tenth of the time.

    For programs of the grammar: most write nothing to it, and none has a use for signals. A loop
    that is closed leaves its self-pipe to the next.
    """
    self_pipes: list[tuple[Any, Any]] = []

    class Loop(loop_class):  # type: ignore[misc]
        _ssock: Any = None
        _csock: Any = None
        _written = False

        def _make_self_pipe(self) -> None:
            if not self._written or self._ssock is not None:
                return
            if not self_pipes:
                super()._make_self_pipe()
                return
            self._ssock, self._csock = self_pipes.pop()
            self._add_reader(self._ssock.fileno(), self._read_from_self)

        def _write_to_self(self) -> None:
            self._written = True
            self._make_self_pipe()
            super()._write_to_self()

        def _close_self_pipe(self) -> None:
            if self._ssock is not None:
                self._remove_reader(self._ssock.fileno())
                self._read_from_self()
                self_pipes.append((self._ssock, self._csock))
                self._ssock = self._csock = None

        def close(self) -> None:
            if not self.is_running():
                self._close_self_pipe()
            super().close()

    Loop.__name__ = Loop.__qualname__ = loop_class.__name__
    return Loop


def _asyncio(name: str, **rest: Any) -> Side:
    return Side(name, asyncio, asyncio.SelectorEventLoop, **{"task_class": asyncio.Task, **rest})


def _miniloop(name: str, **rest: Any) -> Side:
    module: Any = importlib.import_module("miniloop")
    return Side(name, module, module.EventLoop, **{"task_class": module.Task, **rest})


KNOWN: dict[str, Callable[[str], Side]] = {
    "asyncio": _asyncio,
    "asyncio-unwatched": functools.partial(_asyncio, watched=False),
    "asyncio-python": functools.partial(
        _asyncio,
        task_class=asyncio.tasks._PyTask,  # type: ignore[attr-defined]
        future_class=asyncio.futures._PyFuture,  # type: ignore[attr-defined]
        steps_class=StepsOfPythonTask,
    ),
    "asyncio-eager": functools.partial(_asyncio, task_options={"eager_start": True}),
    "miniloop": _miniloop,
    "miniloop-unwatched": functools.partial(_miniloop, watched=False),
    "miniloop-eager": functools.partial(_miniloop, task_options={"eager_start": True}),
}


@functools.cache
def side(name: str) -> Side:
    """The side of that name: one of `KNOWN`."""
    if name not in KNOWN:
        raise ValueError(f"no loop named {name!r}: choose from {', '.join(KNOWN)}")
    if name == "asyncio-eager" and sys.version_info < (3, 12):
        raise ValueError("asyncio has eager tasks since Python 3.12 only")
    return KNOWN[name](name)


def close_unasked_loops() -> None:
    """Close the loops that `get_event_loop()` has made for coroutines that were torn down."""
    policy: Any = getattr(asyncio.get_event_loop_policy(), "_local", None)
    for local, attribute in ((policy, "_loop"), (running._thread, "event_loop")):
        loop = getattr(local, attribute, None)
        if loop is not None and not loop.is_running():
            loop.close()
            setattr(local, attribute, None)


class LogEvents(logging.Handler):
    """Notes what a loop logs while a program runs: callbacks that are slow, for one."""

    def emit(self, record: logging.LogRecord) -> None:  # noqa: D102
        if _watchdog.running is not None:
            # Without reprs: they have addresses.
            args = [x if isinstance(x, float) else "..." for x in record.args or ()]
            _watchdog.running.note("logged", record.msg % tuple(args))


def depth() -> int:
    """How many frames there are."""
    frame: FrameType | None = sys._getframe()
    count = 0
    while frame := frame and frame.f_back:
        count += 1
    return count


@contextlib.contextmanager
def quiet(deepest: int = DEEPEST) -> Iterator[None]:
    """For the time of many runs: no log, no warnings, no garbage collection in mid-program.

    Programs of the grammar leave tasks pending and exceptions unretrieved on purpose; what matters
    of that is in their schedules. Recursion ends `deepest` frames from here.
    """
    executors = logging.getLogger("concurrent.futures")
    was_disabled, executors.disabled = executors.disabled, True
    log = logging.getLogger("asyncio")  # and miniloop's
    had = log.handlers, log.level, log.propagate, log.disabled
    log.handlers, log.level, log.propagate, log.disabled = [LogEvents()], 30, False, False
    # Debug mode keeps stacks, and would look for each file on disk again and again. Whether there
    # is one counts, and how it ends: three frames of the library are taken off it at most.
    check, linecache.checkcache = linecache.checkcache, lambda *_: None
    keepers: tuple[Any, Any] = asyncio.constants, reprs
    stacks = [module.DEBUG_STACK_DEPTH for module in keepers]
    for module in keepers:
        module.DEBUG_STACK_DEPTH = 5
    # asyncio's C code has no such constant.
    limit = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = 5
    # Any function in C: where a recursion ends there is no room for a frame.
    hook, sys.unraisablehook = sys.unraisablehook, id
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(depth() + deepest)
    was_enabled = gc.isenabled()
    gc.disable()
    freezes = gc.get_freeze_count() == 0
    if freezes:
        gc.freeze()  # collections below need not look at what was there before
    policy: Any = getattr(asyncio.get_event_loop_policy(), "_local", None)
    had_loops = getattr(policy, "_loop", None) or running._thread.event_loop
    nested = _watchdog.on
    if not nested:
        _watchdog.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for beginning in WARNINGS:
                warnings.filterwarnings("always", beginning, ResourceWarning)
            warnings.showwarning = _warn
            try:
                yield
            finally:
                if freezes:
                    gc.unfreeze()  # also what came free meanwhile: the last loop of earlier runs
            gc.collect()
            if not had_loops:
                close_unasked_loops()
    finally:
        if not nested:
            _watchdog.end()
        sys.setrecursionlimit(usual)
        if was_enabled:
            gc.enable()
        executors.disabled = was_disabled
        log.handlers, log.level, log.propagate, log.disabled = had
        sys.unraisablehook = hook
        linecache.checkcache = check
        for module, frames in zip(keepers, stacks, strict=True):
            module.DEBUG_STACK_DEPTH = frames
        if limit is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = limit
