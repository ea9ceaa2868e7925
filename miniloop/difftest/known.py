"""Notice when this Python's asyncio is about to do something that miniloop does not do.

miniloop has the semantics of asyncio in CPython 3.15. `differences.toml` lists what older Pythons
do otherwise. A *watch* replaces a part of asyncio. It behaves as that part does, and calls a
function when the situation comes up that an entry describes. Each watch has the id of its entry,
and is set only on the Pythons that the entry names.

Random programs use everything, so they meet these situations often. The comparison of a program
ends where a watch reports one, and everything before that is compared. If the schedules of a script
differ, `compare` looks which watch reported a situation last, and names its entry.
"""

from __future__ import annotations

import asyncio
import asyncio.base_events
import asyncio.events
import asyncio.futures
import asyncio.tasks
import concurrent.futures
import contextlib
import contextvars
import functools
import inspect
import math
import socket
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from ..trace.recorder import Recorder, Steps
from .register import Known, entries

Met = Callable[[], None]
"""The function that a watch calls when the situation comes up."""
Place = tuple[Any, str, Any]
"""An attribute to set: the object, the name and the value."""


class StandIns(dict[str, Any]):
    """The replacements of parts of asyncio, by the path of the part: `gather`, `tasks.Task.cancel`.

    For a part that is not replaced, this gives the part itself.
    """

    def __missing__(self, path: str) -> Any:
        of, _, name = path.rpartition(".")
        return getattr(self[of] if of else asyncio, name)

    def places(self) -> list[Place]:
        """Yield what to set: a function or class in each module of asyncio that has it."""
        found: list[Place] = []
        for path, value in self.items():
            of, _, name = path.rpartition(".")
            owner: Any = self[of] if of else asyncio
            if isinstance(owner, ModuleType) and hasattr(owner, name):
                real = getattr(owner, name)
                for module in modules():
                    names = [key for key, one in vars(module).items() if one is real]
                    found += [(module, key, value) for key in names]
            else:
                found.append((owner, name, value))
        return found


@contextlib.contextmanager
def replaced(places: list[Place]) -> Iterator[None]:
    """In the block, set other values at these places."""
    had = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    try:
        for owner, name, value in places:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in had:
            setattr(owner, name, value)


def modules() -> list[ModuleType]:
    """Return the modules of asyncio that are imported."""
    return [
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == "asyncio" and isinstance(module, ModuleType)
    ]


Watch = Callable[[StandIns, Met], None]
WATCHES: dict[str, Watch] = {}
"""The functions that add a watch to the stand-ins, by the id of the entry."""
_of_scripts: set[str] = set()


def watch(entry: str, *, of_scripts: bool = False) -> Callable[[Watch], Watch]:
    """Register a function as the watch of an entry, or as one for scripts only."""

    def register(function: Watch) -> Watch:
        WATCHES[entry] = function
        if of_scripts:
            _of_scripts.add(entry)
        return function

    return register


def needed(entry: str) -> bool:
    """Return whether this Python's asyncio has the difference."""
    return entries()[entry].here


def watches(met: Callable[[str], None], stand_ins: StandIns, *, of_scripts: bool = False) -> None:
    """Add to `stand_ins` all watches that this Python needs. Each calls `met` with its entry's id.

    Some watches are for scripts only: random programs do not meet their situations.
    """
    for entry in entries().values():
        if not needed(entry.id):
            continue
        tell = functools.partial(met, entry.id)
        if entry.id in WATCHES and (of_scripts or entry.id not in _of_scripts):
            WATCHES[entry.id](stand_ins, tell)
        if of_scripts:
            watch_names(entry, stand_ins, tell)


