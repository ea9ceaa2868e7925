"""The bare limit: what it costs in Python to take turns, with no loop at all.

A deque of coroutines, each sent None in its turn and put back at the end: nothing that drives
coroutines from Python can be faster. The coroutine bodies are those of the other contenders;
``sleep(0)`` is a generator with a bare yield, the plainest there is.

What it lacks is all that makes a loop: a look at the selector and the clock in each tick, tasks
(so results, names, waiting for each other, cancelling), context variables, the current task,
reports of exceptions, a way to stop, callbacks, timers.
"""

import gc
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from .asyncio_programs import Clock, take_turns


@types.coroutine
def sleep(delay: float) -> Generator[None, None, None]:
    """Let the others run."""
    yield


def drive(coroutines: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Run the coroutines in turns until all have returned; return what they returned."""
    ready = deque(coroutines)
    results = []
    while ready:
        coroutine = ready.popleft()
        try:
            coroutine.send(None)
        except StopIteration as stop:
            results.append(stop.value)
        else:
            ready.append(coroutine)
    return results


def switching(size: int, clock: Clock) -> tuple[float, int]:
    coroutines = [take_turns(sleep, size // 100) for _ in range(100)]
    start = clock()
    turns = drive(coroutines)
    return clock() - start, sum(turns)


def memory(size: int, resident: Clock) -> tuple[float, int]:
    """Coroutines that have started and stand at a yield; there is nothing else to measure."""
    coroutines: list[Any] = [None] * size
    gc.collect()
    before = resident()
    for number in range(size):
        coroutines[number] = take_turns(sleep, 1)
        coroutines[number].send(None)
    taken = resident() - before
    return taken / size, sum(drive(coroutines))


def run(program: Callable[..., tuple[float, int]], size: int, clock: Clock) -> tuple[float, int]:
    """Run one of the programs above."""
    return program(size, clock)
