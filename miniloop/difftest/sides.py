"""The loops that can be compared, and how a program runs on one of them."""

from __future__ import annotations

import asyncio
import asyncio.futures
import asyncio.tasks
import builtins
import contextlib
import functools
import importlib
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any, ClassVar, cast

import miniloop

from ..trace import Recorder, Schedule, on_virtual_time
from ..trace.recorder import describe, numbered
from ..trace.scripts import MADE_ALIKE, ScriptRecorder
from .known import Place, StandIns, StepsOfPythonTask, replaced, watches
from .linked import NAMES, Linked, place
from .loops import LoopKind, load, resolve
from .programs import FILE_NAME, FORGOTTEN
from .surroundings import reported, run_watched

# A program of the grammar ends within a few dozen ticks, or never. A program with more events than
# this recurses, and C code and Python code may recurse to different depths.
TICK_LIMIT = 60
EVENT_LIMIT = 64
# A program has half a dozen functions. If more eager tasks start inside each other, that is a
# recursion. It may swallow its own RecursionError, and then nothing tells where it went too deep.
MOST_NESTED = 20


class OrderedSet(dict[Any, None]):
    """The methods of a set that a TaskGroup uses, with the order of insertion."""

    def add(self, item: Any) -> None:  # noqa: D102
        self[item] = None

    def discard(self, item: Any) -> None:  # noqa: D102
        self.pop(item, None)

    remove = discard


@functools.cache
def ordered_group(group_class: Any) -> Any:
    """A TaskGroup that cancels its tasks in the order of their creation.

    asyncio keeps them in a set, so their order is that of their addresses, which is undefined. With
    this class the order is the same on every loop, and everything else can be compared.
    """

    class TaskGroup(group_class):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._tasks = OrderedSet()

    return TaskGroup


class Thread:
    """Replaces `threading.Thread`, and keeps one thread for all: that takes a tenth of the time."""

    _jobs: ClassVar[queue.SimpleQueue[Thread] | None] = None

    def __init__(self, *, target: Callable[..., Any], args: tuple[Any, ...] = ()) -> None:
        self._target = target
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
            with contextlib.suppress(BaseException):  # an exception ends only its thread
                thread._target(*thread._args)
            thread._busy.release()
            del thread


_threading = ModuleType("threading")
_threading.__dict__.update(vars(threading), Thread=Thread)