def watch_names(entry: Known, stand_ins: StandIns, met: Met) -> None:
    """Watch for the use of names and keywords that this Python's asyncio does not have."""
    for name in entry.new:
        path, _, keyword = name.rstrip(")").partition("(")
        of, _, last = path.rpartition(".")
        if of and isinstance(stand_ins[of], type):
            make_open(stand_ins, of)
        if keyword:
            stand_ins[path] = before_call(stand_ins[path], functools.partial(has, keyword), met)
        elif of:
            stand_ins[path] = Absent(last, met)
        else:
            stand_ins["__getattr__"] = without_name(stand_ins, last, met)


def make_open(stand_ins: StandIns, path: str) -> None:
    """Replace a class whose attributes cannot be set, because it is in C, by a subclass."""
    real = stand_ins[path]
    immutable = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE
    if real.__flags__ & immutable:
        names = {"__module__": real.__module__, "__qualname__": real.__qualname__}
        stand_ins[path] = type(real.__name__, (real,), names)


def before_call(function: Any, condition: Callable[..., object], met: Met) -> Any:
    """Return a function that reports calls with arguments for which the condition holds."""

    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        if condition(*args, **keywords):
            met()
        return function(*args, **keywords)

    return call


def has(keyword: str, /, *_: Any, **keywords: Any) -> bool:
    """Return whether a call has a keyword."""
    return keyword in keywords


def without_name(stand_ins: StandIns, missing: str, met: Met) -> Any:
    """Return a `__getattr__` for the module asyncio that reports when the name is used."""
    before = stand_ins.get("__getattr__") or vars(asyncio).get("__getattr__")

    def module_getattr(name: str) -> Any:
        if name == missing:
            met()
        if before is not None:
            return before(name)
        raise AttributeError(f"module 'asyncio' has no attribute {name!r}", name=name, obj=asyncio)

    return module_getattr


class Absent:
    """Return an attribute that a class does not have, which reports when it is used."""

    def __init__(self, name: str, met: Met) -> None:
        self._name = name
        self._met = met

    def __get__(self, instance: Any, owner: Any) -> Any:
        self._met()
        kind = (
            f"type object {owner.__name__!r}" if instance is None else f"{owner.__name__!r} object"
        )
        raise AttributeError(
            f"{kind} has no attribute {self._name!r}", name=self._name, obj=instance
        )


# -- watches of tasks and futures -----------------------------------------------------------------


@watch("uncancel-clears-cancel")
def uncancel(stand_ins: StandIns, met: Met) -> None:
    """Watch for a task whose last cancel is taken back before it is delivered."""
    base: Any = stand_ins["Task"]

    class Task(base):  # type: ignore[misc]
        def uncancel(self) -> Any:
            if self.cancelling() == 1 and self._must_cancel:
                met()
            return super().uncancel()

    stand_ins["Task"] = Task


@watch("chain-in-own-thread")
def chain(stand_ins: StandIns, met: Met) -> None:
    """Watch for a future of threads that is done, or cancelled, in the thread of the loop."""
    chain_future = stand_ins["futures._chain_future"]

    def _chain_future(source: Any, destination: Any) -> None:
        for job, other, always in (source, destination, True), (destination, source, False):
            if isinstance(job, concurrent.futures.Future):
                loop = other.get_loop()

                def done(job: Any, loop: Any = loop, always: bool = always) -> None:
                    if (always or job.cancelled()) and asyncio._get_running_loop() is loop:
                        met()

                job.add_done_callback(done)
        chain_future(source, destination)

    stand_ins["futures._chain_future"] = _chain_future


@watch("shield-retrieves")
def shield(stand_ins: StandIns, met: Met) -> None:
    """Watch for a shield that is cancelled after what it shields has failed."""
    real = stand_ins["shield"]

    def shield(arg: Any) -> Any:
        inner = asyncio.ensure_future(arg)
        outer = real(inner)
        if outer is not inner:

            def done(outer: Any) -> None:
                if outer.cancelled() and inner.done() and not inner.cancelled():
                    met()

            outer.add_done_callback(done)
        return outer

    stand_ins["shield"] = shield


