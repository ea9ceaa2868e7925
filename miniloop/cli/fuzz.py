"""Run random programs on two event loops, and show where the loops differ.

A loop is asyncio, asyncio-eager (all tasks start eagerly), asyncio-python (tasks and futures in
Python), miniloop, miniloop-eager, interop (miniloop.interop.EventLoop), or MODULE:NAME of a loop
class or of a function that makes a loop, such as uvloop:new_event_loop. asyncio-unwatched and
miniloop-unwatched are not cut off where this Python's asyncio is known to differ.

A loop given as MODULE:NAME runs in a process of its own, so a crash or a hang is a finding like any
other. If the loop takes a selector, it is compared to the tick, on virtual time. If not, it runs in
real time, and only the order of events is compared; the first line of the output says so, and what
to change.

Each difference is shown to the loops of `miniloop lab`, which break one rule each. Those that do
the same as LOOP tell which rules it may break. The output is a summary: the rule that explains most
of the differences comes first, with a small program and both schedules. --details writes all small
programs to a folder. One difference can hide others: --without leaves a feature out of the
programs, and --allow leaves a group out of the findings.

A finding has a token, a text of at most 80 characters that stands for its program on any machine
and any Python: --replay TOKEN compares that program again. If GITHUB_ACTIONS is set, each group of
findings is also printed as an error of the job.

Exit status 0: no program differs. 1: some do. 2: bad arguments, or a loop that cannot be made.
130: Ctrl-C ended the hunt, and no program differed before that.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from miniloop import lab
from miniloop.cli import BadInput, findings
from miniloop.cli.on_record import positive
from miniloop.difftest import tokens
from miniloop.difftest.exhaust import dask_executor
from miniloop.difftest.foreign import Match
from miniloop.difftest.fuzz import ENOUGH, Hunt, hunt
from miniloop.difftest.grammar import FEATURES
from miniloop.difftest.programs import Program
from miniloop.difftest.real_time import LEFT_OUT
from miniloop.lab import diagnosis

EXAMPLES, PIECE = 10_000, 1_000
"""The default number of programs, and how many are compared between two lines of progress."""
FOREIGN_EXAMPLES, FOREIGN_PIECE = 2_000, 250
"""The same for a loop in a process of its own."""
REAL_EXAMPLES, REAL_PIECE = 1_000, 1_000
"""The same in real time. Each piece starts its own worker processes."""
EVERY = 30.0
"""Seconds between two lines of progress if stderr is no terminal."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--loop", default="miniloop", metavar="LOOP", help="the loop to try (default: %(default)s)"
    )
    parser.add_argument(
        "--against",
        default="asyncio",
        metavar="LOOP",
        help="the loop to compare it with (default: %(default)s)",
    )
    parser.add_argument(
        "--examples",
        type=positive(int),
        metavar="N",
        help="how many programs to run (default: 10,000; with a loop given as MODULE:NAME, 2,000, "
        "or 1,000 in real time)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="choose other programs: any whole number"
    )
    parser.add_argument(
        "--start", type=int, default=0, metavar="N", help="the number of the first program"
    )
    parser.add_argument(
        "--jobs", type=positive(int), default=1, metavar="N", help="how many processes to use"
    )
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="spread the work over the workers of this Dask scheduler, on which miniloop and both "
        "loops can be imported",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="FEATURE",
        help=f"leave a feature out of the programs; may be repeated: {', '.join(FEATURES)}",
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="GROUP",
        help="leave out the findings that a loop of the lab explains, named by that loop, or those "
        "of an unexplained group, named by its six characters; may be repeated",
    )
    parser.add_argument(
        "--replay",
        metavar="TOKEN",
        help="compare only the program of this token, which an earlier run has printed",
    )
    parser.add_argument(
        "--details",
        type=Path,
        metavar="DIR",
        help="write the small programs and both schedules of each to a new folder",
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write what was found to a file, too, in the form of miniloop/cli/fuzz.schema.json",
    )


