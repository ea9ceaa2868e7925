"""The bare limit (see bare_programs.py) with a ``sleep`` of the shape that asyncio's has.

It is an ``async def`` that tests its delay and awaits a generator with the bare yield, as
miniloop's is. The difference between the two limits is what it costs that ``sleep`` is a real
coroutine function, which is not the scheduler's doing.
"""

import types
from collections.abc import Generator
from typing import Any

from .asyncio_programs import Clock, take_turns
from .bare_programs import drive, run

__all__ = ["run", "switching"]


@types.coroutine
def _yield() -> Generator[None, None, None]:
    yield


async def sleep(delay: float, result: Any = None) -> Any:
    """Let the others run."""
    if delay <= 0:
        await _yield()
        return result
    raise NotImplementedError("there are no timers here")


def switching(size: int, clock: Clock) -> tuple[float, int]:
    coroutines = [take_turns(sleep, size // 100) for _ in range(100)]
    start = clock()
    turns = drive(coroutines)
    return clock() - start, sum(turns)