@watch("shield-callbacks")
def shield_in_debug_mode(stand_ins: StandIns, met: Met) -> None:
    """Watch for a loop in which a task shields something, and whose debug mode is on."""
    shielding: weakref.WeakSet[Any] = weakref.WeakSet()

    def in_debug_mode(arg: Any) -> bool:
        loop = asyncio._get_running_loop()
        if loop is None:
            return False
        shielding.add(loop)
        return loop.get_debug()

    path = "base_events.BaseEventLoop.set_debug"
    stand_ins["shield"] = before_call(stand_ins["shield"], in_debug_mode, met)
    stand_ins[path] = before_call(
        stand_ins[path], lambda loop, enabled: enabled and loop in shielding, met
    )


@watch("gather-of-done")
def gather(stand_ins: StandIns, met: Met) -> None:
    """Watch for children that are done already."""
    real = stand_ins["gather"]

    def gather(*awaitables: Any, return_exceptions: bool = False) -> Any:
        outer: Any = real(*awaitables, return_exceptions=return_exceptions)
        children = getattr(outer, "_children", ())
        if any(child.done() for child in children):
            met()
        return outer

    stand_ins["gather"] = gather


@watch("wait-for-in-task")
def wait_for(stand_ins: StandIns, met: Met) -> None:
    """Watch for a timeout to wait for."""
    real = stand_ins["wait_for"]

    async def wait_for(fut: Any, timeout: Any) -> Any:
        if timeout is not None and timeout > 0:
            met()
        return await real(fut, timeout)

    stand_ins["wait_for"] = wait_for


class AsCompleted:
    """What as_completed() returns, with a watch."""

    def __init__(self, iterator: Any, met: Met) -> None:
        self._iterator = iterator
        self._met = met
        self._failed = False

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self._wait_for_one(self._next(next))

    def _next(self, get: Any) -> Any:
        if self._failed:
            self._met()
        return get(self._iterator)

    async def _wait_for_one(self, one: Any) -> Any:
        try:
            return await one
        except asyncio.CancelledError:  # its own or the future's: this place cannot tell which
            self._failed = True
            raise


class AsCompletedAsync(AsCompleted):
    """The same since 3.13, when there are two ways to go through it."""

    def __aiter__(self) -> Any:
        aiter(self._iterator)
        return self

    async def __anext__(self) -> Any:
        return await self._wait_for_one(self._next(anext))


@watch("as-completed-cancelled-step")
def as_completed(stand_ins: StandIns, met: Met) -> None:
    """Watch for an iterator that is asked for more after a wait has failed."""
    real = stand_ins["as_completed"]

    def as_completed(fs: Any, *, timeout: float | None = None) -> Any:
        iterator = real(fs, timeout=timeout)
        kind = AsCompletedAsync if hasattr(iterator, "__aiter__") else AsCompleted
        return kind(iterator, met)

    stand_ins["as_completed"] = as_completed


@watch("as-completed-async", of_scripts=True)
def as_completed_async(stand_ins: StandIns, met: Met) -> None:
    """Watch for an `async for`."""
    real = stand_ins["as_completed"]

    class NotAsync:
        def __init__(self, iterator: Any) -> None:
            self._iterator = iterator

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> Any:
            return next(self._iterator)

        def __aiter__(self) -> Any:
            met()
            raise TypeError("'async for' requires an object with __aiter__ method, got generator")

    def as_completed(fs: Any, *, timeout: float | None = None) -> Any:
        return NotAsync(real(fs, timeout=timeout))

    stand_ins["as_completed"] = as_completed


@watch("as-completed-checks-at-once", of_scripts=True)
def as_completed_of_one(stand_ins: StandIns, met: Met) -> None:
    """Watch for an argument that is no collection."""
    stand_ins["as_completed"] = before_call(
        stand_ins["as_completed"], lambda fs, **_: inspect.isawaitable(fs), met
    )


