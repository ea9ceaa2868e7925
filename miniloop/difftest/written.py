"""Run a script or an async function on a side, for `assert_same_schedule`.

Programs of the grammar run by the thousand and need little (see `sides`). Programs that people
write make their loops in any way, print anything, draw random numbers and take tasks out of sets.
`miniloop compare` gives such a script a process of its own (see `trace.scripts`), in which
everything can be replaced. Here the program shares the process with a test suite, so everything
that is replaced is put back.
"""

from __future__ import annotations

import asyncio
import asyncio.events
import asyncio.tasks
import builtins
import contextlib
import contextvars
import functools
import inspect
import itertools
import random
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
from typing import Any, cast

import miniloop

from .. import runners
from ..details import current
from ..trace import CountingSelector, Recorder, Schedule, undefined
from ..trace.recorder import numbered, numbered_task, suspended_at
from ..trace.scripts import RealClock, ScriptSteps, in_given_order, in_order, settled
from .jobs import PATIENCE, SLICE, Jobs, with_jobs_in_turn
from .known import replaced
from .programs import FILE_NAME
from .sides import RealTimeSide, Side
from .surroundings import reported, run_watched

TICK_LIMIT = 10_000
EVENT_LIMIT = 1_000_000
WAITS = "waits for ever"
"""The event of a main program whose loop nothing can wake."""
TELL_TIME = (
    *("sleep", "time", "monotonic", "perf_counter"),
    *("time_ns", "monotonic_ns", "perf_counter_ns"),
)


class Selector(CountingSelector):
    """The selector of one loop. All selectors of a run count their ticks together."""

    def __init__(self, recorder: Recorder, jobs: Jobs) -> None:
        super().__init__(recorder.clock, recorder.selector.tick_limit)
        self.timeouts = recorder.selector.timeouts
        self._recorder = recorder
        self._jobs = jobs

    def select(self, timeout: float | None = None) -> Any:
        """Count a tick. A job may come between where that is asked for."""
        if timeout == 0 and self._jobs.are_waiting() and undefined.thread_comes_between():
            self._jobs.let_one_go()
            self._poll(PATIENCE)  # it has written to the self-pipe, or will in a moment
        return super().select(timeout)

    def wait(self, timeout: float | None) -> Any:
        """Let jobs be done first, while virtual time stands still."""
        jobs = self._jobs
        while jobs.let_one_go() or (timeout is None and jobs.begun):
            # A job that has ended wakes the loop, but not at once.
            if ready := self._poll(SLICE if jobs.at_work() else PATIENCE):
                return ready
        return super().wait(timeout)

    def _poll(self, seconds: float) -> Any:
        """Return what becomes ready within so many real seconds."""
        until = time.monotonic() + seconds
        while True:
            # In slices, because a thread may register the descriptor that wakes the loop meanwhile.
            ready = self._real.select(SLICE)
            if ready or time.monotonic() >= until:
                return sorted(ready, key=self._turn)

    def wait_for_ever(self) -> Any:
        """Give up, and record that, even if the program catches the exception."""
        self._recorder.note("main", WAITS)
        return super().wait_for_ever()


class WrittenRecorder(Recorder):
    """Leaves out addresses, and everything else that differs between runs or libraries."""

    def __init__(self, program: str) -> None:
        super().__init__(program, TICK_LIMIT, EVENT_LIMIT)
        self.place = self._place

    def _place(self, coro: Any) -> str:
        *places, last = suspended_at(coro, self.program).split(" > ")
        return " > ".join([*places, "(library)" if last.startswith("_") else last])

    def note(self, who: str, what: str) -> None:
        """Append an event with the present tick and time."""
        super().note(who, settled(what).replace("\n", "\\n"))


Written = CodeType | Callable[..., Any]
"""A compiled script, or an async function without parameters."""