@dataclass
class Side:
    """One loop, and the library that belongs to it."""

    name: str
    module: ModuleType
    """The library that programs get as `asyncio`."""
    loop_class: Any
    """The class of the loop. It takes a selector."""
    task_class: Callable[..., Any]
    future_class: Any = None
    """The class that `create_future` makes, if not the loop's own."""
    task_options: dict[str, Any] = field(default_factory=dict)
    """Keywords for each task, such as `eager_start=True`."""
    steps_class: Any = None
    """The class that records the steps, if not the usual one."""
    places: list[Place] = field(default_factory=list)
    """Attributes that are replaced while it runs."""
    kind: LoopKind | None = None
    """The kind of a loop that the user has named."""
    watched: bool = True
    """Whether comparisons end where this Python's asyncio is known to differ (see `known`). If so,
    reports of destructors are kept apart from the events, and from the program's own handler."""

    recorder_class: ClassVar[Callable[..., Recorder]] = Recorder
    """What records a run."""
    order_only: ClassVar[bool] = False
    """Whether only the order can be compared, not ticks and times."""
    sees_steps = True
    """Whether the steps of tasks can be recorded."""

    def __post_init__(self) -> None:
        self._given = self.task_class, [*self.places]
        base = self.loop_class
        if self.future_class is not None:
            base = with_future_class(base, self.future_class)
        self._recorder: Recorder
        self._loop: Any = None
        self.recorded_class = on_virtual_time(base)
        self._for_linked = with_late_self_pipe(self.recorded_class)
        stand_ins = StandIns(Task=self.task_class)
        if hasattr(self.module, "TaskGroup"):  # not every library has task groups
            stand_ins["TaskGroup"] = ordered_group(self.module.TaskGroup)
        if self.module is asyncio and self.watched:
            watches(self._cut, stand_ins)
            self.task_class = stand_ins["Task"]
        self.stand_ins = {path: value for path, value in stand_ins.items() if "." not in path}
        """The replacements of names of the library."""
        deep = StandIns({path: value for path, value in stand_ins.items() if "." in path})
        self.places = [*self.places, *deep.places()]
        self._facade = ModuleType("asyncio")
        self._facade.__dict__.update(
            {name: getattr(self.module, name) for name in dir(self.module)},
            **{**self.stand_ins, "Task": self.task_class},
            run=self._run,
            new_event_loop=lambda: self._loop,
        )
        if hasattr(self.module, "create_eager_task_factory"):
            factory = self.module.create_eager_task_factory(self._make_task)
            self._facade.__dict__["eager_task_factory"] = factory
        self._time = ModuleType("time")
        self._time.__dict__.update(vars(time))
        own = {"asyncio": self._facade, "time": self._time, "threading": _threading}

        def import_(name: str, *rest: Any) -> Any:
            return own.get(name) or __import__(name, *rest)

        self._builtins = {**vars(builtins), "__import__": import_}

    def run(self, code: CodeType | Linked, tick_limit: int = TICK_LIMIT) -> Schedule:
        """Return the schedule of a program on this loop. It includes what the program raises."""
        linked = isinstance(code, Linked)
        names: dict[str, Any] = NAMES if linked else {}
        names["__builtins__"] = self._builtins
        names["__name__"] = "__main__"
        names["repr"] = describe
        recorder, loop = self.new_loop(FILE_NAME, tick_limit, EVENT_LIMIT, linked)

        def main() -> None:
            names["print"] = recorder.print
            if isinstance(code, Linked):
                recorder.place = place
                code.run()
            else:
                exec(code, names)

        with replaced(self.places):
            run_watched(recorder, main)
        # Tear down what is left now, so that destructors make their reports.
        recorder.stop()
        for name in ("r0", "w0"):
            if names.get(name) is not None:
                names[name].close()
        names.update(FORGOTTEN)
        loop.close()
        return reported(recorder)

    def install(self, recorder: ScriptRecorder) -> ModuleType:
        """Have all loops of this process be of this kind from now on, and record them.

        Return the library that programs get as `asyncio`. For a loop of the lab that is a module
        with names of miniloop, of which some are broken; its own functions call those that are not.
        """
        library: Any = asyncio if self.module is asyncio else miniloop
        kind, (given, places) = self.kind, self._given
        # There may soon be another Task in the library.
        task_class: Any = None if given is library.Task else given
        if library is asyncio and self.watched:
            stand_ins = StandIns()
            watches(functools.partial(recorder.write, "known"), stand_ins, of_scripts=True)
            places = [*places, *stand_ins.places()]
        for owner, name, value in places:
            setattr(owner, name, value)
        broken = self._broken()
        for name in broken.keys() & {"EventLoop", "Task"}:  # which miniloop itself makes
            recorder.replace(miniloop, [(vars(miniloop)[name], broken.pop(name))])
        future_class = kind.future_class if kind is not None else self.future_class
        recorder.future_class = numbered(future_class or library.Future)
        if self.task_options:
            task_class = with_options(task_class or library.Task, self.task_options)
        if kind is not None and kind.order_only:
            recorder.write("order", kind.order_only)
        recorder.install(
            library,
            self.loop_class,
            task_class,
            asks_factory=kind is None or kind.asks_factory,
            make_loop=kind.make if kind is not None and kind.order_only else None,
        )
        if self.module not in (asyncio, miniloop):
            for name, made_alike in MADE_ALIKE.items():
                if name in broken:
                    broken[name] = made_alike(miniloop, broken[name])
            vars(self.module).update({name: vars(miniloop)[name] for name in miniloop.__all__})
            vars(self.module).update(broken)
        return self.module

    def _broken(self) -> dict[str, Any]:
        """Return what a loop of the lab replaces in miniloop."""
        if self.module in (asyncio, miniloop):
            return {}
        both = [(name, vars(miniloop)[name], vars(self.module)[name]) for name in miniloop.__all__]
        return {name: broken for name, own, broken in both if own is not broken}

    def _cut(self, reason: str) -> None:
        self._recorder.stop(reason)

    def _run(self, main: Any) -> Any:
        """Replaces `asyncio.run`, which cancels the remaining tasks in the order of a set."""
        loop = self._facade.new_event_loop()
        try:
            return loop.run_until_complete(main)
        finally:
            left = sorted(self.module.all_tasks(loop), key=lambda task: task.get_coro().number)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(self.module.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())

    def new_loop(
        self, program: str, tick_limit: int, event_limit: int, linked: bool = False
    ) -> tuple[Recorder, Any]:
        """Return a new recorded loop of this kind, as `new_event_loop` does for programs."""
        recorder = self.recorder_class(program, tick_limit, event_limit)
        recorder.most_nested = MOST_NESTED
        loop = (self._for_linked if linked else self.recorded_class)(recorder)
        self.record_tasks(loop, recorder, self.task_class, self.steps_class)
        if not self.watched:
            loop._is_report = lambda context: False
        clock: Any = self._time
        clock.sleep, clock.time, clock.monotonic = recorder.clock.sleep, *[recorder.clock.time] * 2
        self._recorder, self._loop = recorder, loop
        return recorder, loop

    def record_tasks(
        self, loop: Any, recorder: Recorder, task_class: Any, steps_class: Any
    ) -> None:
        """Let the recorder see the steps of all tasks that the loop makes."""
        if self.kind is None or self.kind.asks_factory:
            factory = recorder.task_factory(task_class, steps_class, **self.task_options)
            loop.set_task_factory(factory)
            return
        create_task = loop.create_task
        factory = recorder.task_factory(
            lambda steps, *, loop, **rest: create_task(steps, **rest), steps_class
        )
        try:
            loop.create_task = functools.partial(factory, loop)
        except AttributeError:  # it is written in C
            self.sees_steps = False

    def _make_task(self, coro: Any, *, loop: Any, **rest: Any) -> Any:
        """Return what `eager_task_factory` makes: a task whose steps are recorded."""
        return self._recorder.task_factory(self.task_class, self.steps_class)(loop, coro, **rest)