@watch("as-completed-without-a-running-loop", of_scripts=True)
def as_completed_outside(stand_ins: StandIns, met: Met) -> None:
    """Watch for a call outside a running loop."""
    stand_ins["as_completed"] = before_call(
        stand_ins["as_completed"], lambda *_, **__: asyncio._get_running_loop() is None, met
    )


@watch("gather-of-another-loop", of_scripts=True)
def gather_of_another_loop(stand_ins: StandIns, met: Met) -> None:
    """Watch for a future of a loop that is not the running one."""

    def foreign(*futures: Any, **_: Any) -> bool:
        loop = asyncio._get_running_loop()
        return loop is not None and any(
            asyncio.isfuture(one) and one.get_loop() is not loop for one in futures
        )

    stand_ins["gather"] = before_call(stand_ins["gather"], foreign, met)


@watch("wait-for-current-task")
def wait_for_oneself(stand_ins: StandIns, met: Met) -> None:
    """Watch for a task that waits for itself."""
    real = stand_ins["wait_for"]

    async def wait_for(fut: Any, timeout: Any) -> Any:
        if fut is asyncio.current_task():
            met()
        return await real(fut, timeout)

    stand_ins["wait_for"] = wait_for


@watch("sleep-of-nan", of_scripts=True)
def sleep(stand_ins: StandIns, met: Met) -> None:
    """Watch for a delay that is no number."""
    stand_ins["sleep"] = before_call(
        stand_ins["sleep"], lambda delay, *_: isinstance(delay, float) and math.isnan(delay), met
    )


@watch("stop-iteration-into-a-future", of_scripts=True)
def stop_iteration(stand_ins: StandIns, met: Met) -> None:
    """Watch for the exception that no future takes."""
    make_open(stand_ins, "Future")
    base: Any = stand_ins["Future"]
    stand_ins["Future.set_exception"] = before_call(
        base.set_exception,
        lambda self, error: isinstance(error, StopIteration) or error is StopIteration,
        met,
    )


@watch("generators-are-coroutines", of_scripts=True)
def iscoroutine(stand_ins: StandIns, met: Met) -> None:
    """Watch for a generator where asyncio looks whether it has a coroutine."""
    stand_ins["iscoroutine"] = before_call(
        stand_ins["iscoroutine"], lambda obj: isinstance(obj, types.GeneratorType), met
    )


# -- watches of what tasks wait in ----------------------------------------------------------------


@watch("condition-passes-notify-on")
def condition(stand_ins: StandIns, met: Met) -> None:
    """Watch for an error out of wait()."""
    base: Any = stand_ins["Condition"]

    class Condition(base):  # type: ignore[misc]
        async def wait(self) -> Any:
            try:
                return await super().wait()
            except BaseException:
                met()
                raise

    stand_ins["Condition"] = Condition
    barrier: Any = stand_ins["Barrier"]

    class Barrier(barrier):  # type: ignore[misc]
        def __init__(self, parties: int) -> None:
            super().__init__(parties)
            self._cond = Condition()

    stand_ins["Barrier"] = Barrier


@watch("semaphore-wakes-as-many-as-fit")
def semaphore(stand_ins: StandIns, met: Met) -> None:
    """Watch for slots that are free while other tasks still wait."""
    for name in "Semaphore", "BoundedSemaphore":
        base: Any = stand_ins[name]

        class Semaphore(base):  # type: ignore[misc]
            async def acquire(self) -> Any:
                try:
                    return await super().acquire()
                finally:
                    if self._value > 0 and not all(w.done() for w in self._waiters or ()):
                        met()

        Semaphore.__name__ = Semaphore.__qualname__ = name
        stand_ins[name] = Semaphore


