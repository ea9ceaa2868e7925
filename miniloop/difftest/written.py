"""What people write, a script's text or an async function, run on a side: `assert_same_schedule`.

Programs of the grammar are run by the thousand and need little (see `sides`). What people write
makes its loops in any way, prints anything, draws random numbers and takes tasks out of sets.
`miniloop compare` gives such a script a process of its own (see `trace.scripts`), where everything
can be replaced. Here it shares the process with a test suite, and all is put back.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import contextvars
import functools
import random
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
from typing import Any

import miniloop

from .. import runners, running
from ..trace import CountingSelector, Recorder, Schedule
from ..trace.recorder import numbered
from ..trace.scripts import ScriptSteps, in_given_order, settled
from .programs import FILE_NAME
from .sides import Side
from .surroundings import reported, run_watched

TICK_LIMIT = 10_000
EVENT_LIMIT = 1_000_000
WAITS = "waits for ever"
"""What is said of the main program where nothing can wake its loop."""
TELL_TIME = (
    *("sleep", "time", "monotonic", "perf_counter"),
    *("time_ns", "monotonic_ns", "perf_counter_ns"),
)


class Selector(CountingSelector):
    """A loop's own; those of a run count their ticks together."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder.clock, recorder.selector.tick_limit)
        self.timeouts = recorder.selector.timeouts
        self._recorder = recorder

    def wait_for_ever(self) -> Any:
        """Give up, and have it known whoever catches that."""
        self._recorder.note("main", WAITS)
        return super().wait_for_ever()


class WrittenRecorder(Recorder):
    """Leaves addresses out, and whatever else differs from run to run or library to library."""

    def note(self, who: str, what: str) -> None:
        """Append one event at the present tick and time."""
        super().note(who, settled(what).replace("\n", "\\n"))


class InOrder(set[Any]):
    """A set of tasks that is iterated in the order in which they were made."""

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__(), key=hash))