def call(args: argparse.Namespace) -> int:
    """Hunt, and print the findings. Returns the exit status."""
    for feature in args.without:
        if feature not in FEATURES:
            raise BadInput(f"no feature named {feature!r}: choose from {', '.join(FEATURES)}")
    for option, number in (("--seed", args.seed), ("--start", args.start)):
        if abs(number) >= tokens.MOST_SEED:
            raise BadInput(f"{option} {number}: give a smaller number, of at most 19 digits")
    given = replayed(args) if args.replay is not None else None
    try:
        match = Match(args.against, args.loop)
    except ValueError as error:
        raise BadInput(str(error)) from None
    match.close()
    count, piece = REAL_EXAMPLES, REAL_PIECE
    if match.exact:
        count, piece = (EXAMPLES, PIECE) if match.own else (FOREIGN_EXAMPLES, FOREIGN_PIECE)
    count = args.examples or count
    if args.details is not None:
        make_folder(args.details)
    if args.json is not None and (args.json.is_dir() or not args.json.parent.is_dir()):
        raise BadInput(f"--json {args.json}: name a file in a folder that exists")
    print(findings.compared(match), flush=True)
    excused = tuple(diagnosis.place(name) for name in args.allow if name in lab.LOOPS)
    one_piece = partial(
        hunt,
        args.against,
        args.loop,
        args.seed,
        without=frozenset(args.without),
        allow=frozenset(args.allow) - lab.LOOPS.keys(),
        diagnosis=diagnosis.diagnosis,
        excused=excused,
        given=given,
    )
    total = Hunt()
    began = time.perf_counter()
    progress = Progress(count, began)
    stopped = False
    try:
        for part in spread(one_piece, args.start, count, piece, args.jobs, args.dask):
            total.add(part)
            progress.show(total)
        if given is None:
            groups = diagnosis.diagnose(
                total, args.against, args.loop, args.seed, frozenset(args.without), excused
            )
        else:
            groups = diagnosis.groups(total)
    except (ValueError, OSError) as error:
        if not args.dask:
            raise
        raise BadInput(f"--dask {args.dask}: {error}") from None
    except KeyboardInterrupt:
        print("\nstopped by Ctrl-C", file=sys.stderr)
        stopped = True
        groups = diagnosis.groups(total)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    seconds = time.perf_counter() - began
    if not match.own:
        rate = f"{total.programs / seconds:,.{0 if total.programs > 10 * seconds else 1}f}"
        rate += " programs a second"
    else:
        rate = f"{total.programs / (total.seconds or 1):,.0f} programs a second and core"
        if len(total.rates) > 1:
            slowest, quickest = min(total.rates), max(total.rates)
            rate += f" ({slowest:,.0f} to {quickest:,.0f} in pieces of {PIECE:,})"
    folder = args.details if groups else None
    for line in findings.summary(total, groups, match, rate, folder):
        print(line)
    if folder is not None:
        findings.write(folder, groups)
    if args.json is not None:
        found = findings.as_json(
            total,
            groups,
            match,
            seed=args.seed,
            start=args.start,
            without=args.without,
            stopped=stopped,
            seconds=round(seconds, 3),
        )
        args.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    if "GITHUB_ACTIONS" in os.environ:
        for line in findings.on_github(groups, match):
            print(line)
    for name in args.allow:
        if not any(f" {name}," in reason for reason in total.cut):
            print(f"--allow {name}: no finding of this group", file=sys.stderr)
    if total.differ:
        return 1
    return 128 + signal.SIGINT if stopped else 0


def replayed(args: argparse.Namespace) -> Program | None:
    """Set the options as a token has them. Return its program, if it is not one to be drawn again.

    Raises BadInput for a token that is not of this release.
    """
    try:
        found = tokens.read(args.replay)
    except ValueError as error:
        raise BadInput(f"--replay: {error}") from None
    args.examples = 1
    if isinstance(found, Program):
        return found
    args.seed, args.start, args.without = found.seed, found.number, list(found.without)
    return None


def make_folder(folder: Path) -> None:
    """Make a folder for findings. Raises BadInput if that fails, or if there is something in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BadInput(f"--details {folder}: the folder is not empty: name a new one")
    except OSError as error:
        raise BadInput(f"--details {folder}: {error.strerror}") from None


def spread(
    one_piece: Callable[..., Hunt], start: int, count: int, piece: int, jobs: int, dask: str | None
) -> Iterator[Hunt]:
    """Hunt in pieces: in this process, in several, or in those of a Dask cluster."""
    pieces = [(n, min(piece, start + count - n)) for n in range(start, start + count, piece)]
    if dask is not None:
        with dask_executor(dask) as (executor, _):
            yield from in_turn(
                [
                    executor.submit(apart, partial(one_piece, start=n, count=number))
                    for n, number in pieces
                ]
            )
        return
    if jobs == 1:
        suspects: set[str] = set()
        for first, number in pieces:
            part = one_piece(start=first, count=number, suspects=tuple(suspects))
            for names, programs in part.explained.items():
                if programs >= ENOUGH:
                    suspects.update(map(diagnosis.place, names))
            yield part
        return
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from in_turn([pool.submit(one_piece, start=n, count=number) for n, number in pieces])


def in_turn(futures: list[concurrent.futures.Future[Hunt]]) -> Iterator[Hunt]:
    """Yield the results of futures as they come. If the caller stops, cancel the others."""
    try:
        for future in concurrent.futures.as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def apart(piece: Callable[[], Hunt]) -> Hunt:
    """Hunt in a process of its own.

    This is for workers of Dask, whose other threads, and settings of the garbage collector, would
    show in schedules.
    """
    call = "import pickle, sys; out = sys.stdout.buffer; sys.stdout = sys.stderr; "
    call += "out.write(pickle.dumps(pickle.load(sys.stdin.buffer)()))"
    done = subprocess.run(
        [sys.executable, "-c", call],
        input=pickle.dumps(piece),
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    found: Hunt = pickle.loads(done.stdout)
    return found


class Progress:
    """Says on stderr how far the hunt is: always on a terminal, otherwise every 30 seconds."""

    def __init__(self, count: int, began: float) -> None:
        self._count = count
        self._began = began
        self._said = began

    def show(self, total: Hunt) -> None:
        """Print how far the hunt is, if it is time."""
        now = time.perf_counter()
        on_terminal = sys.stderr.isatty()
        if not on_terminal and now - self._said < EVERY:
            return
        self._said = now
        done = total.programs + sum(total.cut.get(reason, 0) for reason in LEFT_OUT)
        rate = total.programs / (now - self._began)
        text = (
            f"{done:,} of {self._count:,} programs, {rate:,.0f} a second, {total.differ:,} differ"
        )
        around = ("\r\033[K", "") if on_terminal else ("", "\n")
        print(text.join(around), end="", file=sys.stderr, flush=True)