@watch("taskgroup-cancels-again")
def group_cancels_again(stand_ins: StandIns, met: Met) -> None:
    """Watch for an error together with a cancel from outside."""
    base: Any = stand_ins["TaskGroup"]

    class TaskGroup(base):  # type: ignore[misc]
        async def __aexit__(self, *error: Any) -> Any:
            # Since 3.13 it also takes back its own cancellation later: after its tasks have ended.
            if self._parent_cancel_requested and self._tasks:
                met()
            parent = self._parent_task
            try:
                return await super().__aexit__(*error)
            except BaseExceptionGroup:
                if parent.cancelling():
                    met()
                raise

    stand_ins["TaskGroup"] = TaskGroup


@watch("taskgroup-notices-later")
def group_with_eager_tasks(stand_ins: StandIns, met: Met) -> None:
    """Watch for a task that is done when it has been made."""
    base: Any = stand_ins["TaskGroup"]

    class TaskGroup(base):  # type: ignore[misc]
        _making = 0

        def create_task(self, *args: Any, **keywords: Any) -> Any:
            self._making += 1
            try:
                return super().create_task(*args, **keywords)
            finally:
                self._making -= 1

        def _on_task_done(self, task: Any) -> None:
            if self._making:
                met()
            super()._on_task_done(task)

    stand_ins["TaskGroup"] = TaskGroup


@watch("taskgroup-and-generator-exit")
def group_and_generator_exit(stand_ins: StandIns, met: Met) -> None:
    """Watch for a GeneratorExit out of the body of a group."""
    base: Any = stand_ins["TaskGroup"]

    class TaskGroup(base):  # type: ignore[misc]
        async def __aexit__(self, *error: Any) -> Any:
            try:
                return await super().__aexit__(*error)
            except BaseExceptionGroup as raised:
                if isinstance(error[1], GeneratorExit) and raised.exceptions == (error[1],):
                    met()
                raise

    stand_ins["TaskGroup"] = TaskGroup


@watch("timeout-of-a-cancelled-task")
def timeouts(stand_ins: StandIns, met: Met) -> None:
    """Watch for a timeout that ends in a task cancelled before."""
    base: Any = stand_ins["Timeout"]

    class Timeout(base):  # type: ignore[misc]
        async def __aenter__(self) -> Any:
            await super().__aenter__()
            self._cancelled_before = self._task.cancelling()
            return self

        async def __aexit__(self, *error: Any) -> Any:
            if self._cancelled_before and self.expired():
                met()
            return await super().__aexit__(*error)

    def timeout(delay: Any) -> Any:
        return Timeout(None if delay is None else asyncio.get_running_loop().time() + delay)

    stand_ins.update({"Timeout": Timeout, "timeout": timeout, "timeout_at": Timeout})


# -- watches of loops -----------------------------------------------------------------------------

LOOP = "base_events.BaseEventLoop."


@watch("executor-shutdown-timer", of_scripts=True)
def shutdown_default_executor(stand_ins: StandIns, met: Met) -> None:
    """Watch for an executor that is shut down."""
    path = LOOP + "shutdown_default_executor"
    stand_ins[path] = before_call(
        stand_ins[path], lambda loop, *_: loop._default_executor is not None, met
    )


@watch("get-event-loop-raises", of_scripts=True)
def get_event_loop(stand_ins: StandIns, met: Met) -> None:
    """Watch for a call that makes a loop because none has been set."""
    path = "events.BaseDefaultEventLoopPolicy.get_event_loop"

    def makes_one(policy: Any) -> bool:
        local = policy._local
        main = threading.current_thread() is threading.main_thread()
        return local._loop is None and not local._set_called and main

    stand_ins[path] = before_call(stand_ins[path], makes_one, met)


@watch("run-forever-refused", of_scripts=True)
def run_forever(stand_ins: StandIns, met: Met) -> None:
    """Watch for a loop that is told to run inside a running loop."""
    path = LOOP + "run_forever"
    stand_ins[path] = before_call(
        stand_ins[path], lambda loop: asyncio._get_running_loop() is not None, met
    )


