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


OURS = f"{Path(__file__).parent}{os.sep}"
"""The beginning of the path of each file in this package."""


class Place(NamedTuple):
    """A line of the program, and the library function that the line has called."""

    file: str
    line: int
    call: str
    """The function's name in the library, such as `Queue.put`. Empty if the line has called no
    Python function of a library."""


class Files(dict[str, bool]):
    """Tells the program's files from those of libraries.

    `files[file]`, by the file name in a code object, is True if the file belongs to the program.
    """

    def __init__(self) -> None:
        super().__init__()
        folders = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib")}
        folders |= {str(Path(__file__).resolve().parents[1]), str(Path(asyncio.__file__).parent)}
        folders |= {str(Path(path).resolve()) for path in list(folders)}
        self._libraries = ("<frozen", "<string", *(f"{folder}{os.sep}" for folder in folders))

    def __missing__(self, file: str) -> bool:
        """Decide about a file when it is asked for the first time."""
        installed = "site-packages" in file or "dist-packages" in file
        found = self[file] = not (installed or file.startswith(self._libraries))
        return found

    def caller(self, frame: FrameType | None) -> Place | None:
        """Return the innermost line of the program on the stack, within the present step.

        Returns None in a callback of a library, where no line of the program is at work.
        """
        call: CodeType | None = None
        while frame is not None:
            code = frame.f_code
            if self[code.co_filename]:
                return Place(code.co_filename, frame.f_lineno, called(call))
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
"""Names that read better than the library's own."""


class Standing(NamedTuple):
    """The place where a suspended coroutine stands, and what it has called there."""

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
    for frame in frames_of(coro):
        code = frame.f_code
        if files[code.co_filename]:
            lines.append((code.co_filename, frame.f_lineno))
            call, innermost = "", None
        elif not code.co_filename.startswith(OURS) and (innermost is None or call in SEEN_THROUGH):
            call, innermost = called(code), frame
    return Standing(lines, call, innermost)


SEEN_THROUGH = {"async with", "_wrap_awaitable"}
"""Library functions that only call another one, whose name says better what a task waits for."""


DEEPEST = 200
"""The most frames of a coroutine that `frames_of()` yields. A deeper line is not shown."""


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
"""Python's own types that hold an async generator without an attribute that leads to it."""


def waits_for(
    place: Standing, yielded: Any, number: Callable[[Any], int | None], name: Callable[[int], str]
) -> tuple[str, list[int]]:
    """Return what a task waits for, in words, and the numbers of tasks that can end the wait."""
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
"""Library coroutines whose local variables say what the task waits for."""


def numbers(tasks: Any, number: Callable[[Any], int | None]) -> list[int]:
    """Return the numbers of the tasks of this run among some objects, in order."""
    return sorted({found for one in tasks if (found := number(one)) is not None})


def listed(tasks: list[int], name: Callable[[int], str], before: str) -> str:
    """Return the names of tasks in one text, or nothing if there are none."""
    names = [name(task) for task in tasks[:4]] + (["…"] if len(tasks) > 4 else [])
    return before + ", ".join(names) if names else ""