class Run:
    """One run of a script or function on one side."""

    def __init__(self, side: Side, program: Written) -> None:
        self.side = side
        self._program = program
        path = FILE_NAME
        if not isinstance(program, CodeType):
            code = [one.__code__ for one in layers(program)]
            path = code[-1].co_filename if code else ""
        # The side ends the run at a known difference.
        self.recorder = side._recorder = WrittenRecorder(path)
        if side.order_only:
            self.recorder.clock = RealClock()
        self.told = ""
        """The traceback of the exception that ended it, except for a sys.exit() without failure."""
        self._loops: list[Any] = []
        self._jobs = Jobs()
        self._eager_task_factory: Any = None
        self._thread = threading.current_thread()
        self._time = time if side.order_only else time_of(self.recorder)
        self._asyncio = self._library()
        self._ours: dict[int, tuple[Any, Any]] = {}
        """The replacements for objects of asyncio and time, by the identity of the original."""
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
            if isinstance(part, ModuleType) and part.__name__ == f"asyncio.{name}":
                ours = self._part(part)
                setattr(self._asyncio, name, ours)
                self._ours[id(part)] = part, ours
                same = getattr(miniloop, name, part)
                self._ours[id(same)] = same, ours

    def schedule(self) -> Schedule:
        """Run it, and return what it did."""
        if isinstance(self._program, CodeType):
            return self._script(self._program)
        return self._function(self._program)

    def _script(self, code: CodeType) -> Schedule:
        def import_(name: str, *rest: Any, **keywords: Any) -> Any:
            made = __import__(name, *rest, **keywords)
            return made if name.startswith("miniloop.") else self.ours(made)

        names: dict[str, Any] = {
            # A coroutine that is torn down when `names` is empty still finds `print` here.
            "__builtins__": {**vars(builtins), "__import__": import_, "print": self.recorder.print},
            "__name__": "__main__",
        }
        return self._run(lambda: exec(code, names), forget=names.clear)

    def _function(self, function: Any) -> Schedule:
        if isinstance(function, functools.partial):
            function = functools.partial(
                self.ours(function.func), *function.args, **function.keywords
            )
        spaces = [one.__globals__ for one in layers(function)]
        missing = object()
        before: list[tuple[dict[str, Any], dict[str, Any]]] = []
        for names in spaces:
            ours = {name: self.ours(value) for name, value in names.items()}
            ours = {name: value for name, value in ours.items() if value is not names[name]}
            if names.get("print", print) is print:
                ours["print"] = self.recorder.print
            before.append((names, {name: names.get(name, missing) for name in ours}))
            names.update(ours)
        try:
            return self._run(lambda: self._run_in_loop(function), lambda: None)
        finally:
            for names, values in reversed(before):
                for name, value in values.items():
                    if value is missing:
                        names.pop(name, None)
                    else:
                        names[name] = value

    def _run_in_loop(self, function: Any) -> None:
        # With a factory, asyncio accepts loops that do not inherit from its own.
        own = {"loop_factory": self._new_loop} if self.side.kind else {}
        with self._asyncio.Runner(**own) as runner:
            runner.run(coroutine_of(function))

    def ours(self, real: Any) -> Any:
        """Return the replacement of an object, or the object itself."""
        return self._ours.get(id(real), (real, real))[1]

    def _part(self, real: ModuleType) -> ModuleType:
        """Return a copy of a submodule of asyncio, with our replacements in it."""
        part = ModuleType(real.__name__)
        part.__dict__.update({name: self.ours(value) for name, value in vars(real).items()})
        return part

    def _library(self) -> ModuleType:
        """Return the replacement of `asyncio`."""
        side, recorder = self.side, self.recorder
        module = side.module
        names_of_tasks = itertools.count(1)
        task_class = made = numbered_task(side.task_class, names_of_tasks)
        future_class = side.future_class or module.Future
        if side.kind is not None:
            future_class = side.kind.future_class
            if not issubclass(made, module.Task):
                # The loop's own tasks are of another class than those that the program makes.
                task_class = numbered_task(module.Task, names_of_tasks)
        steps_class: Any = ScriptSteps
        if side.steps_class is not None:
            steps_class = type("Steps", (side.steps_class, ScriptSteps), {})
        make_loop = self._real_time_loop if side.order_only else self._virtual_loop
        self._loop_class = make_loop(made, numbered(future_class), steps_class)
        library = ModuleType("asyncio")
        names = library.__dict__
        names.update({name: getattr(module, name) for name in dir(module)})
        names.update({**side.stand_ins, "Task": task_class})
        if side.future_class is not None:
            names["Future"] = side.future_class
        names["as_completed"] = in_given_order(module, module.as_completed)
        names["all_tasks"] = in_order(module, module.all_tasks)
        for name in ("EventLoop", "SelectorEventLoop"):
            if hasattr(module, name):
                names[name] = self._loop_class
        if module is asyncio:  # everything that makes a loop when it is called
            names["new_event_loop"] = lambda: asyncio.events.new_event_loop()
        if hasattr(module, "create_eager_task_factory"):
            record = recorder.task_factory(task_class, steps_class)
            names["eager_task_factory"] = self._eager_task_factory = (
                module.create_eager_task_factory(
                    lambda coro, *, loop, **rest: record(loop, coro, **rest)
                )
            )
        return library

    def _virtual_loop(self, task_class: Any, future_class: Any, steps_class: Any) -> Any:
        """Return the class of all loops of the run."""
        side, recorder, run = self.side, self.recorder, self
        asks = side.kind is None or side.kind.asks_factory

        class EventLoop(self._dressed(side.recorded_class, future_class, steps_class, asks)):  # type: ignore[misc]
            def __init__(self, selector: Any = None) -> None:
                recorder.selector = Selector(recorder, run._jobs)
                super().__init__(recorder)
                if not side.watched:
                    self._is_report = lambda context: False
                self._recorders_factory = self._users_factory = None  # of its own __init__
                side.record_tasks(self, recorder, task_class, steps_class)
                run._loops.append(self)

        loop_class = self._with_jobs(EventLoop)
        loop_class.__module__ = side.loop_class.__module__
        return loop_class

    def _real_time_loop(self, task_class: Any, future_class: Any, steps_class: Any) -> Any:
        """Return the function that makes the loops of the run, if they take no selector."""
        side, recorder = cast("RealTimeSide", self.side), self.recorder

        def make(*_: object) -> Any:
            loop = side.kind.make()
            self._loops.append(loop)
            with contextlib.suppress(TypeError):  # of a loop written in C
                loop.__class__ = dressed(loop.__class__)
            side.record(loop, recorder, task_class, steps_class)
            return loop

        @functools.cache
        def dressed(base: Any) -> Any:
            if side.kind.asks_factory:
                base = self._dressed(base, future_class, steps_class, asks_factory=True)
            return self._with_jobs(type("", (base,), {}), real_time=True)

        return make

    def _dressed(self, base: Any, future_class: Any, steps_class: Any, asks_factory: bool) -> Any:
        """Return a class of loops with numbered futures, on which a program may set a task factory.

        The first task factory that a loop gets is the recorder's. The program does not see it.
        """
        recorder, run = self.recorder, self

        class Numbering(base):  # type: ignore[misc]
            def create_future(self) -> Any:
                return future_class(loop=self)

        class Recorded(Numbering):
            _recorders_factory: Any = None
            _users_factory: Any = None

            def set_task_factory(self, factory: Any) -> None:
                if self._recorders_factory is None:
                    self._recorders_factory = factory
                    super().set_task_factory(factory)
                    return
                self._users_factory = factory
                if factory is None:
                    factory = self._recorders_factory
                elif callable(factory) and factory is not run._eager_task_factory:
                    factory = recorder.around(factory, steps_class)
                super().set_task_factory(factory)

            def get_task_factory(self) -> Any:
                return self._users_factory

        return Recorded if asks_factory else Numbering

    def _with_jobs(self, loop_class: Any, real_time: bool = False) -> Any:
        """Return a class of loops whose threads take turns."""
        if hasattr(loop_class, "run_in_executor"):
            loop_class = with_jobs_in_turn(loop_class, self._jobs, real_time)
        loop_class.__name__ = loop_class.__qualname__ = "EventLoop"  # in reprs
        return loop_class

    def _new_loop(self) -> Any:
        """Return a new loop, recorded if it is made in the thread of the run."""
        if threading.current_thread() is self._thread:
            return self._loop_class()
        return self.side.kind.make() if self.side.kind else self.side.loop_class()

    def _close(self, loop: Any) -> None:
        if self.side.order_only:
            loop.close()
        else:
            self._loop_class.close(loop)  # not that of a subclass, which has run already

    @contextlib.contextmanager
    def _makes_loops(self) -> Iterator[None]:
        """In the block, let the side's library make recorded loops, whatever code asks it to."""
        if self.side.module is not asyncio:
            places = [(runners, "EventLoop", self._new_loop)]
            places.append((runners, "all_tasks", in_order(miniloop, miniloop.all_tasks)))
            thread = dict(vars(current._thread))
            vars(current._thread).clear()
            try:
                with replaced(places):
                    yield
            finally:
                vars(current._thread).clear()
                vars(current._thread).update(thread)
            return
        places = [(asyncio.tasks, "all_tasks", in_order(asyncio, asyncio.tasks.all_tasks))]
        with current_loop_kept(self._new_loop) as makers, replaced([*places, *makers]):
            yield

    def _run(self, program: Callable[[], object], forget: Callable[[], None]) -> Schedule:
        def main() -> None:
            try:
                program()
            except BaseException as error:
                if not (isinstance(error, SystemExit) and error.code in (None, 0)):
                    self.told = traceback.format_exc(limit=-4)
                raise

        state = random.getstate()
        random.seed(0)
        try:
            with self._makes_loops(), replaced(self.side.places):
                try:
                    run_watched(self.recorder, main, contextvars.copy_context)
                finally:
                    self.recorder.stop()
                    self._jobs.let_all_go()
                    for loop in self._loops:
                        with contextlib.suppress(Exception):  # a loop of the user's own
                            self._close(loop)
                forget()
                return reported(self.recorder)
        finally:
            random.setstate(state)