class RealTimeRecorder(Recorder):
    """A recorder that notes when events happen in real time."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._began = time.monotonic()

    def note(self, who: str, what: str) -> None:  # noqa: D102
        self.clock.now = time.monotonic() - self._began
        super().note(who, what)


class RealTimeSide(Side):
    """A loop that takes no selector: it is recorded without ticks, in real time."""

    kind: LoopKind
    order_only = True

    def new_loop(
        self, program: str, tick_limit: int, event_limit: int, linked: bool = False
    ) -> tuple[Recorder, Any]:
        """Return a loop as its author makes it, recorded as far as it allows."""
        loop = self.kind.make()
        recorder = RealTimeRecorder(program, tick_limit, event_limit)
        recorder.most_nested = MOST_NESTED
        self.record(loop, recorder, self.task_class, self.steps_class)
        clock: Any = self._time
        clock.sleep, clock.time, clock.monotonic = time.sleep, time.time, time.monotonic
        self._recorder, self._loop = recorder, loop
        return recorder, loop

    def record(self, loop: Any, recorder: Recorder, task_class: Any, steps_class: Any) -> None:
        """Let the recorder see the reports of the loop, and the steps of its tasks."""

        def handler(loop: Any, context: dict[str, Any]) -> None:
            if not recorder.is_report(context):
                recorder.exception_handler(loop, context)

        if hasattr(loop, "set_exception_handler"):
            loop.set_exception_handler(handler)
        else:
            with contextlib.suppress(AttributeError):
                loop.call_exception_handler = functools.partial(handler, loop)
        self.record_tasks(loop, recorder, task_class, steps_class)


@functools.cache
def with_future_class(loop_class: Any, future_class: Any) -> Any:
    """Return the loop class with another class of futures."""

    class Loop(loop_class):  # type: ignore[misc]
        def create_future(self) -> Any:
            return future_class(loop=self)

    return Loop


def with_options(task_class: Any, options: dict[str, Any]) -> Any:
    """Return the task class, with other values for keywords that are not given."""

    class Task(task_class):  # type: ignore[misc]
        def __init__(self, coro: Any, **keywords: Any) -> None:
            super().__init__(coro, **{**options, **keywords})

    Task.__module__ = task_class.__module__
    return Task


@functools.cache
def with_late_self_pipe(loop_class: Any) -> Any:
    """Return the loop class, made so that a loop gets its self-pipe at the first write.

    That takes a tenth of the time. Most programs of the grammar write nothing to the self-pipe, and
    none uses signals. A loop that is closed leaves its self-pipe to the next one.
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


