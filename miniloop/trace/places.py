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
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

LONGEST = 80
"""Characters of a repr that are kept."""

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


OURS = f"{Path(__file__).parent}{os.sep}"
"""How the paths of this package's files begin."""


class Place(NamedTuple):
    """A line of the program, and the library function that it has called there."""

    file: str
    line: int
    call: str
    """As the library names it, `Queue.put`; empty if no Python function of a library was called."""


class Files:
    """Tells the program's files from those of libraries."""

    def __init__(self) -> None:
        folders = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib")}
        folders |= {str(Path(__file__).resolve().parents[1]), str(Path(asyncio.__file__).parent)}
        folders |= {str(Path(path).resolve()) for path in list(folders)}
        self._libraries = ("<frozen", "<string", *(f"{folder}{os.sep}" for folder in folders))
        self._known: dict[str, bool] = {}

    def is_program(self, file: str) -> bool:
        """Return True if a file, by the name in a code object, belongs to the program."""
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = not (
                file.startswith(self._libraries)
                or "site-packages" in file
                or "dist-packages" in file
            )
        return known

    def caller(self, frame: FrameType | None) -> Place | None:
        """Return the innermost line of the program on the stack, within the present step.

        Returns None in a callback of a library, where no line of the program is at work.
        """
        call: CodeType | None = None
        known = self._known
        while frame is not None:
            code = frame.f_code
            file = code.co_filename
            program = known.get(file)
            if program is None:
                program = self.is_program(file)
            if program:
                return Place(file, frame.f_lineno, called(call))
            if code.co_name == "_run_once":
                return None
            call = code
            frame = frame.f_back
        return None


@functools.lru_cache(maxsize=1000)
def called(code: CodeType | None) -> str:
    """Return the name under which a program calls a function of a library."""
    if code is None or code.co_filename.startswith(OURS):
        return ""
    name = code.co_qualname.replace(".<locals>", "")
    return NAMES.get(name, name)


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
    "create_eager_task_factory.factory": "create_task",
    "eager_task_factory": "create_task",
    "Runner.run": "run",
    "Executors.run_in_executor": "run_in_executor",
    "Future.set_result": "set_result",
    "Future.set_exception": "set_exception",
    "Future.cancel": "cancel",
    "Task.cancel": "cancel",
    "_GatheringFuture.cancel": "cancel",
}
"""What reads better than the library's own names."""


class Standing(NamedTuple):
    """Where a suspended coroutine stands, and what it has called there."""

    lines: list[tuple[str, int]]
    """The program's lines (file, line), outermost first."""
    call: str
    """The library's coroutine that the innermost line awaits, or an empty text."""
    frame: Any
    """The frame of that coroutine."""


def standing(coro: Any, files: Files) -> Standing:
    """Return where a coroutine that is not running stands."""
    lines: list[tuple[str, int]] = []
    call, innermost = "", None
    known = files._known
    for frame in frames_of(coro):
        code = frame.f_code
        file = code.co_filename
        program = known.get(file)
        if program is None:
            program = files.is_program(file)
        if program:
            lines.append((file, frame.f_lineno))
            call, innermost = "", None
        elif not code.co_filename.startswith(OURS) and (innermost is None or call in SEEN_THROUGH):
            call, innermost = called(code), frame
    return Standing(lines, call, innermost)


SEEN_THROUGH = {"async with", "_wrap_awaitable"}
"""Functions that only call another, which says better what is waited for."""


DEEPEST = 200
"""Frames that are looked at: who awaits deeper than this is not shown."""


def frames_of(coro: Any) -> Iterator[FrameType]:
    """Yield the frames of a suspended coroutine, and of what it awaits, outermost first."""
    for _ in range(DEEPEST):
        frame = getattr(coro, "cr_frame", None)
        if frame is not None:
            inner = coro.cr_await
        elif (frame := getattr(coro, "gi_frame", None)) is not None:
            inner = coro.gi_yieldfrom
        elif type(coro).__name__ in HIDING:
            inner = next((one for one in gc.get_referents(coro) if hasattr(one, "ag_frame")), None)
        elif (frame := getattr(coro, "ag_frame", None)) is not None:
            inner = coro.ag_await
        else:
            return
        if frame is not None:
            yield frame
        coro = inner


HIDING = ("async_generator_asend", "async_generator_athrow", "anext_awaitable")
"""Types of Python's own behind which an async generator stands that they do not show."""


def waits_for(
    place: Standing, yielded: Any, number: Callable[[Any], int | None], name: Callable[[int], str]
) -> tuple[str, list[int]]:
    """Return in words what a task waits for, and the numbers of the tasks that this is up to."""
    call, frame = place.call, place.frame
    if yielded is None:
        return "its next turn", []
    here = frame.f_locals if frame is not None and call in LOOKED_INTO else {}
    if call == "sleep":
        return f"sleep({short(here.get('delay'))})", []
    owner = here.get("self")
    if call == "leaving the TaskGroup":
        tasks = numbers(getattr(owner, "_tasks", ()), number)
        return "its TaskGroup" + listed(tasks, name, ": "), tasks
    if call in ("wait", "_wait"):
        tasks = numbers([one for one in here.get("fs", ()) if not one.done()], number)
        return "wait()" + listed(tasks, name, " for "), tasks
    if call.endswith(".acquire"):
        kind = call.partition(".")[0]
        holders = sorted(set(getattr(owner, "_trace_holders", ())))
        return f"the {kind}" + listed(holders, name, " of "), holders
    children = getattr(yielded, "_children", None)
    if children is not None:
        tasks = numbers([one for one in children if not one.done()], number)
        return "gather" + listed(tasks, name, " of "), tasks
    awaited = number(yielded)
    if awaited is not None:
        return f"task {name(awaited)}", [awaited]
    if call and not call.startswith("Future.") and call != "_wrap_awaitable":
        return f"{call.lstrip('_')}()", []
    return "a future", []


LOOKED_INTO = {
    "sleep",
    "wait",
    "_wait",
    "leaving the TaskGroup",
    "Lock.acquire",
    "Semaphore.acquire",
    "BoundedSemaphore.acquire",
}
"""Library coroutines whose variables tell more."""


def numbers(tasks: Any, number: Callable[[Any], int | None]) -> list[int]:
    """Return the numbers of those that are tasks of this run, in order."""
    return sorted({found for one in tasks if (found := number(one)) is not None})


def listed(tasks: list[int], name: Callable[[int], str], before: str) -> str:
    """Return the names of tasks in one text, or nothing if there are none."""
    names = [name(task) for task in tasks[:4]] + (["…"] if len(tasks) > 4 else [])
    return before + ", ".join(names) if names else ""