@contextlib.contextmanager
def current_loop_kept(new_loop: Callable[[], Any]) -> Iterator[list[tuple[Any, str, Any]]]:
    """Begin without a current loop in asyncio, and put back the old one at the end.

    Yields what to replace so that asyncio makes its loops with `new_loop`.
    """
    if sys.version_info >= (3, 14):  # where policies are deprecated, and get_event_loop() raises
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError:
            loop = None
        asyncio.set_event_loop(None)
        events: Any = asyncio.events
        usual, policy = events.new_event_loop, getattr(events, "_event_loop_policy", None)

        def make() -> Any:
            # A program may still have a policy of its own, which makes its loops.
            own = getattr(events, "_event_loop_policy", None) is not policy
            return usual() if own else new_loop()

        places = [(place, "new_event_loop", make) for place in (asyncio, events)]
        if policy is not None:
            places.append((events, "_event_loop_policy", policy))
        try:
            yield places
        finally:
            asyncio.set_event_loop(loop)
        return

    class Policy(asyncio.DefaultEventLoopPolicy):
        _loop_factory = staticmethod(new_loop)

    policy = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(Policy())
    try:
        yield []
    finally:
        asyncio.set_event_loop_policy(policy)


def time_of(recorder: Recorder) -> ModuleType:
    """Return the replacement of `time`."""
    clock = recorder.clock
    module = ModuleType("time")
    names = module.__dict__
    names.update(vars(time), sleep=clock.sleep)
    for name in TELL_TIME:
        if name != "sleep":
            nanoseconds = name.endswith("_ns")
            names[name] = (lambda: int(clock.time() * 1e9)) if nanoseconds else clock.time
    return module


def coroutine_of(function: Callable[[], Any]) -> Any:
    """Call an async function. Raises TypeError if it returns nothing that can be awaited.

    asyncio.run() would raise something else on some Pythons.
    """
    made = function()
    if not inspect.isawaitable(made):
        raise TypeError(f"an async function was expected, not one that returns {made!r}")
    return made


def layers(function: Any) -> list[Any]:
    """Return a function and those that it wraps, from outside, without those of libraries."""
    found = []
    while function is not None:
        names = getattr(function, "__globals__", None)
        if names and names.get("__name__", "").partition(".")[0] not in ("asyncio", "miniloop"):
            found.append(function)
        partial = isinstance(function, functools.partial)
        function = function.func if partial else getattr(function, "__wrapped__", None)
    return found


def run_written(side: Side, program: Written) -> tuple[Schedule, str]:
    """Return the schedule of a script or function, and the traceback of what ended it."""
    run = Run(side, program)
    return run.schedule(), run.told
