"""The taking of turns: workers are started once, and each round asks each of them, one by one."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from .asyncio_programs import expected
from .contenders import BASE, Contender
from .work import Work

__all__ = ["ROOT", "Cell", "Results", "WorkFailed", "measure", "rounds_of"]

ROOT = Path(__file__).resolve().parents[2]
TIME_LIMIT = 300  # seconds for one job


class WorkFailed(Exception):
    """A worker has died, hung, failed or computed something wrong."""


@dataclass
class Cell:
    """What one contender needed for one kind of work: a figure per round, in seconds or bytes."""

    figures: list[float] = field(default_factory=list)
    failure: str | None = None


@dataclass
class Results:
    """All that was measured."""

    works: list[Work]
    contenders: list[Contender]
    cells: dict[tuple[str, str], Cell]  # by work and contender
    left_out: dict[str, str]  # the contenders that could not be started, and why
    rounds: int
    sizes: dict[str, int]

    def ratios(self, work: Work, contender: str, against: str = BASE) -> list[float]:
        """Return how many times as fast (as much, for memory) as ``against``, in each round."""
        mine = self.cells.get((work.name, contender), Cell()).figures
        theirs = self.cells.get((work.name, against), Cell()).figures
        if work.measure == "memory":
            return [m / t for m, t in zip(mine, theirs, strict=False)]
        return [t / m for m, t in zip(mine, theirs, strict=False)]

    def figure(self, work: Work, contender: str = BASE) -> float | None:
        """Return the median per unit of the work: seconds, or bytes for memory."""
        figures = self.cells.get((work.name, contender), Cell()).figures
        if not figures:
            return None
        return median(figures) / (1 if work.fresh else self.sizes[work.name])


def python_environment() -> dict[str, str]:
    """Return the environment of the workers: no debug modes, and the same hash of every string."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONASYNCIODEBUG", "PYTHONDEVMODE", "PYTHONTRACEMALLOC")
    }
    return environment | {"PYTHONHASHSEED": "0"}


class Worker:
    """The parent's end of a worker process (see worker.py)."""

    def __init__(self, contender: Contender) -> None:
        # Not a pipe, which could fill up as nobody reads it. Closed in close().
        self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker", contender.name],
            cwd=ROOT,
            env=python_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self._answer()
        except WorkFailed:
            self.close()
            raise

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def do(self, work: Work, size: int) -> float | None:
        """Have one job done; return its figure, or None if the contender has no such program."""
        if self._process.stdin is None:
            raise RuntimeError("the worker has no standard input")
        try:
            self._process.stdin.write(json.dumps({"work": work.name, "size": size}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkFailed("the worker process has ended") from None
        message = self._answer()
        if "none" in message:
            return None
        if message["value"] != expected(work.name, size):
            raise WorkFailed(
                f"wrong result: {message['value']} instead of {expected(work.name, size)}"
            )
        return float(message["figure"])

    def _answer(self) -> dict[str, Any]:
        watchdog = threading.Timer(TIME_LIMIT, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline() if self._process.stdout else ""
        finally:
            watchdog.cancel()
        if not line:
            status = self._process.wait()
            self._errors.seek(0)
            errors = self._errors.read().strip()
            last = errors.splitlines()[-1] if errors else f"no answer within {TIME_LIMIT} seconds"
            raise WorkFailed(f"the worker process ended with status {status}: {last}")
        message: dict[str, Any] = json.loads(line)
        if "error" in message:
            raise WorkFailed(message["error"])
        return message


def time_import(contender: Contender) -> float | None:
    """Return the seconds that a fresh process needs to import the contender."""
    if contender.module.startswith("tests."):
        return None
    hide = "import sys; sys.modules['_asyncio'] = None; " if contender.without_c else ""
    code = (
        f"{hide}from time import process_time as clock; start = clock(); "
        f"import {contender.module}; print(clock() - start)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=python_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIME_LIMIT,
    )
    if done.returncode:
        raise WorkFailed(done.stderr.strip().splitlines()[-1])
    return float(done.stdout)


def rounds_of(work: Work, rounds: int) -> int:
    """Return how many rounds there are of a work: memory hardly varies, and takes long."""
    return min(rounds, 3) if work.measure == "memory" else rounds


def measure(
    works: list[Work],
    contenders: list[Contender],
    rounds: int,
    quick: bool,
    progress: Callable[[str], None],
) -> Results:
    """Run everything and return what was measured."""
    workers: dict[str, Worker] = {}
    left_out: dict[str, str] = {}
    sizes = {work.name: work.quick if quick else work.size for work in works}
    try:
        for contender in contenders:
            try:
                workers[contender.name] = Worker(contender)
            except WorkFailed as exc:
                left_out[contender.name] = str(exc)
        present = [contender for contender in contenders if contender.name in workers]
        cells = {(w.name, c.name): Cell() for w in works for c in present}
        for work in works:
            most = rounds_of(work, rounds)
            for number in range(most + 1):
                stage = f"round {number} of {most}" if number else "warm-up"
                progress(f"{work.name}: {stage}")
                size = sizes[work.name] if number else work.tiny
                for contender in present:
                    cell = cells[work.name, contender.name]
                    if cell.failure is None:
                        can = min(size, contender.at_most.get(work.name, size))
                        one_job(cell, work, can, workers, contender, counts=number > 0)
        return Results(works, present, cells, left_out, rounds, sizes)
    finally:
        for worker in workers.values():
            worker.close()


def one_job(
    cell: Cell,
    work: Work,
    size: int,
    workers: dict[str, Worker],
    contender: Contender,
    counts: bool,
) -> None:
    """Have one job done and note its figure. After a failure the worker is replaced."""
    try:
        if work.measure == "import":
            figure = time_import(contender)
        elif work.fresh:
            with Worker(contender) as worker:
                figure = worker.do(work, size)
        else:
            figure = workers[contender.name].do(work, size)
    except WorkFailed as exc:
        cell.failure = str(exc)
        cell.figures.clear()
        workers[contender.name].close()
        workers[contender.name] = Worker(contender)
        return
    if figure is not None and counts:
        cell.figures.append(figure)
