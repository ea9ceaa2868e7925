"""Writes down what a loop does: every step of every task, what the program prints, what went wrong.

A task factory wraps each task's coroutine in an object with `send`, `throw` and `close`. The loop
drives the wrapper, the wrapper drives the coroutine, and so every step is seen on any loop,
asyncio's C tasks included. Of the loop are replaced `time()`, the selector, and what receives its
reports; nothing that schedules.
"""

from __future__ import annotations

import asyncio
import collections
import enum
import functools
import itertools
import numbers
import re
import reprlib
import sys
import types
import weakref
from collections.abc import Callable, Coroutine, Iterator, MutableSequence
from typing import Any

from ..details.coroutines import _can_be_driven
from . import undefined
from .clock import CountingSelector, Stuck, VirtualClock
from .schedule import Schedule

# Exceptions of Python's and asyncio's whose arguments mostly come from the program. Other messages
# may be the library's own wording, which differs between asyncio's C and Python code: their type
# counts, and how RuntimeErrors begin.
OWN_ARGUMENTS = frozenset(
    {
        *("AssertionError", "CancelledError", "Exception", "KeyError", "KeyboardInterrupt"),
        *("StopIteration", "SystemExit", "ValueError"),
    }
)
LIBRARIES = frozenset({"builtins", "asyncio", "miniloop", "concurrent"})
"""Where the classes of the other exceptions stand; one from elsewhere counts as the program's."""

OF_TASK_GROUPS = "unhandled errors in a TaskGroup"
"""What the error of every TaskGroup says."""

# Reports that a destructor makes, at a moment that the garbage collector chooses.
FROM_DESTRUCTORS = re.compile("never retrieved|was destroyed")


# Named, since `int | str` in a call is made anew each time.
PLAIN = (str, int)
SEQUENCES = (list, tuple, collections.deque)
SETS = (set, frozenset)
COLLECTIONS = (*SEQUENCES, *SETS, dict)
AS_WRITTEN = (bytes, bytearray, numbers.Number, enum.Enum)
BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    dict: ("{", "}"),
}


def describe(value: object) -> str:
    """Return a value as text that is equal on every loop: no addresses, few words of a library."""
    if type(value) is str:
        return value
    try:
        if value is None or isinstance(value, PLAIN):
            return str(value)
        if isinstance(value, BaseException):
            return describe_error(value)
        if isinstance(value, float):
            return format(value, ".3f")
        if isinstance(value, COLLECTIONS):
            return describe_collection(value)
        if isinstance(value, AS_WRITTEN):
            return repr(value)
    except RecursionError:
        raise  # it is the program that recurses
    except Exception:  # out of a method of the program's, or for a number with too many digits
        pass
    return type(value).__name__


@reprlib.recursive_repr("...")
def describe_error(error: BaseException) -> str:
    """Return an exception's class, and its message as far as the words are the program's own."""
    name = type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        says = "" if error.message == OF_TASK_GROUPS else f"({error.message})"
        return f"{name}{says}[{', '.join(map(describe, error.exceptions))}]"
    own = name in OWN_ARGUMENTS or type(error).__module__.partition(".")[0] not in LIBRARIES
    if own and error.args:
        return f"{name}({', '.join(map(describe, error.args))})"
    if name == "RuntimeError" and error.args:
        # Its first words are the same everywhere, up to what is told of an object.
        words = re.split("[<(]", str(error.args[0]), maxsplit=1)[0].split()
        return f"{name}({' '.join(words[:3])})"
    return f"{name}()"


@reprlib.recursive_repr("...")
def describe_collection(value: Any) -> str:
    """Return a collection's kind and its items, as text."""
    if isinstance(value, dict):
        items = [f"{item_as_text(key)}: {item_as_text(item)}" for key, item in value.items()]
    else:
        items = [item_as_text(item) for item in value]
        if isinstance(value, SETS):
            items.sort()
    kind = type(value)
    before, after = BRACKETS.get(kind, (f"{kind.__name__}[", "]"))
    return f"{before}{', '.join(items)}{after}"


