"""Where code stands: the line of the program behind a call, and what a suspended task waits for.

*Program* means the code that a person wrote for this run. The standard library, installed packages
and miniloop itself are *library*: their frames are skipped, since they are not the reader's lines.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import reprlib
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import CoroutineType, FrameType, GeneratorType
from typing import Any, NamedTuple

LONGEST = 80
"""The most characters of a repr; `cut()` drops the rest."""

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = LONGEST // 2
_SHORT.maxlevel = 2


def short(value: object) -> str:
    """Return the repr of a value, cut to LONGEST characters. An object's own repr is not called."""
    if value is None or type(value) is int or type(value) is float:
        return repr(value)
    if isinstance(value, bool | int | float | str | bytes | list | tuple | dict):
        try:
            text = _SHORT.repr(value)
        except Exception:  # of an item of the program's
            text = type(value).__name__
    elif isinstance(value, BaseException):
        text = type(value).__name__
    else:
        text = f"a {type(value).__name__}"
    return cut(text)


def cut(text: str, longest: int = LONGEST) -> str:
    """Return the text, with its end replaced by an ellipsis if it is longer than that."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


LIBRARY, RECORDER = -1, -2
"""What `Files` says of a file of a library, and of one of this package."""

Called = tuple[int, int, str]
"""What `Files.caller()` returns, as it goes into a record."""


class Place(NamedTuple):
    """A line of the program, and the library function that the line has called."""

    file: int
    """The number of the file."""
    line: int
    call: str
    """The function's name in the library, such as `Queue.put`. Empty if the line has called no
    Python function of a library."""


class Files(dict[str, int]):
    """Tells the program's files from those of libraries.

    `files[file]`, by the file name in a code object, is the number of a file of the program. It is
    LIBRARY for a file of a library, and RECORDER for one of this package, whose functions stand in
    for those of the library. `found(file)` is called for each file of the program, in the order of
    the numbers.
    """

    def __init__(self, found: Callable[[str], object] = str) -> None:
        super().__init__()
        self._found = found
        self._count = 0
        self._standings: dict[tuple[int, ...], Standing] = {}

    def __missing__(self, file: str) -> int:
        """Decide about a file when it is asked for the first time."""
        if file.startswith(OURS):
            self[file] = RECORDER
        elif is_of_library(file):
            self[file] = LIBRARY
        else:
            self.add(file)
        return self[file]

    def add(self, file: str) -> None:
        """Give a file of the program the next number."""
        self[file] = self._count
        self._count += 1
        self._found(file)

    def caller(self, frame: FrameType | None) -> Called | None:
        """Return the innermost line of the program on the stack, within the present step.

        Returns None in a callback of a library, where no line of the program is at work.
        """
        library = None
        while frame is not None:
            code = frame.f_code
            number = self[code.co_filename]
            if number >= 0:
                return number, frame.f_lineno, called(library.co_qualname) if library else ""
            if code.co_name == "_run_once":
                return None
            library = None if number == RECORDER else code
            frame = frame.f_back
        return None

    def line(self, frame: FrameType | None) -> int:
        """Return the number of the line that `caller()` finds, or 0."""
        where = self.caller(frame)
        return where[1] if where else 0

    def standing(self, coro: Any) -> tuple[Standing, list[Any]]:
        """Return where a coroutine stands that is not running, and its chain, outermost first.

        The chain is the coroutine and what it awaits. Coroutines stand in few places, again and
        again, so each place is looked at once. It is known by the code of each link, and in the
        program's code by the instruction. No other link is asked for its frame: that takes longer.
        """
        chain: list[Any] = []
        key: list[int] = []
        code: Any
        for _ in range(DEEPEST):
            if type(coro) is CoroutineType:  # fast: most are
                code, inner = coro.cr_code, coro.cr_await
            elif type(coro) is GeneratorType:
                code, inner = coro.gi_code, coro.gi_yieldfrom
            elif coro is None:
                break
            else:
                code, inner = _code_and_inner(coro)
            if code is not None:
                chain.append(coro)
                key.append(id(code))
                if self[code.co_filename] >= 0:
                    frame = frame_of(coro)
                    key.append(-1 if frame is None else frame.f_lasti)
            coro = inner
        place = tuple(key)
        found = self._standings.get(place)
        if found is None:
            found = self._standings[place] = Standing(chain, self)
        return found, chain


OURS = f"{Path(__file__).parent}{os.sep}"
"""The beginning of the path of each file in this package."""


def is_of_library(file: str) -> bool:
    """Return True if a file belongs to the standard library, an installed package or miniloop."""
    installed = "site-packages" in file or "dist-packages" in file
    return installed or file.startswith(libraries())


@functools.cache
def libraries() -> tuple[str, ...]:
    """Return the beginnings of the paths of Python's own files and of miniloop's."""
    folders = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib")}
    folders |= {str(Path(__file__).resolve().parents[1]), str(Path(asyncio.__file__).parent)}
    folders |= {str(Path(path).resolve()) for path in list(folders)}
    return "<frozen", "<string", *(f"{folder}{os.sep}" for folder in folders)


NAMES = {
    "_ContextManagerMixin.__aenter__": "async with",
    "_ContextManagerMixin.__aexit__": "leaving async with",
    "Timeout.__aenter__": "async with timeout",
    "TaskGroup.__aexit__": "leaving the TaskGroup",
    "TaskGroup.__aenter__": "async with TaskGroup",
    "_AsCompletedIterator.__init__": "as_completed",
    "_AsCompletedIterator._wait_for_one": "as_completed",
    "_AsCompletedIterator.__anext__": "as_completed",
    "BaseEventLoop.call_soon": "call_soon",
    "BaseEventLoop.call_later": "call_later",
    "BaseEventLoop.call_at": "call_at",
    "BaseEventLoop.call_soon_threadsafe": "call_soon_threadsafe",
    "BaseEventLoop.create_task": "create_task",
    "BaseEventLoop.run_until_complete": "run_until_complete",
    "BaseEventLoop.stop": "stop",
    "BaseEventLoop.run_in_executor": "run_in_executor",
    "BaseEventLoop._asyncgen_finalizer_hook": "leaving an async generator",
    "AsyncGenerators._asyncgen_finalizer_hook": "leaving an async generator",
    "create_eager_task_factory.<locals>.factory": "create_task",
    "eager_task_factory": "create_task",
    "Runner.run": "run",
    "Executors.run_in_executor": "run_in_executor",
    "Future.set_result": "set_result",
    "Future.set_exception": "set_exception",
    "Future.cancel": "cancel",
    "Task.cancel": "cancel",
    "_GatheringFuture.cancel": "cancel",
}
"""Names that read better than the library's own."""


