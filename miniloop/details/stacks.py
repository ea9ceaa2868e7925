"""The stacks of tasks: where a task waits, or where it failed.

CPython's counterpart is ``asyncio/base_tasks.py``.
"""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from ..core.tasks import Task

__all__: list[str] = []


def get_stack(task: Task[Any], limit: int | None) -> list[FrameType]:
    """Return the frames of a task, oldest first: where it waits, or where it failed."""
    for attribute in ("cr_frame", "gi_frame", "ag_frame"):
        if hasattr(task._coro, attribute):
            frame = getattr(task._coro, attribute)
            break
    else:
        frame = None
    if frame is not None:  # limit keeps the newest frames of a stack
        frames = [frame for frame, _ in _first(limit, traceback.walk_stack(frame))]
        return frames[::-1]
    if task._exception is not None:  # and the oldest frames of a traceback
        walk = traceback.walk_tb(task._exception.__traceback__)
        return [frame for frame, _ in _first(limit, walk)]
    return []


def _first(
    limit: int | None, frames: Iterator[tuple[FrameType, int]]
) -> Iterator[tuple[FrameType, int]]:
    """Yield the first ``limit`` frames, or all of them if ``limit`` is None."""
    for count, item in enumerate(frames):
        if limit is not None and count >= limit:
            return
        yield item


def print_stack(task: Task[Any], limit: int | None, file: TextIO | None) -> None:
    """Print what ``get_stack`` returns in the form of a traceback."""
    lines = []
    for frame in task.get_stack(limit=limit):
        code = frame.f_code
        linecache.checkcache(code.co_filename)
        source = linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals)
        lines.append((code.co_filename, frame.f_lineno, code.co_name, source))
    exc = task._exception
    if not lines:
        print(f"No stack for {task!r}", file=file)
    elif exc is not None:
        print(f"Traceback for {task!r} (most recent call last):", file=file)
    else:
        print(f"Stack for {task!r} (most recent call last):", file=file)
    traceback.print_list(lines, file=file)
    if exc is not None:
        print("".join(traceback.format_exception_only(exc)), file=file, end="")