def item_as_text(item: object) -> str:
    """Return an item of a collection as text. A string keeps its quotes."""
    return repr(item) if type(item) is str else describe(item)


TOO_MANY = "too many events"
"""The reason for which recording stops at the limit of events."""
TOO_NESTED = "too many eager tasks within each other"
"""The reason for which recording stops if eager tasks nest too deep."""
TORN_DOWN = "while all is torn down"
"""The end of a reason that was found after the end of the run."""


class Recorder:
    """Collects the schedule of one run on one loop.

    `program` is the file name of the code whose lines are shown where a task suspends; of other
    code (the library's own coroutines) only the function's name is shown.
    """

    def __init__(
        self, program: str = "", tick_limit: int = 100_000, event_limit: int = 1_000_000
    ) -> None:
        self.program = program
        self.place: Callable[[Any], str] = functools.partial(suspended_at, program=program)
        """A function that returns where a coroutine is suspended."""
        self.event_limit = event_limit
        """Recording stops after so many events; what follows is not compared."""
        self.clock = VirtualClock()
        self.selector = CountingSelector(self.clock, tick_limit)
        self.rows: list[tuple[int, int, str, str]] = []
        self.reports: list[str] = []
        self.serial = itertools.count()
        self.tasks: MutableSequence[Any] = []
        """All tasks live until the end of the run, or `all_tasks()` would depend on which frames of
        the library a traceback holds: asyncio's C code has none."""
        self.cut = ""
        self._last_tick: int | None = None
        self.stopped = False
        """True once `stop()` was called."""
        self.nested = 0
        """The number of steps that run within each other now. An eager task's first one does."""
        self.most_nested = sys.maxsize
        """The limit of `nested`. Recording stops above it."""
        self._stdout = sys.stdout

    def note(self, who: str, what: str) -> None:
        """Append one event at the present tick and time."""
        if self.stopped:
            return
        rows = self.rows
        rows.append((len(self.selector.timeouts), int(self.clock.now * 1000.0), who, what))
        if len(rows) >= self.event_limit:
            self.stop(TOO_MANY)

    def stop(self, reason: str = "") -> None:
        """Record no more events.

        Without a reason it is the end of the run: what coroutines do while they are torn down is no
        schedule. With one, what follows is not comparable.
        """
        if not self.stopped:
            self.stopped = True
            self.cut = reason
            self.selector.tick_limit = self.selector.ticks
            self._last_tick = self.selector.ticks
            self.tasks.clear()
        elif reason and not self.cut:  # the destructors' reports are not comparable
            self.cut = f"{reason}, {TORN_DOWN}"

    def print(
        self, *values: object, sep: str | None = None, end: str | None = None, **rest: Any
    ) -> None:
        """Note an event in place of the built-in `print` for what goes to the standard output.

        Once recording has stopped it raises, to end runaway recursions.
        """
        file = rest.get("file") or sys.stdout
        if file is not self._stdout:
            print(*values, sep=sep, end=end, **rest)
            return
        if self.stopped:
            raise Stuck("recording has stopped")
        text = (" " if sep is None else sep).join(map(describe, values))
        self.note("print", text if end is None or end == "\n" else f"{text}{end}...")

    def exception_handler(self, loop: object, context: dict[str, Any]) -> None:
        """Note a call of the exception handler: the first words of its message, and the error."""
        message = str(context.get("message"))
        error = context.get("exception")
        text = " ".join(message.split()[:3])
        self.note("handler", text + (f" {describe(error)}" if error else "") + rest_of(context))

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Note what would be logged: the program's own handler has failed."""
        message = str(context.get("message"))
        self.note("logged", message + f" {describe(context.get('exception'))}" + rest_of(context))

    def is_report(self, context: dict[str, Any]) -> bool:
        """Return whether a destructor made this report, and if so keep it apart from the events."""
        message = str(context.get("message"))
        if FROM_DESTRUCTORS.search(message) is None:
            return False
        error = context.get("exception")
        if isinstance(error, KeyboardInterrupt | SystemExit):
            # It has left through the loop, and its traceback leads through the loop's frames:
            # whether the task behind it can be destroyed depends on what these frames hold.
            return True
        self.reports.append(message + (f" {describe(error)}" if error else "") + rest_of(context))
        return True

    def schedule(self) -> Schedule:
        """Return what was recorded so far."""
        return Schedule(
            self.rows,
            self.selector.timeouts[: self._last_tick],
            [] if self.cut else sorted(self.reports),
            self.cut,
        )

    def task_factory(
        self,
        task_class: Callable[..., Any],
        steps_class: Callable[..., Steps] | None = None,
        **fixed: Any,
    ) -> Callable[..., Any]:
        """Return a task factory that makes `task_class` around a coroutine with recorded steps.

        `fixed` goes to every task (`eager_start=True`, say).
        """
        asks = steps_class is not None  # only other classes of steps ask for their task
        steps_class = steps_class or Steps

        def factory(loop: Any, coro: Any, **keywords: Any) -> Any:
            if type(coro) is not types.CoroutineType and not _can_be_driven(coro):
                return task_class(coro, loop=loop, **fixed, **keywords)  # which refuses it
            steps = self.steps(coro, steps_class)
            if asks:
                steps.task = not_yet
            task = task_class(steps, loop=loop, **fixed, **keywords)
            if asks:
                steps.task = weakref.ref(task)  # or only the garbage collector could free it
            self.tasks.append(task)
            return task

        return factory

    def steps(self, coro: Any, steps_class: Callable[..., Steps]) -> Steps:
        """Put a coroutine, which a new task is to drive, in one whose steps are recorded."""
        name = getattr(coro, "__name__", "")
        inner = coro
        if not name or name == "_wrap_awaitable":
            inner = unwrapped(coro)
            name = getattr(inner, "__name__", type(inner).__name__)
        return steps_class(coro, inner, name, next(self.serial), self)


