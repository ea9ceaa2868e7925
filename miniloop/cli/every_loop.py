"""Makes every loop that asyncio makes an interop loop, for the whole process.

A program comes to a loop by ``asyncio.run()``, by ``new_event_loop()``, by a policy or by the name
of a class, and each Python has its own set of such ways. All of them end at a class that asyncio
has under a name: in one of its modules, or as the ``_loop_factory`` of a policy. So the names get
another class, and the ways stay as they are.
"""

import asyncio
import asyncio.events
import sys
from collections.abc import Callable
from typing import Any

from miniloop import interop


def make_interop_loops() -> None:
    """Put ``interop.EventLoop`` wherever asyncio has its own class of loops under a name.

    What cannot be reached this way (a loop of another library, a script's subclass of one of
    asyncio's private classes) is named on stderr when such a loop starts.
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
    # Every loop that starts says so here, uvloop's among them.
    watched = _naming_others(asyncio._set_running_loop)
    asyncio._set_running_loop = asyncio.events._set_running_loop = watched


def _naming_others(set_running_loop: Callable[[Any], None]) -> Callable[[Any], None]:
    named = set()

    def set_running_loop_and_name_others(loop: Any) -> None:
        kind = type(loop)
        if loop is not None and not isinstance(loop, interop.EventLoop) and kind not in named:
            named.add(kind)
            print(
                f"miniloop run: {kind.__module__}.{kind.__qualname__} is not a loop of miniloop, "
                "which schedules nothing on it",
                file=sys.stderr,
            )
        set_running_loop(loop)

    return set_running_loop_and_name_others
