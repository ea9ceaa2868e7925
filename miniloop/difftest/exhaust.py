"""Compare every program of a small sub-grammar, up to a size.

A sub-grammar gives each function a menu of operations. A program of size n has n operations, and
every way to deal them to the functions is a program. Programs are numbered, so any process, here or
on a Dask cluster, can do a piece of the work by itself. Finished pieces are written to a journal.
If an interrupted run is started again with the same journal, it continues where it was.

    python -m miniloop.difftest.exhaust tasks --size 5 --jobs 2 --journal tasks.jsonl
    python -m miniloop.difftest.exhaust tasks --size 6 --dask tcp://127.0.0.1:8786
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import itertools
import json
import math
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .compare import Difference, agree, compare, schedules
from .linked import Linked
from .programs import Block, Op, Program
from .sides import side
from .surroundings import quiet

PIECE = 2000
SHOWN = 5


@dataclass(frozen=True)
class SubGrammar:
    """Menus of operations, and the phases that run them."""

    about: str
    menus: dict[str, tuple[Op, ...]]
    phases: Block

    def shapes(self, size: int) -> Iterator[tuple[int, ...]]:
        """Yield all ways to give the functions at most `size` operations: how many for each."""
        for total in range(1, size + 1):
            for shape in itertools.product(range(total + 1), repeat=len(self.menus)):
                if sum(shape) == total:
                    yield shape

    def count(self, size: int) -> int:
        """Return how many programs there are up to a size."""
        return sum(self._of_shape(shape) for shape in self.shapes(size))

    def _of_shape(self, shape: tuple[int, ...]) -> int:
        sizes = [len(menu) for menu in self.menus.values()]
        return math.prod(size**length for size, length in zip(sizes, shape, strict=True))

    def programs(self, size: int, start: int, stop: int) -> Iterator[Program]:
        """Yield the programs with the numbers from `start` up to `stop`, the smallest first."""
        first = 0
        for shape in self.shapes(size):
            count = self._of_shape(shape)
            for number in range(max(start, first), min(stop, first + count)):
                yield self._numbered(shape, number - first)
            first += count
            if first >= stop:
                return

    def _numbered(self, shape: tuple[int, ...], number: int) -> Program:
        functions = []
        for (name, menu), length in zip(self.menus.items(), shape, strict=True):
            ops = []
            for _ in range(length):
                number, choice = divmod(number, len(menu))
                ops.append(menu[choice])
            functions.append((name, tuple(ops)))
        return Program(self.phases, tuple(functions))


RUN: Block = (("run_caught", "c0"), ("run_forever", "0.03"))

SUB_GRAMMARS = {
    "tasks": SubGrammar(
        "two coroutines: tasks, cancellation, one shared future, sleeps",
        {
            "c0": (
                ("spawn", "t1", "c1"),
                ("spawn", "t2", "c1"),
                ("sleep", "0"),
                ("sleep", "0.01"),
                ("cancel", "t1", ""),
                ("cancel", "t1", "'m'"),
                ("suppressed", "BaseException", (("wait_one", "t1"),)),
                ("wait_one", "t1"),
                ("set_result", "f0", "1"),
                ("cancel", "f0", ""),
                ("gather_1", "t1", "return_exceptions=True"),
                ("uncancel", "t1"),
            ),
            "c1": (
                ("sleep", "0"),
                ("sleep", "0.01"),
                ("wait_one", "f0"),
                ("suppressed", "BaseException", (("wait_one", "f0"),)),
                ("set_result", "f0", "2"),
                ("cancel_self", ""),
                ("uncancel_self",),
                ("wait_one", "t2"),
                ("fail", "ValueError(1)"),
                ("suppressed", "TimeoutError", (("timeout", "0.01", (("sleep", "0.3"),)),)),
            ),
        },
        (("spawn", "t2", "c1"), *RUN),
    ),
    "callbacks": SubGrammar(
        "a coroutine and a callback: call_soon, timers, handles, done-callbacks, stop",
        {
            "c0": (
                ("call_soon", "h0", "k0", ""),
                ("call_soon", "h1", "k0", ", 1"),
                ("call_later", "h0", "0", "k0", ""),
                ("call_later", "h1", "0.01", "k0", ", 1"),
                ("call_at", "h0", "0.01", "k0", ""),
                ("call_at", "h1", "-1", "k0", ""),
                ("handle_cancel", "h0"),
                ("handle_cancel", "h1"),
                ("add_callback", "f0", "k0"),
                ("remove_callback", "f0", "k0"),
                ("set_result", "f0", "1"),
                ("threadsafe", "k0", ", 1"),
                ("sleep", "0"),
                ("sleep", "0.01"),
                ("stop",),
            ),
            "k0": (
                ("handle_cancel", "h0"),
                ("handle_cancel", "h1"),
                ("set_result", "f0", "2"),
                ("cancel", "f0", ""),
                ("add_callback", "f0", "k1"),
                ("call_soon_only", "k1", ""),
                ("call_later_only", "0", "k1", ""),
                ("call_later_only", "0.01", "k1", ""),
                ("stop",),
                ("fail", "ValueError(1)"),
            ),
        },
        (("call_soon", "h1", "k0", ", 1"), *RUN, ("run_forever", "0.03")),
    ),
    "locks": SubGrammar(
        "two coroutines, each run by a task of its own: lock, event, queue, cancellation",
        {
            "c0": (
                ("lock", "l0", ()),
                ("lock", "l0", (("sleep", "0"),)),
                ("acquire", "l0"),
                ("release", "l0"),
                ("event_wait", "e0"),
                ("event_set", "e0"),
                ("event_clear", "e0"),
                ("put", "q0", "1"),
                ("get", "q0"),
                ("cancel", "t1", ""),
                ("sleep", "0"),
            ),
            "c1": (
                ("lock", "l0", ()),
                ("lock", "l0", (("sleep", "0.01"),)),
                ("acquire", "l0"),
                ("release", "l0"),
                ("event_wait", "e0"),
                ("event_set", "e0"),
                ("put", "q0", "2"),
                ("get", "q0"),
                ("sleep", "0"),
                ("cancel", "t2", ""),
            ),
        },
        (("spawn", "t1", "c1"), ("spawn", "t2", "c1"), *RUN),
    ),
}


@dataclass
class Progress:
    """How far a run has come."""

    total: int
    compared: int = 0
    differing: int = 0
    examples: list[int] = field(default_factory=list)
    """Numbers of the first programs that differ."""

    def line(self) -> str:
        """Return the state in one line."""
        return f"{self.compared:,} of {self.total:,} programs compared, {self.differing} differ"


def compare_piece(
    name: str, size: int, left: str, right: str, start: int, stop: int
) -> tuple[int, int, list[int]]:
    """Compare one piece. Return its start, how many programs differ, and the first of them."""
    one, other = side(left), side(right)
    differing: list[int] = []
    with quiet():
        programs = SUB_GRAMMARS[name].programs(size, start, stop)
        for number, program in enumerate(programs, start):
            if not agree(*schedules(Linked(program), one, other)):
                differing.append(number)
    return start, len(differing), differing[:SHOWN]


def compare_piece_apart(*piece: str | int) -> tuple[int, int, list[int]]:
    """Do what `compare_piece` does, in a process of its own.

    This is for workers of Dask, whose other threads, and settings of the garbage collector, would
    show in schedules.
    """
    this = f"from {__name__} import compare_piece; import json, sys"
    found = subprocess.run(
        [sys.executable, "-c", f"{this}; print(json.dumps(compare_piece(*{piece!r})))"],
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    start, number, differing = json.loads(found.stdout)
    return start, number, differing


def exhaust(
    name: str,
    size: int,
    left: str = "asyncio",
    right: str = "miniloop",
    executor: concurrent.futures.Executor | None = None,
    journal: Path | None = None,
    most: int | None = None,
    report: Callable[[Progress], None] | None = None,
    in_flight: int = 8,
    apart: bool = False,
) -> Progress:
    """Compare all programs of a sub-grammar up to a size, or the first `most` of them.

    `executor` does the pieces. It is any executor of concurrent.futures or of Dask; by default this
    process does them. With `apart`, each piece gets a process of its own. `journal` is the file of
    finished pieces.
    """
    total = SUB_GRAMMARS[name].count(size)
    progress = Progress(min(total, most or total))
    done = _read(journal, name, size, left, right, progress)
    pieces = (
        (start, min(start + PIECE, progress.total))
        for start in range(0, progress.total, PIECE)
        if start not in done
    )

    def finished(start: int, stop: int, differing: int, examples: list[int]) -> None:
        progress.compared += stop - start
        progress.differing += differing
        progress.examples = sorted([*progress.examples, *examples])[:SHOWN]
        if journal is not None:
            entry = [start, stop, differing, examples]
            with journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        if report is not None:
            report(progress)

    if executor is None:
        for start, stop in pieces:
            _, differing, examples = compare_piece(name, size, left, right, start, stop)
            finished(start, stop, differing, examples)
        return progress
    compare = compare_piece_apart if apart else compare_piece
    running: dict[concurrent.futures.Future[Any], tuple[int, int]] = {}
    while True:
        for start, stop in itertools.islice(pieces, in_flight - len(running)):
            future = executor.submit(compare, name, size, left, right, start, stop)
            running[future] = (start, stop)
        if not running:
            return progress
        for future in next(iter_done(running)):
            start, stop = running.pop(future)
            _, differing, examples = future.result()
            finished(start, stop, differing, examples)


def iter_done(running: dict[Any, Any]) -> Iterator[list[Any]]:
    """Yield a list of the futures that are done, at least one.

    The futures of Dask's executor are plain ones of concurrent.futures, so one way serves both.
    """
    done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
    yield list(done)


def _read(
    journal: Path | None, name: str, size: int, left: str, right: str, progress: Progress
) -> set[int]:
    """Return the starts of the pieces in the journal; begin the journal if there is none."""
    if journal is None:
        return set()
    head = {"sub_grammar": name, "size": size, "left": left, "right": right, "piece": PIECE}
    head["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not journal.exists() or not journal.read_text("utf-8").strip():
        journal.write_text(json.dumps(head) + "\n", "utf-8")
        return set()
    lines = journal.read_text("utf-8").splitlines()
    if json.loads(lines[0]) != head:
        raise ValueError(f"{journal} is the journal of another run: {lines[0]}")
    done: set[int] = set()
    for line in lines[1:]:
        try:
            start, stop, differing, examples = json.loads(line)
        except ValueError:
            continue  # the line is incomplete, so that piece is done again
        if start not in done and stop <= progress.total:
            done.add(start)
            progress.compared += stop - start
            progress.differing += differing
            progress.examples = sorted([*progress.examples, *examples])[:SHOWN]
    return done


def difference_number(
    name: str, size: int, number: int, left: str, right: str
) -> Difference | None:
    """Compare the program of a number again."""
    program = next(SUB_GRAMMARS[name].programs(size, number, number + 1))
    with quiet():
        return compare(program, side(left), side(right))


def main(argv: list[str] | None = None) -> int:
    """Run the command line. Return 0 if all programs agree, 1 if not, 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m miniloop.difftest.exhaust", description=(__doc__ or "").split("\n")[0]
    )
    known = "; ".join(f"{name}: {grammar.about}" for name, grammar in SUB_GRAMMARS.items())
    parser.add_argument("sub_grammar", choices=SUB_GRAMMARS, help=known)
    parser.add_argument(
        "--size",
        type=int,
        default=5,
        help="the most operations in a program (default: %(default)s)",
    )
    parser.add_argument("--most", type=int, help="compare only the first so many programs")
    parser.add_argument("--loop", default="miniloop", help="the loop to try (default: %(default)s)")
    parser.add_argument(
        "--against", default="asyncio", help="the loop to compare it with (default: %(default)s)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="how many processes to use"
    )
    parser.add_argument(
        "--journal", type=Path, help="the file that keeps what is finished, to continue from"
    )
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="the Dask scheduler to spread the work with"
    )
    args = parser.parse_args(argv)
    began = time.monotonic()
    shown = -1.0

    def report(progress: Progress) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown >= 1 or progress.compared == progress.total:
            shown = now
            end = "\n" if progress.compared == progress.total else "\r"
            print(progress.line(), end=end, file=sys.stderr, flush=True)

    def run(executor: concurrent.futures.Executor | None, in_flight: int) -> Progress:
        return exhaust(
            args.sub_grammar,
            args.size,
            args.against,
            args.loop,
            executor,
            args.journal,
            args.most,
            report,
            in_flight,
            apart=bool(args.dask),
        )

    try:
        if args.dask:
            with dask_executor(args.dask) as (executor, in_flight):
                progress = run(executor, in_flight)
        elif args.jobs > 1:
            context = multiprocessing.get_context("spawn")
            with concurrent.futures.ProcessPoolExecutor(args.jobs, mp_context=context) as pool:
                progress = run(pool, 3 * args.jobs)
        else:
            progress = run(None, 1)
    except (ValueError, OSError) as error:
        print(f"exhaust: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\nstopped by Ctrl-C; the journal, if there is one, has the finished pieces",
            file=sys.stderr,
        )
        return 130
    print(f"{progress.line()}, in {time.monotonic() - began:.0f} s")
    for number in progress.examples:
        print(f"\nprogram {number}:")
        print(difference_number(args.sub_grammar, args.size, number, args.against, args.loop))
    return 1 if progress.differing else 0


@contextlib.contextmanager
def dask_executor(address: str) -> Iterator[tuple[concurrent.futures.Executor, int]]:
    """In the block, have the executor of a Dask cluster, and how many pieces to give it at a time.

    Raises ValueError if Dask is not installed, and OSError if there is no scheduler.
    """
    try:
        import distributed  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise ValueError("--dask needs `distributed`: pip install distributed") from None
    connect: Callable[..., Any] = distributed.Client
    with connect(address) as client, client.get_executor() as executor:
        yield executor, 4 * max(1, sum(client.ncores().values()))


if __name__ == "__main__":
    sys.exit(main())