def python_tasks_known_in_c() -> list[Place]:
    """Let asyncio's Python tasks tell asyncio's C code which task runs.

    Since 3.14 only the C code knows the current task of a thread. The Python functions that these
    tasks call keep records of their own, which nothing else reads.
    """
    tasks = vars(asyncio.tasks)
    return [
        (asyncio.tasks, name, tasks[in_c])
        for name in tasks
        if name.startswith("_py_") and (in_c := name.replace("_py", "_c", 1)) in tasks
    ]


def _asyncio(name: str, **rest: Any) -> Side:
    return Side(name, asyncio, asyncio.SelectorEventLoop, **{"task_class": asyncio.Task, **rest})


def _miniloop(name: str, **rest: Any) -> Side:
    module: Any = importlib.import_module("miniloop")
    return Side(name, module, module.EventLoop, **{"task_class": module.Task, **rest})


def _interop(name: str) -> Side:
    kind = resolve(name)
    return Side(name, kind.module, kind.loop_class, kind.task_class, kind=kind)


KNOWN: dict[str, Callable[[str], Side]] = {
    "asyncio": _asyncio,
    "asyncio-unwatched": functools.partial(_asyncio, watched=False),
    "asyncio-python": functools.partial(
        _asyncio,
        task_class=asyncio.tasks._PyTask,  # type: ignore[attr-defined]
        future_class=asyncio.futures._PyFuture,  # type: ignore[attr-defined]
        steps_class=StepsOfPythonTask,
        places=python_tasks_known_in_c(),
    ),
    "asyncio-eager": functools.partial(_asyncio, task_options={"eager_start": True}),
    "miniloop": _miniloop,
    "miniloop-unwatched": functools.partial(_miniloop, watched=False),
    "miniloop-eager": functools.partial(_miniloop, task_options={"eager_start": True}),
    "interop": _interop,
}


def side(given: Side | LoopKind | str | Callable[..., Any]) -> Side:
    """Return the side of a loop, given in any of the ways that `loops.resolve` takes.

    It may also be a name in `KNOWN`, which has a few more names, or the `module:name` of a class
    with a method `side()`, as the loops of the lab have. Raises what `resolve` raises.
    """
    if isinstance(given, Side):
        return given
    if isinstance(given, str):
        if given in KNOWN:
            return _known(given)
        make = getattr(load(given, KNOWN), "side", None)
        if callable(make):
            return cast("Side", make())
    kind = resolve(given, KNOWN)
    if kind.order_only:
        loop_class: Any = asyncio.SelectorEventLoop  # not used
        return RealTimeSide(kind.name, kind.module, loop_class, kind.task_class, kind=kind)
    return Side(kind.name, kind.module, kind.loop_class, kind.task_class, kind=kind)


@functools.cache
def _known(name: str) -> Side:
    if name == "asyncio-eager" and sys.version_info < (3, 12):
        raise ValueError("asyncio has eager tasks since Python 3.12 only")
    return KNOWN[name](name)