def driven_by(task_class: Any) -> Callable[[Any], bool]:
    """Return a function that tells whether tasks of this class take something for a coroutine."""
    library = getattr(task_class, "__module__", "").partition(".")[0]
    return _can_be_driven if library == "miniloop" else asyncio.iscoroutine


def numbered(future_class: Any) -> Any:
    """Return a class of futures that come out of sets in the order in which they were made.

    asyncio's hash by address: undefined, and not to be compared.
    """
    made = itertools.count()

    class Numbered(future_class):  # type: ignore[misc]
        def __new__(cls, *args: Any, **keywords: Any) -> Any:
            future = super().__new__(cls)
            future._made = undefined.hash_of(next(made))
            return future

        def __hash__(self) -> int:
            return self._made  # type: ignore[no-any-return]

    Numbered.__name__, Numbered.__qualname__ = [future_class.__name__.removeprefix("_Py")] * 2
    Numbered.__module__ = future_class.__module__
    return Numbered


def not_yet() -> None:
    """Stand in for a weak reference to a task that is being made."""


class Steps(Coroutine[Any, Any, Any]):
    """A coroutine that notes each of its steps: how it was resumed and how the step ended."""

    __slots__ = ("_coro", "_name", "_recorder", "inner", "number", "task")

    task: Callable[[], Any]
    """The task, while it lives; only for classes of steps other than this one."""

    def __init__(self, coro: Any, inner: Any, name: str, number: int, recorder: Recorder) -> None:
        self._coro = coro
        self.inner = inner
        """The program's own coroutine: that one, or one around which it is wrapped."""
        self._name = f"{name}#{number}"
        self.number = number
        """Tasks are numbered in the order in which they are started."""
        self._recorder = recorder

    def send(self, value: Any) -> Any:  # noqa: D102
        recorder = self._recorder
        recorder.nested += 1
        if recorder.nested > recorder.most_nested:
            recorder.stop(TOO_NESTED)
        try:
            result = self._coro.send(value)
        except BaseException as error:
            recorder.note(self._name, "send -> " + outcome(error))
            raise
        finally:
            recorder.nested -= 1
        recorder.note(self._name, "send -> " + recorder.place(self.inner))
        return result

    def throw(self, *error: Any) -> Any:  # noqa: D102
        came = f"throw {describe(error[0])} -> "
        try:
            result = self._coro.throw(*error)
        except BaseException as raised:
            self._recorder.note(self._name, came + outcome(raised))
            raise
        recorder = self._recorder
        recorder.note(self._name, came + recorder.place(self.inner))
        return result

    def close(self) -> None:  # noqa: D102
        # Not noted: who closes a coroutine, and when, is up to the garbage collector.
        self._coro.close()

    def __await__(self) -> Any:
        return self._coro.__await__()

    def __getattr__(self, name: str) -> Any:
        # cr_frame, cr_code, gi_frame, __name__, ...: Task.get_stack and reprs ask for them.
        return getattr(self._coro, name)