@watch("context-already-entered", of_scripts=True)
def run_handle(stand_ins: StandIns, met: Met) -> None:
    """Watch for a callback or step whose context cannot be entered."""

    def entered(handle: Any) -> bool:
        try:
            handle._context.run(int)
        except RuntimeError:
            return True
        return False

    stand_ins["Handle._run"] = before_call(stand_ins["Handle._run"], entered, met)


@watch("failed-future-double", of_scripts=True)
def report_of_a_future(stand_ins: StandIns, met: Met) -> None:
    """Watch for a future that reports its exception."""
    path = LOOP + "call_exception_handler"

    def reports(loop: Any, context: Any) -> bool:
        future = context.get("future")
        return asyncio.isfuture(future) and not isinstance(future, asyncio.Task)

    stand_ins[path] = before_call(stand_ins[path], reports, met)


@watch("exception-handler-context")
def exception_handler(stand_ins: StandIns, met: Met) -> None:
    """Watch for an exception handler of the program whose context matters."""
    path = LOOP + "call_exception_handler"
    real = stand_ins[path]

    def other_values(thing: Any) -> bool:
        """Return whether variables may have other values in the context of `thing`."""
        if isinstance(thing, asyncio.Task):
            return True  # older Pythons do not show its context
        context = getattr(thing, "_context", None) if isinstance(thing, asyncio.Handle) else None
        return context is not None and dict(context) != dict(contextvars.copy_context())

    def call_exception_handler(loop: Any, context: Any) -> None:
        if loop.get_exception_handler() is None:
            real(loop, context)
            return
        if any(other_values(context.get(name)) for name in ("task", "future", "handle")):
            met()
        before = dict(contextvars.copy_context())
        real(loop, context)
        if dict(contextvars.copy_context()) != before:  # the handler has set one of them here
            met()

    stand_ins[path] = call_exception_handler


@watch("subclass-of-cancelled-error", of_scripts=True)
def cancelled_subclass(stand_ins: StandIns, met: Met) -> None:
    """Watch for a block that is left by an exception of the program's own."""

    def own(block: Any, kind: Any, *_: Any) -> bool:
        cancelled = asyncio.CancelledError
        return kind not in (None, cancelled) and issubclass(kind, cancelled)

    for path in "Timeout.__aexit__", "TaskGroup.__aexit__":
        stand_ins[path] = before_call(stand_ins[path], own, met)


@watch("timeout-in-a-chain", of_scripts=True)
def timeout_in_a_chain(stand_ins: StandIns, met: Met) -> None:
    """Watch for a timeout that is answered by another exception."""

    def other(timeout: Any, kind: Any, *_: Any) -> bool:
        expiring = timeout._state is type(timeout._state).EXPIRING
        return expiring and kind is not None and not issubclass(kind, asyncio.CancelledError)

    path = "Timeout.__aexit__"
    stand_ins[path] = before_call(stand_ins[path], other, met)


@watch("taskgroup-closes-what-it-refuses", of_scripts=True)
def group_refuses(stand_ins: StandIns, met: Met) -> None:
    """Watch for a group that takes no tasks."""

    def refuses(group: Any, *_: Any, **__: Any) -> bool:
        done = group._exiting and not group._tasks
        return not group._entered or done or group._aborting

    path = "TaskGroup.create_task"
    stand_ins[path] = before_call(stand_ins[path], refuses, met)


@watch("eager-task-without-a-loop", of_scripts=True)
def eager_without_loop(stand_ins: StandIns, met: Met) -> None:
    """Watch for an eager task without the argument `loop`."""
    before_init(
        stand_ins,
        "Task",
        lambda self, *_, loop=None, eager_start=False, **__: eager_start and not loop,
        met,
    )


