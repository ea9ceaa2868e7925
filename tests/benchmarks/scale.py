"""A million of each: ``python -m tests.benchmarks scale``.

No ratios here. What is shown is that large numbers end well, without recursion errors, and that
memory does not grow with the number of ticks. Each runs in a fresh process, which prints its
resident set at some points on the way and the peak at the end.
"""

import gc
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .contenders import CONTENDERS
from .rounds import ROOT, python_environment
from .worker import peak, resident

__all__ = ["SCALE", "Scale", "run_scale"]

Mark = Callable[[str], None]  # notes the resident set under a label


async def tasks(aio: Any, size: int, mark: Mark) -> int:
    """So many tasks alive at once, each waiting for a future of its own; then all are woken."""
    loop = aio.get_running_loop()
    futures = [loop.create_future() for _ in range(size)]

    async def wait_for(future: Any) -> int:
        return await future  # type: ignore[no-any-return]

    alive = [aio.create_task(wait_for(future)) for future in futures]
    mark("created")
    await aio.sleep(0)
    counted = len(aio.all_tasks()) - 1
    mark(f"{counted:,} alive")
    for future in futures:
        future.set_result(1)
    total = 0
    for task in alive:
        total += await task
    mark("done")
    return total if counted == size else counted


async def timers(aio: Any, size: int, mark: Mark) -> int:
    """So many timers set; half of them are cancelled, and the others fire in order."""
    loop = aio.get_running_loop()
    done = loop.create_future()
    fired = early = 0
    last = 0.0

    def fire(when: float) -> None:
        nonlocal fired, early, last
        early += when < last
        last = when
        fired += 1
        if fired == size - size // 2:
            done.set_result(None)

    start = loop.time()
    cancel_these = []
    for number in range(size):
        when = start + (number * 7919 % size) / size  # all within a second, in no order
        timer = loop.call_at(when, fire, when)
        if number % 2:
            cancel_these.append(timer)
    mark("set")
    for timer in cancel_these:
        timer.cancel()
    mark("half cancelled")
    await done
    mark("fired")
    return fired + len(cancel_these) - early


async def chain(aio: Any, size: int, mark: Mark) -> int:
    """Task i awaits task i + 1; the last one waits for a future that is then set."""
    future = aio.get_running_loop().create_future()

    async def link(next_one: Any) -> int:
        return await next_one + 1  # type: ignore[no-any-return]

    first = future
    for _ in range(size):
        first = aio.create_task(link(first))
    await aio.sleep(0)
    mark("all wait")
    future.set_result(0)
    result: int = await first
    mark("done")
    del future, first
    gc.collect()
    mark("freed")
    return result


async def failing_chain(aio: Any, size: int, mark: Mark) -> int:
    """The same chain, but what goes through it is an exception that nobody catches."""
    future = aio.get_running_loop().create_future()

    async def link(next_one: Any) -> None:
        await next_one

    first = future
    for _ in range(size):
        first = aio.create_task(link(first))
    await aio.sleep(0)
    mark("all wait")
    future.set_exception(ValueError("the far end has failed"))
    try:
        await first
    except ValueError as exc:
        mark("done")
        links = 0  # that it has come through, by its traceback
        traceback = exc.__traceback__
        while traceback is not None:
            links += traceback.tb_frame.f_code is link.__code__
            traceback = traceback.tb_next
        return links
    raise AssertionError("the exception got lost")


async def ticks(aio: Any, size: int, mark: Mark) -> int:
    """A loop that goes round and round, with a step and a callback in each tick."""
    loop = aio.get_running_loop()
    called = 0

    def call() -> None:
        nonlocal called
        called += 1

    mark("start")
    for tenth in range(1, 11):
        for _ in range(size // 10):
            loop.call_soon(call)
            await aio.sleep(0)
        mark(f"{tenth * (size // 10):,}")
    return called


@dataclass(frozen=True)
class Scale:
    """One thing that is done in large numbers."""

    name: str
    title: str
    size: int
    program: Callable[[Any, int, Mark], Coroutine[Any, Any, int]]


SCALE = [
    Scale("tasks", "tasks alive at once", 1_000_000, tasks),
    Scale("timers", "timers set, half of them cancelled", 1_000_000, timers),
    Scale("chain", "tasks in a chain, each awaiting the next", 100_000, chain),
    Scale("failing_chain", "tasks in a chain, with an exception", 100_000, failing_chain),
    Scale("ticks", "ticks, with a step and a callback in each", 10_000_000, ticks),
]


def run_scale(only: list[str] | None, contenders: list[str], quick: bool) -> int:
    """Run each in a process of its own, print what it says, and return the exit status."""
    status = 0
    for scale in SCALE:
        if only is not None and scale.name not in only:
            continue
        size = scale.size // 100 if quick else scale.size
        for contender in contenders:
            print(f"{contender}: {size:,} {scale.title}", flush=True)
            done = subprocess.run(
                [sys.executable, "-m", f"{__package__}.scale", contender, scale.name, str(size)],
                cwd=ROOT,
                env=python_environment(),
                check=False,
            )
            if done.returncode:
                print(f"  FAILED, exit status {done.returncode}", flush=True)
                status = 1
    return status


def main(contender_name: str, name: str, size: int) -> None:
    """Run one in this process, and print the resident set on the way and the peak at the end."""
    contender = next(one for one in CONTENDERS if one.name == contender_name)
    scale = next(one for one in SCALE if one.name == name)
    run = contender.open_api()
    start = time.perf_counter()

    def mark(label: str) -> None:
        seconds = time.perf_counter() - start
        print(f"  {seconds:7.1f} s  {resident() / 2**20:8,.1f} MiB  {label}", flush=True)

    result = run(scale.program, size, mark)
    mark(f"loop closed; peak {peak() / 2**20:,.1f} MiB; result {result:,}")
    if result != size:
        sys.exit(f"  wrong result: {result:,} instead of {size:,}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
