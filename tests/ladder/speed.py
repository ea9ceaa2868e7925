"""How long the steps of a task take on a library: one of the rungs, or miniloop."""

from __future__ import annotations

import time
from typing import Any

TASKS = 10


async def give_way(library: Any, times: int) -> None:
    """Take steps that only give way."""
    for _ in range(times):
        await library.sleep(0)


async def wait_for_futures(library: Any, times: int) -> None:
    """Take steps that each wait for a future, which a callback ends."""
    loop = library.get_running_loop()
    for _ in range(times):
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future


KINDS = {"await sleep(0)": give_way, "await future": wait_for_futures}


def seconds(library: Any, kind: str, steps: int) -> float:
    """Return the processor time that some tasks need for so many steps in all."""

    async def main() -> None:
        body = KINDS[kind]
        await library.gather(*[body(library, steps // TASKS) for _ in range(TASKS)])

    loop = library.EventLoop()
    began = time.process_time()
    loop.run_until_complete(main())
    return time.process_time() - began


def shares(libraries: list[Any], kind: str, steps: int = 20_000, rounds: int = 7) -> list[float]:
    """Return the time that each library needs, as a share of what the first one needs.

    The libraries run by turns, and the best of some rounds counts.
    """
    best = [
        min(times)
        for times in zip(
            *[[seconds(library, kind, steps) for library in libraries] for _ in range(rounds)],
            strict=True,
        )
    ]
    return [one / best[0] for one in best]
