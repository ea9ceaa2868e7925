"""asyncio itself, in which every loop is miniloop's interop loop.

Nothing is made up but the loop: streams, subprocesses, policies and ``Runner`` are those of the
installed asyncio, with its C code, as a program has them that runs on ``miniloop.interop``. By
whatever name or policy the tests make a loop, they get the interop loop, and asyncio's own loops
refuse to run. What runs is counted, so that a test which never reaches miniloop shows.

Only the standard library is imported here, and neither ``unittest`` nor ``test``.
"""

import asyncio
import asyncio.unix_events
import mmap
import sys
from typing import Any, NoReturn

import miniloop


class Count:
    """How often the loops have turned, and how many steps miniloop's tasks have made in it.

    What forked children do counts too: the two numbers stand in memory that they share.
    """

    def __init__(self) -> None:
        self._shared = memoryview(mmap.mmap(-1, 16)).cast("q")

    @property
    def ticks(self) -> int:
        return self._shared[0]

    @property
    def steps(self) -> int:
        return self._shared[1]

    def clear(self) -> None:
        self._shared[0] = self._shared[1] = 0

    def add(self, steps: int) -> None:
        """Count one tick, in which tasks make so many steps."""
        self._shared[0] += 1
        self._shared[1] += steps


def install(loop_class: Any, count: Count) -> None:
    """Put the loop into the place of asyncio's, wherever asyncio keeps that."""
    own = asyncio.SelectorEventLoop

    class Loop(loop_class):
        def _run_once(self) -> None:
            count.add(steps=sum(isinstance(entry, miniloop.Task) for entry in self._ready))
            super()._run_once()

    Loop.__name__ = Loop.__qualname__ = loop_class.__name__
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "asyncio":
            for key, value in list(vars(module).items()):
                if value is own:
                    setattr(module, key, Loop)
    policies = vars(asyncio.unix_events)  # since 3.14 the class has an underscore before its name
    policy = policies.get("_DefaultEventLoopPolicy") or policies["DefaultEventLoopPolicy"]
    policy._loop_factory = Loop
    asyncio.BaseEventLoop._run_once = refuse


def refuse(loop: object) -> NoReturn:
    raise AssertionError(f"a loop of asyncio runs: {loop!r}")
