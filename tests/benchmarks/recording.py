"""What recording costs: ``python -m tests.benchmarks recording``.

The same program runs on the same loop and the same virtual clock in three ways, which take turns:
with nothing recorded, with the schedule recorded as ``compare`` does it, and with all causes
recorded as ``record()`` does it. What is shown are ratios of processor time, as medians of the
rounds with the least and the greatest beside them.

A traced run is measured from before the recorder is made until the loop is closed. Steps and
sentences are made of it afterwards, and a column of their own counts them, too. No file is written.
"""

import gc
import platform
from collections.abc import Callable, Coroutine
from statistics import median
from time import process_time
from typing import Any

import miniloop
from miniloop.trace import Recorder, on_virtual_time
from miniloop.trace.document import assemble
from miniloop.trace.tracing import run_watched

from .rounds import ROOT

__all__ = ["ASKED", "PAGE", "PROGRAMS", "as_rst", "measured", "run_recording"]

PAGE = ROOT / "docs/generated/recording.rst"
NO_LIMIT = 10**9
ASKED = 5
"""A traced run may take so many times as long as one of which nothing is recorded."""


async def switching(size: int) -> None:
    """One task that lets the others go first, again and again: a tick for each step."""
    for _ in range(size):
        await miniloop.sleep(0)


async def gather_sleep_queue(size: int) -> None:
    """Workers at a queue, with sleeps of their own, started and awaited with gather()."""

    async def worker(queue: Any) -> None:
        while await queue.get() is not None:
            await miniloop.sleep(0.001)

    for _ in range(size // 100):
        queue: Any = miniloop.Queue(3)
        workers = [miniloop.create_task(worker(queue)) for _ in range(4)]
        await miniloop.gather(*(miniloop.sleep(number / 1000) for number in range(10)))
        for item in [*range(20), None, None, None, None]:
            await queue.put(item)
        await miniloop.gather(*workers)


Program = Callable[[int], Coroutine[Any, Any, None]]
PROGRAMS: dict[str, Program] = {
    "``sleep(0)``": switching,
    "``gather()``, ``sleep()``, a queue": gather_sleep_queue,
}


def alone(main: Coroutine[Any, Any, None]) -> float:
    """Run with nothing recorded, and return the seconds of processor time."""
    return run(main, Recorder(tick_limit=NO_LIMIT), recorded=False)


def schedule(main: Coroutine[Any, Any, None]) -> float:
    """Run with the schedule recorded, and return the seconds of processor time."""
    return run(main, Recorder(tick_limit=NO_LIMIT, event_limit=NO_LIMIT), recorded=True)


def run(main: Coroutine[Any, Any, None], recorder: Recorder, *, recorded: bool) -> float:
    loop = on_virtual_time(miniloop.EventLoop)(recorder)
    if recorded:
        loop.set_task_factory(recorder.task_factory(miniloop.Task))
    start = process_time()
    loop.run_until_complete(main)
    seconds = process_time() - start
    recorder.stop()
    loop.close()
    return seconds


def trace(main: Any) -> tuple[float, float]:
    """Run with causes recorded; return the seconds of the run, and those until it is a document."""
    start = process_time()
    recorder = run_watched(main, most_steps=NO_LIMIT, most_ticks=NO_LIMIT)
    ran = process_time() - start
    document = assemble(recorder.facts)
    if document["end"]["kind"] != "finished":
        raise RuntimeError(document["end"]["say"])
    return ran, process_time() - start


Ratios = dict[str, list[float]]
COLUMNS = {
    "schedule": "schedule : loop alone",
    "trace": f"trace : loop alone (asked: at most {ASKED})",
    "document": "trace and its words : loop alone",
    "more": "trace : schedule",
}


def measured(program: Program, size: int, rounds: int) -> Ratios:
    """Return the ratios of each round, by the keys of COLUMNS."""
    ratios: Ratios = {key: [] for key in COLUMNS}
    for number in range(rounds + 1):
        few = size if number else size // 10  # the first round is thrown away
        gc.collect()
        nothing = alone(program(few))
        gc.collect()
        untraced = schedule(program(few))
        gc.collect()
        traced, told = trace(program(few))
        if number:
            ratios["schedule"].append(untraced / nothing)
            ratios["trace"].append(traced / nothing)
            ratios["document"].append(told / nothing)
            ratios["more"].append(traced / untraced)
    return ratios


def shown(figures: list[float]) -> str:
    return f"{median(figures):.1f} ({min(figures):.1f} to {max(figures):.1f})"


def as_rst(results: dict[str, Ratios], size: int, rounds: int) -> str:
    """Return the page, which ``docs/traces.rst`` includes."""
    lines = [
        ".. made by python -m tests.benchmarks recording --write-docs",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - program",
        *(f"     - {title}" for title in COLUMNS.values()),
    ]
    for name, ratios in results.items():
        lines += [f"   * - {name}", *(f"     - {shown(ratios[key])}" for key in COLUMNS)]
    return "\n".join(
        [
            *lines,
            "",
            f"Processor time on CPython {platform.python_version()}, programs of {size:,} waits, "
            f"median of {rounds} rounds",
            "(the least and the greatest of them).",
            "",
        ]
    )


def run_recording(rounds: int, quick: bool, write_docs: bool) -> int:
    """Measure, and print. Returns the exit status: 1 if recording costs more than is asked."""
    size = 2_000 if quick else 20_000
    results = {name: measured(program, size, rounds) for name, program in PROGRAMS.items()}
    for name, ratios in results.items():
        print(name.replace("``", ""))
        for key, title in COLUMNS.items():
            print(f"  {title:<40} {shown(ratios[key])}")
    if write_docs:
        PAGE.write_text(as_rst(results, size, rounds), encoding="utf-8")
    return int(any(median(ratios["trace"]) > ASKED for ratios in results.values()))