@watch("what-is-no-context", of_scripts=True)
def no_context(stand_ins: StandIns, met: Met) -> None:
    """Watch for a task whose context is no Context."""

    def other(self: Any, *_: Any, context: Any = None, **__: Any) -> bool:
        return context is not None and not isinstance(context, contextvars.Context)

    before_init(stand_ins, "Task", other, met)


@watch("initialized-twice", of_scripts=True)
def initialized_twice(stand_ins: StandIns, met: Met) -> None:
    """Watch for a future or task that has its loop already."""
    for name in "Future", "Task":
        before_init(stand_ins, name, lambda self, *_, **__: self._loop is not None, met)


@watch("parties-of-a-barrier", of_scripts=True)
def barrier(stand_ins: StandIns, met: Met) -> None:
    """Watch for a barrier for nobody."""
    before_init(stand_ins, "Barrier", lambda self, parties: parties < 1, met)


def before_init(stand_ins: StandIns, name: str, condition: Callable[..., object], met: Met) -> None:
    """Watch for an object of a class that is made in a certain way."""
    make_open(stand_ins, name)
    path = f"{name}.__init__"
    stand_ins[path] = before_call(stand_ins[path], condition, met)


@watch("task-factory-keywords", of_scripts=True)
def task_factory(stand_ins: StandIns, met: Met) -> None:
    """Watch for a task with a name that a task factory makes."""
    path = LOOP + "create_task"
    stand_ins[path] = before_call(
        stand_ins[path],
        lambda loop, coro, *, name=None, **_: name is not None and loop.get_task_factory(),
        met,
    )


@watch("run-of-awaitables", of_scripts=True)
def run_of_awaitables(stand_ins: StandIns, met: Met) -> None:
    """Watch for a main program that is no coroutine."""
    path = "Runner.run"
    stand_ins[path] = before_call(
        stand_ins[path], lambda runner, coro, **_: not hasattr(coro, "send"), met
    )


@watch("timers-of-large-clocks", of_scripts=True)
def timers(stand_ins: StandIns, met: Met) -> None:
    """Watch for timers on a clock that cannot tell a step."""

    def too_large(loop: Any, *_: Any, **__: Any) -> bool:
        now: float = loop.time()
        step: float = loop._clock_resolution
        return now + step == now

    path = LOOP + "call_at"
    stand_ins[path] = before_call(stand_ins[path], too_large, met)


@watch("thread-safe-handles", of_scripts=True)
def thread_safe_handles(stand_ins: StandIns, met: Met) -> None:
    """Watch for the text of a handle that call_soon_threadsafe() has made."""
    made: weakref.WeakSet[Any] = weakref.WeakSet()
    path = LOOP + "call_soon_threadsafe"
    real = stand_ins[path]

    def call_soon_threadsafe(self: Any, *args: Any, **keywords: Any) -> Any:
        handle = real(self, *args, **keywords)
        made.add(handle)
        return handle

    stand_ins[path] = call_soon_threadsafe
    path = "Handle.__repr__"
    stand_ins[path] = before_call(stand_ins[path], made.__contains__, met)


@watch("arguments-in-reprs", of_scripts=True)
def arguments(stand_ins: StandIns, met: Met) -> None:
    """Watch for the text of a handle whose callback has arguments."""
    path = "Handle.__repr__"
    stand_ins[path] = before_call(
        stand_ins[path], lambda handle: handle._args and not handle._loop.get_debug(), met
    )


@watch("iscoroutinefunction-warns", of_scripts=True)
def iscoroutinefunction(stand_ins: StandIns, met: Met) -> None:
    """Watch for a call that does not come from asyncio itself."""

    def from_outside(function: Any) -> bool:
        caller = sys._getframe(2).f_globals.get("__name__", "")
        return str(caller).partition(".")[0] != "asyncio"

    path = "iscoroutinefunction"
    stand_ins[path] = before_call(stand_ins[path], from_outside, met)