@functools.cache
def called(name: str) -> str:
    """Return the name under which a program calls a function of a library, by its full name."""
    return NAMES.get(name) or name.replace(".<locals>", "")


class Wait(NamedTuple):
    """What a task waits for."""

    what: str
    joint: str = ""
    """The word between `what` and the names of the tasks in `on`, with its spaces. Empty if the
    names are not to be told."""
    on: Sequence[int] = ()
    """The numbers of the tasks that can end the wait."""


class Standing:
    """A place where a suspended coroutine can stand, and what it has called there."""

    def __init__(self, chain: Sequence[Any], files: Files) -> None:
        lines: list[tuple[int, int]] = []
        self.call = ""
        """The library's coroutine that the innermost line awaits, or an empty text."""
        self.depth = -1
        """Which link of the chain is that coroutine, or -1."""
        self.codes = [_code_of(one) for one in chain]
        """The code of all links. It stays, so no other code gets its id."""
        for depth, code in enumerate(self.codes):
            number = files[code.co_filename]
            if number >= 0:
                frame = frame_of(chain[depth])
                if frame is not None:
                    lines.append((number, frame.f_lineno))
                self.call, self.depth = "", -1
            elif number != RECORDER and (self.depth < 0 or self.call in SEEN_THROUGH):
                self.call, self.depth = called(code.co_qualname), depth
        self.lines = tuple(lines)
        """The program's lines (number of the file, line), outermost first."""
        self.wait = _plain_wait(self.call)
        """What a task waits for here, if nothing that changes says it better."""
        self.in_schedule = ""
        """How the schedule tells of the place, once that is known."""


