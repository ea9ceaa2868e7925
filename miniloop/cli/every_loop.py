"""Make every loop that asyncio makes an interop loop, for the whole process.

A program gets a loop from ``asyncio.run()``, ``new_event_loop()``, a policy or a class, and each
Python has its own set of such ways. All of them lead to a class that has a name in one of asyncio's
modules, or is the ``_loop_factory`` of a policy. This file gives these names another class, and
leaves the ways as they are.
"""

import asyncio
import asyncio.events
import sys
from collections.abc import Callable
from typing import Any

from miniloop import interop


def make_interop_loops() -> None:
    """Put ``interop.EventLoop`` in the place of asyncio's own loop class, under each of its names.

    Some loops cannot be reached in this way: those of other libraries, and a script's subclass of
    one of asyncio's private classes. When such a loop starts, its class is named on stderr.
    """
    own = [asyncio.SelectorEventLoop]
    if sys.version_info >= (3, 13):
        own.append(asyncio.EventLoop)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "asyncio":
            for key, value in list(vars(module).items()):
                if value in own:
                    setattr(module, key, interop.EventLoop)
                elif isinstance(value, type) and vars(value).get("_loop_factory") in own:
                    value._loop_factory = interop.EventLoop  # type: ignore[attr-defined]
    # Every loop calls this when it starts, uvloop's too.
    watched = _naming_others(asyncio._set_running_loop)
    asyncio._set_running_loop = asyncio.events._set_running_loop = watched


def _naming_others(set_running_loop: Callable[[Any], None]) -> Callable[[Any], None]:
    named = set()

    def set_running_loop_and_name_others(loop: Any) -> None:
        kind = type(loop)
        if loop is not None and not isinstance(loop, interop.EventLoop) and kind not in named:
            named.add(kind)
            print(
                f"miniloop run: {kind.__module__}.{kind.__qualname__} is not a loop of miniloop: "
                "it runs as it is",
                file=sys.stderr,
            )
        set_running_loop(loop)

    return set_running_loop_and_name_others