def rest_of(context: dict[str, Any]) -> str:
    """Return the names of what else a report tells: the handle, the task, its origin, ..."""
    keys = sorted(context.keys() - {"message", "exception"})
    return "".join(f", no {key}" if context[key] is None else f", {key}" for key in keys)


def outcome(error: BaseException) -> str:
    """Return how a step ended that did not suspend."""
    if type(error) is StopIteration:
        return "returned " + describe(error.value)
    return "raised " + describe(error)


def unwrapped(coro: Any) -> Any:
    """Return the awaitable inside asyncio's `_wrap_awaitable`, or the coroutine itself.

    asyncio wraps what is awaitable but no coroutine to it, generators for one; another library may
    take them as they are. It makes no difference to when they run.
    """
    if getattr(coro, "__name__", "") == "_wrap_awaitable":
        frame = getattr(coro, "cr_frame", None) or getattr(coro, "gi_frame", None)
        if frame is not None and "awaitable" in frame.f_locals:
            return frame.f_locals["awaitable"]
    return coro


def suspended_at(coro: Any, program: str) -> str:
    """Return where a coroutine is suspended: its line, the line of what it awaits, and so on.

    Ends with the first frame that is not the program's: how deep the library nests is its own
    affair.
    """
    places: list[str] = []
    coro = unwrapped(coro)
    while True:
        frame = getattr(coro, "cr_frame", None)
        if frame is not None:
            inner = coro.cr_await
        else:
            frame = getattr(coro, "gi_frame", None)
            if frame is None:
                break
            inner = coro.gi_yieldfrom
        code = frame.f_code
        if code.co_filename != program:
            if not places:
                places.append(code.co_name)
            break
        places.append(f"line {frame.f_lineno}")
        coro = inner
    return " > ".join(places) or type(coro).__name__


class WeakOrderedSet(weakref.WeakKeyDictionary[Any, None]):
    """As much of a WeakSet as loops use, in the order of insertion.

    Loops keep their async generators in one, and close them in its order: undefined, and not to be
    compared.
    """

    def add(self, item: Any) -> None:  # noqa: D102
        self[item] = None

    def discard(self, item: Any) -> None:  # noqa: D102
        self.pop(item, None)

    def __iter__(self) -> Iterator[Any]:
        return iter(undefined.in_set_order(list(super().__iter__())))


@functools.cache
def on_virtual_time(loop_class: Any) -> Any:
    """Return a subclass of a selector loop. It takes a `Recorder` and runs on its clock."""

    class Recorded(loop_class):  # type: ignore[misc]
        def __init__(self, recorder: Recorder) -> None:
            self.time = recorder.clock.time
            self._is_report = recorder.is_report
            super().__init__(recorder.selector)
            self._asyncgens = WeakOrderedSet()
            self.default_exception_handler = recorder.default_exception_handler
            self.set_exception_handler(recorder.exception_handler)

        def call_exception_handler(self, context: dict[str, Any]) -> None:
            if not self._is_report(context):
                super().call_exception_handler(context)

    Recorded.__name__ = Recorded.__qualname__ = loop_class.__name__
    return Recorded