def _plain_wait(call: str) -> Wait:
    if not call or call.startswith("Future.") or call == "_wrap_awaitable":
        return Wait("a future")
    if call.endswith(".acquire"):
        return Wait(f"the {call.partition('.')[0]}")
    return Wait(f"{call.lstrip('_')}()")


SEEN_THROUGH = {"async with", "_wrap_awaitable"}
"""Library functions that only call another one, whose name says better what a task waits for."""


DEEPEST = 200
"""The most frames of a coroutine that are looked at. A deeper line is not shown."""


def frame_of(coro: Any) -> Any:
    """Return the frame of a coroutine, generator or async generator, or None if it is over."""
    if type(coro) is CoroutineType:  # fast: most are
        return coro.cr_frame
    for name in ("cr_frame", "gi_frame", "ag_frame"):
        frame = getattr(coro, name, None)
        if frame is not None:
            return frame
    return None


def _code_of(coro: Any) -> Any:
    """Return the code of a coroutine, generator or async generator, also if it is over."""
    for name in ("cr_code", "gi_code"):
        if hasattr(coro, name):
            return getattr(coro, name)
    return frame_of(coro).f_code


def _code_and_inner(coro: Any) -> tuple[Any, Any]:
    """Return the code of something that is awaited and not over, and what it awaits itself."""
    frame = frame_of(coro)
    if frame is not None:
        for name in ("cr_await", "gi_yieldfrom", "ag_await"):
            if hasattr(coro, name):
                return frame.f_code, getattr(coro, name)
    if type(coro).__name__ in HIDING:
        hidden = (one for one in gc.get_referents(coro) if hasattr(one, "ag_frame"))
        return None, next(hidden, None)
    return None, None


HIDING = ("async_generator_asend", "async_generator_athrow", "anext_awaitable")
"""Python's own types that hold an async generator without an attribute that leads to it."""


Waiting = tuple[str, str, Sequence[int]]
"""The fields of a `Wait`. While the program runs, no object is made of them: that takes longer."""


def waits_for(
    place: Standing, chain: Sequence[Any], yielded: Any, number: Callable[[Any], int | None]
) -> Waiting:
    """Return what a task waits for that stands at a place and has yielded a future.

    `number(task)` is the number of a task of this run, or None for anything else.
    """
    if place.call in LOOKED_INTO:
        return _looked_up(place.call, frame_of(chain[place.depth]).f_locals, number)
    children = getattr(yielded, "_children", None)
    if children is not None:
        left = [one for one in children if not one.done()]
        return "gather", " of ", numbers(left, number)
    awaited = number(yielded)
    if awaited is not None:
        return "task", " ", (awaited,)
    return place.wait


def _looked_up(call: str, here: Mapping[str, Any], number: Callable[[Any], int | None]) -> Waiting:
    """Return what a task waits for in a call of the library, from the call's local variables."""
    if call == "sleep":
        return f"sleep({short(here.get('delay'))})", "", ()
    if call in ("wait", "_wait"):
        left = [one for one in here.get("fs", ()) if not one.done()]
        return "wait()", " for ", numbers(left, number)
    owner = here.get("self")
    if call == "leaving the TaskGroup":
        return "its TaskGroup", ": ", numbers(getattr(owner, "_tasks", ()), number)
    holders = sorted(set(getattr(owner, "_trace_holders", ())))
    return f"the {call.partition('.')[0]}", " of ", tuple(holders)


LOOKED_INTO = {
    "sleep",
    "wait",
    "_wait",
    "leaving the TaskGroup",
    "Lock.acquire",
    "Semaphore.acquire",
    "BoundedSemaphore.acquire",
}
"""Library coroutines whose local variables say what the task waits for."""


def numbers(tasks: Any, number: Callable[[Any], int | None]) -> tuple[int, ...]:
    """Return the numbers of the tasks of this run among some objects, in order."""
    return tuple(sorted({found for one in tasks if (found := number(one)) is not None}))
