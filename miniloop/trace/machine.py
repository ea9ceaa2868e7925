"""Which line of the loop's own source is at work in each part of a tick.

The lines are looked up in the source by their text, so that they are right when the source moves.
"""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import Any

PARTS = {
    "miniloop": {
        "wait": ("core/loop.py", "BaseEventLoop._run_once", "events = self._selector.select("),
        "descriptors": ("core/loop.py", "BaseEventLoop._run_once", "self._process_events("),
        "due": ("core/loop.py", "BaseEventLoop._run_once", "ready.append(timer)"),
        "run": ("core/loop.py", "BaseEventLoop._run_once", "ready.popleft()._run()"),
        "send": ("core/tasks.py", "Task._run", "self._context.run(self._send, None)"),
        "throw": ("core/tasks.py", "Task._run", "self._context.run(self._coro.throw, exc)"),
        "callback": ("core/handles.py", "Handle._run", "self._context.run(self._callback)"),
    },
    "asyncio": {
        "wait": (
            "base_events.py",
            "BaseEventLoop._run_once",
            "event_list = self._selector.select(",
        ),
        "descriptors": ("base_events.py", "BaseEventLoop._run_once", "self._process_events("),
        "due": ("base_events.py", "BaseEventLoop._run_once", "self._ready.append(handle)"),
        "run": ("base_events.py", "BaseEventLoop._run_once", "handle = self._ready.popleft()"),
        "callback": ("events.py", "Handle._run", "self._context.run("),
    },
}
"""By library and word: the file, the function, and how the line reads."""


@functools.cache
def machine(library: str) -> dict[str, Any]:
    """Return the functions of a loop's source that run a tick, and the line of each of its parts.

    The form is that of `machine` in the JSON. A line that this version does not have is left out.
    """
    parts = PARTS.get(library, {})
    files: list[dict[str, Any]] = []
    known: dict[tuple[str, str], int] = {}
    at: dict[str, list[int]] = {}
    for word, (file, function, text) in parts.items():
        key = file, function
        if key not in known:
            source, first = _function(library, file, function)
            known[key] = len(files)
            files.append({"name": f"{library}/{file}", "first": first, "source": source})
        found = files[known[key]]
        for number, line in enumerate(found["source"].splitlines(), found["first"]):
            if text in line:
                at[word] = [known[key], number]
                break
    return {"files": files, "at": at}


def _function(library: str, file: str, name: str) -> tuple[str, int]:
    module: Any = __import__(library)
    for part in Path(file).with_suffix("").parts:
        module = getattr(module, part, None) or __import__(
            f"{module.__name__}.{part}", fromlist=[part]
        )
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part)
    lines, first = inspect.getsourcelines(found)
    return "".join(lines), first