class Run:
    """One run on one side."""

    def __init__(self, side: Side, path: str) -> None:
        self.side = side
        self.recorder = side._recorder = WrittenRecorder(path, TICK_LIMIT, EVENT_LIMIT)
        self.told = ""
        """The traceback of the exception that ended it."""
        self._loops: list[Any] = []
        self._eager_task_factory: Any = None
        self._thread = threading.current_thread()
        self._time = time_of(self.recorder)
        self._asyncio = self._library()
        self._ours: dict[int, tuple[Any, Any]] = {}
        """By identity, what stands in for something of asyncio's or time's (and what that is)."""
        for real, ours in (
            (asyncio, self._asyncio),
            (miniloop, self._asyncio),
            (time, self._time),
        ):
            self._ours[id(real)] = real, ours
            for name in TELL_TIME if real is time else dir(real):
                one, mine = getattr(real, name), getattr(ours, name, None)
                if callable(one) and mine is not None and mine is not one:
                    self._ours[id(one)] = one, mine
        for name, part in vars(asyncio).items():
            if isinstance(part, ModuleType) and not hasattr(self._asyncio, name):
                setattr(self._asyncio, name, self._part(part))

    def script(self, code: CodeType) -> Schedule:
        """Run a script."""
        own = {"asyncio": self._asyncio, "miniloop": self._asyncio, "time": self._time}

        def import_(name: str, *rest: Any, **keywords: Any) -> Any:
            if name in own:
                return own[name]
            made = __import__(name, *rest, **keywords)
            if not name.startswith("asyncio."):
                return made
            # It is the submodule if there is a `from`.
            return self._asyncio if made is asyncio else self._part(made)

        names: dict[str, Any] = {
            "__builtins__": {**vars(builtins), "__import__": import_},
            "__name__": "__main__",
            "print": self.recorder.print,
        }
        return self._run(lambda: exec(code, names), forget=names.clear)

    def function(self, function: Any) -> Schedule:
        """Run an async function without parameters."""
        spaces = [one.__globals__ for one in layers(function)]
        missing = object()
        before: list[tuple[dict[str, Any], dict[str, Any]]] = []
        for names in spaces:
            ours = {name: self.ours(value) for name, value in names.items()}
            ours = {name: value for name, value in ours.items() if value is not names[name]}
            ours["print"] = self.recorder.print
            before.append((names, {name: names.get(name, missing) for name in ours}))
            names.update(ours)
        try:
            return self._run(lambda: self._asyncio.run(function()), forget=lambda: None)
        finally:
            for names, values in reversed(before):
                for name, value in values.items():
                    if value is missing:
                        names.pop(name, None)
                    else:
                        names[name] = value

    def ours(self, real: Any) -> Any:
        """What stands in for something, or that itself."""
        return self._ours.get(id(real), (real, real))[1]

    def _part(self, real: ModuleType) -> ModuleType:
        """A submodule of asyncio, with our own of what it has."""
        part = ModuleType(real.__name__)
        part.__dict__.update({name: self.ours(value) for name, value in vars(real).items()})
        return part

    def _library(self) -> ModuleType:
        """What stands in for `asyncio`."""
        side, recorder, run = self.side, self.recorder, self
        module = side.module
        task_class = numbered(side.task_class)
        steps_class: Any = ScriptSteps
        if side.steps_class is not None:
            steps_class = type("Steps", (side.steps_class, ScriptSteps), {})
        make_task = recorder.task_factory(task_class, steps_class, **side.task_options)
        base: Any = side.recorded_class

        class EventLoop(base):  # type: ignore[misc]
            def __init__(self, selector: Any = None) -> None:
                recorder.selector = Selector(recorder)
                super().__init__(recorder)
                if not side.watched:
                    self._is_report = lambda context: False
                self.set_task_factory(None)
                run._loops.append(self)

            def set_task_factory(self, factory: Any) -> None:
                self._users_factory = factory
                if factory is None:
                    factory = make_task
                elif callable(factory) and factory is not run._eager_task_factory:
                    factory = recorder.task_factory(
                        lambda steps, *, loop, **rest: self._users_factory(loop, steps, **rest),
                        steps_class,
                    )
                super().set_task_factory(factory)

            def get_task_factory(self) -> Any:
                return self._users_factory

            async def shutdown_default_executor(self, timeout: float | None = None) -> None:
                # asyncio's has a thread wait for the others, which races with the loop.
                if self._default_executor is not None:
                    self._default_executor.shutdown()

        EventLoop.__name__ = EventLoop.__qualname__ = base.__name__
        self._loop_class = EventLoop
        library = ModuleType("asyncio")
        names = library.__dict__
        names.update({name: getattr(module, name) for name in dir(module)})
        names.update({**side.stand_ins, "Task": task_class})
        names["as_completed"] = in_given_order(module, module.as_completed)
        names["all_tasks"] = self._in_order(module.all_tasks)
        for name in ("EventLoop", "SelectorEventLoop"):
            if hasattr(module, name):
                names[name] = EventLoop
        if hasattr(module, "create_eager_task_factory"):
            record = recorder.task_factory(task_class, steps_class)
            names["eager_task_factory"] = self._eager_task_factory = (
                module.create_eager_task_factory(
                    lambda coro, *, loop, **rest: record(loop, coro, **rest)
                )
            )
        return library

    def _in_order(self, all_tasks: Callable[..., Any]) -> Callable[..., Any]:
        return lambda loop=None: InOrder(all_tasks(loop))

    def _new_loop(self) -> Any:
        """A loop in the thread of the run is recorded, no other."""
        if threading.current_thread() is self._thread:
            return self._loop_class()
        return self.side.loop_class()

    @contextlib.contextmanager
    def _makes_loops(self) -> Iterator[None]:
        """While this lasts, the side's library makes recorded loops, whoever asks it to."""

        class Policy(asyncio.DefaultEventLoopPolicy):
            _loop_factory = staticmethod(self._new_loop)

        tasks: Any = asyncio.tasks
        places: list[tuple[Any, str, Any]] = []
        if self.side.module is asyncio:
            places.append((tasks, "all_tasks", self._in_order(tasks.all_tasks)))
        else:
            places.append((running, "_loop_factory", self._new_loop))
            places.append((runners, "all_tasks", self._in_order(miniloop.all_tasks)))
        had = [(place, name, getattr(place, name)) for place, name, _ in places]
        policy, thread = asyncio.get_event_loop_policy(), dict(vars(running._thread))
        try:
            for place, name, value in places:
                setattr(place, name, value)
            if self.side.module is asyncio:
                asyncio.set_event_loop_policy(Policy())
            vars(running._thread).clear()
            yield
        finally:
            for place, name, value in had:
                setattr(place, name, value)
            asyncio.set_event_loop_policy(policy)
            vars(running._thread).clear()
            vars(running._thread).update(thread)

    def _run(self, program: Callable[[], object], forget: Callable[[], None]) -> Schedule:
        def main() -> None:
            try:
                program()
            except BaseException:
                self.told = traceback.format_exc(limit=-4)
                raise

        state = random.getstate()
        random.seed(0)
        try:
            with self._makes_loops():
                run_watched(self.recorder, main, contextvars.copy_context)
                self.recorder.stop()
                for loop in self._loops:
                    loop.close()
                forget()
                return reported(self.recorder)
        finally:
            random.setstate(state)


def time_of(recorder: Recorder) -> ModuleType:
    """What stands in for `time`."""
    clock = recorder.clock
    module = ModuleType("time")
    names = module.__dict__
    names.update(vars(time), sleep=clock.sleep)
    for name in TELL_TIME:
        if name != "sleep":
            nanoseconds = name.endswith("_ns")
            names[name] = (lambda: int(clock.time() * 1e9)) if nanoseconds else clock.time
    return module


def layers(function: Any) -> list[Any]:
    """A function and what it is wrapped around, from outside; of anything else none."""
    found = []
    while function is not None:
        if hasattr(function, "__globals__"):
            found.append(function)
        partial = isinstance(function, functools.partial)
        function = function.func if partial else getattr(function, "__wrapped__", None)
    return found


def run_written(side: Side, program: CodeType | Any) -> tuple[Schedule, str]:
    """The schedule of a script or an async function, and the traceback of what ended it."""
    if isinstance(program, CodeType):
        run = Run(side, FILE_NAME)
        return run.script(program), run.told
    run = Run(side, layers(program)[-1].__code__.co_filename)
    return run.function(program), run.told