@watch("executor-shutdown-timeout", of_scripts=True)
def executor_timeout(stand_ins: StandIns, met: Met) -> None:
    """Watch for a timeout."""
    path = LOOP + "shutdown_default_executor"
    stand_ins[path] = before_call(
        stand_ins[path], lambda loop, *args, **keywords: args or keywords, met
    )


# -- watches of servers and streams ---------------------------------------------------------------


@watch("unix-socket-is-removed", of_scripts=True)
def stop_serving(stand_ins: StandIns, met: Met) -> None:
    """Watch for a Unix socket that is closed."""
    path = "selector_events.BaseSelectorEventLoop._stop_serving"
    stand_ins[path] = before_call(
        stand_ins[path], lambda loop, sock: sock.family == socket.AF_UNIX, met
    )


@watch("wait-closed-waits", of_scripts=True)
def wait_closed(stand_ins: StandIns, met: Met) -> None:
    """Watch for a closed server with connections, or an open one without."""
    path = "Server.wait_closed"
    stand_ins[path] = before_call(
        stand_ins[path],
        lambda server: (
            (server._active_count > 0) == (server._sockets is None)
            and not stops_serving_forever(server)
        ),
        met,
    )


def stops_serving_forever(server: Any) -> bool:
    """Return whether the task that serves for ever was cancelled."""
    future = server._serving_forever_fut
    return future is not None and future.cancelled()


@watch("serve-forever-closes-clients", of_scripts=True)
def serve_forever(stand_ins: StandIns, met: Met) -> None:
    """Watch for a server that closes because its task was cancelled."""
    path = "Server.close"
    stand_ins[path] = before_call(stand_ins[path], stops_serving_forever, met)


@watch("server-context", of_scripts=True)
def server_context(stand_ins: StandIns, met: Met) -> None:
    """Watch for a server that begins to serve in another context than it was made in."""
    made: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    def note(server: Any, *_: Any, **__: Any) -> bool:
        made[server] = dict(contextvars.copy_context())
        return False

    before_init(stand_ins, "Server", note, met)
    path = "Server._start_serving"
    stand_ins[path] = before_call(
        stand_ins[path], lambda server: made[server] != dict(contextvars.copy_context()), met
    )


@watch("client-connected-cb-raises", of_scripts=True)
def client_connected(stand_ins: StandIns, met: Met) -> None:
    """Watch for a callback for new connections that raises."""
    path = "StreamReaderProtocol.__init__"
    real = stand_ins[path]

    @functools.wraps(real)
    def init(self: Any, reader: Any, client_connected_cb: Any = None, loop: Any = None) -> None:
        def connected(*args: Any) -> Any:
            try:
                return client_connected_cb(*args)
            except Exception:
                met()
                raise

        real(self, reader, client_connected_cb and connected, loop)

    stand_ins[path] = init


@watch("readuntil-several", of_scripts=True)
def readuntil(stand_ins: StandIns, met: Met) -> None:
    """Watch for separators in a tuple."""
    path = "StreamReader.readuntil"
    stand_ins[path] = before_call(
        stand_ins[path], lambda reader, separator=b"\n": isinstance(separator, tuple), met
    )


class StepsOfPythonTask(Steps):
    """The steps of asyncio's Python tasks, which do not quite do what its C tasks do.

    A task that awaits itself gets a RuntimeError from both. But Python tasks forget to reset a flag
    then. If another task awaits that task later, it waits, where C tasks and those of miniloop
    raise again.
    """

    __slots__ = ()

    def send(self, value: Any) -> Any:  # noqa: D102
        return self._watch(super().send(value))

    def throw(self, *error: Any) -> Any:  # noqa: D102
        return self._watch(super().throw(*error))

    def _watch(self, yielded: Any) -> Any:
        if yielded is self.task() and yielded is not None:
            recorder: Recorder = self._recorder
            recorder.stop("a Python task that awaits itself")
        return yielded
