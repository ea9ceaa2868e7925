"""Run random programs on two event loops, and show where the loops differ.

A loop is asyncio, asyncio-eager (all tasks start eagerly), asyncio-python (tasks and futures in
Python), miniloop, miniloop-eager, interop (miniloop.interop.EventLoop), or MODULE:NAME of a loop
class or of a function that makes a loop, such as uvloop:new_event_loop. asyncio-unwatched and
miniloop-unwatched are not cut off where this Python's asyncio is known to differ.

A loop given as MODULE:NAME runs in a process of its own, so a crash or a hang is a finding like any
other. If the loop takes a selector, it is compared to the tick, on virtual time. If not, it runs in
real time, and only the order of events is compared; the first line of the output says so, and what
to change.

The findings are grouped by the rule that they break, or else by what each loop does at the first
difference. For each group, fuzz looks for the smallest program, and prints it with both schedules
and the command that finds it again. One difference can hide others: --without leaves a feature out
of the programs, and --allow leaves a group out of the findings.

Exit status 0: no program differs. 1: some do. 2: bad arguments, or a loop that cannot be made.
"""

import argparse
import concurrent.futures
import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterator, Sequence

from miniloop.cli.bad_input import BadInput
from miniloop.cli.compare import positive
from miniloop.cli.side_by_side import show
from miniloop.difftest.foreign import Match
from miniloop.difftest.fuzz import BLOCKS, Finding, Hunt, group, hunt, short_id, size
from miniloop.difftest.grammar import FEATURES
from miniloop.difftest.rules import rule_broken
from miniloop.difftest.scripts import Run, rows

EXAMPLES = {False: 10_000, True: 300}
"""The default number of programs, by whether a loop is foreign: real time is slow."""
PIECE = {False: 1_000, True: 25}
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
        help="how many programs to run (default: 10,000, or 300 with a loop given as MODULE:NAME)",
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
        help="leave out a group of findings, named by its six characters; may be repeated",
    )


def call(args: argparse.Namespace) -> int:
    """Hunt, and print the findings. Returns the exit status."""
    for feature in args.without:
        if feature not in FEATURES:
            raise BadInput(f"no feature named {feature!r}: choose from {', '.join(FEATURES)}")
    is_foreign = ":" in args.loop or ":" in args.against
    count = args.examples or EXAMPLES[is_foreign]
    try:
        match = Match(args.against, args.loop)
    except ValueError as error:
        raise BadInput(str(error)) from None
    match.close()
    for note in match.notes:
        print(note, flush=True)
    total = Hunt()
    began = time.perf_counter()
    progress = Progress(count, began)
    try:
        for part in spread(args, count, PIECE[is_foreign]):
            total.add(part)
            progress.show(total)
    except KeyboardInterrupt:
        print("\nstopped by Ctrl-C", file=sys.stderr)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    groups = grouped(total)
    for name, (finding, number) in groups.items():
        report(name, finding, number, args.without)
    seconds = time.perf_counter() - began if is_foreign else total.seconds
    rate = total.programs / seconds if seconds else 0.0
    differ, median = sum(total.counts.values()), statistics.median(total.events or [0])
    speed = f"{rate:,.0f} programs a second"
    if not is_foreign:
        speed += " and core"
        if len(total.rates) > 1:
            slowest, quickest = min(total.rates), max(total.rates)
            speed += f" ({slowest:,.0f} to {quickest:,.0f} in pieces of {PIECE[False]:,})"
    print(
        f"{plural(total.programs, 'program')} compared (median {median:.0f} events), {differ:,} "
        f"differ, in {plural(len(groups), 'group')}; {speed}"
    )
    for reason, number in sorted(total.cut.items()):
        print(f"  {number:,} not compared to the end or not counted: {reason}")
    for name in args.allow:
        if not any(f" {name}," in reason for reason in total.cut):
            print(f"--allow {name}: no finding of this group", file=sys.stderr)
    return 1 if total.findings else 0


def spread(args: argparse.Namespace, count: int, piece: int) -> Iterator[Hunt]:
    """Hunt in pieces, in this process or in several."""
    without, allow = frozenset(args.without), frozenset(args.allow)
    end = args.start + count
    pieces = [
        (args.against, args.loop, args.seed, n, min(piece, end - n), without, allow)
        for n in range(args.start, end, piece)
    ]
    if args.jobs == 1:
        for one in pieces:
            yield hunt(*one)
        return
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(args.jobs, mp_context=context) as pool:
        futures = [pool.submit(hunt, *one) for one in pieces]
        try:
            for future in concurrent.futures.as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


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
        done = total.programs + total.cut.get(BLOCKS, 0)
        rate = total.programs / (now - self._began)
        found = len(total.findings)
        text = (
            f"{done:,} of {self._count:,} programs, {rate:,.0f} a second, "
            f"{found} kinds of difference"
        )
        around = ("\r\033[K", "") if on_terminal else ("", "\n")
        print(text.join(around), end="", file=sys.stderr, flush=True)


def grouped(total: Hunt) -> dict[str, tuple[Finding, int]]:
    """Return the smallest finding of each group and its count, the most frequent group first."""
    groups: dict[str, tuple[Finding, int]] = {}
    for kind, finding in total.findings.items():
        name = group(finding)
        best, number = groups.get(name, (finding, 0))
        groups[name] = min(best, finding, key=size), number + total.counts[kind]
    return dict(sorted(groups.items(), key=lambda item: -item[1][1]))


def plural(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}" + "s" * (number != 1)


def report(name: str, finding: Finding, count: int, without: Sequence[str]) -> None:
    """Print a group of findings: its smallest program and both schedules."""
    difference = finding.difference
    rule = rule_broken(difference)
    print(f"=== group {short_id(name)}: {plural(count, 'program')}")
    print(f"rule broken: {rule}\n" if rule else f"at the first difference: {name}\n")
    print(f"{difference.program}\n")
    left = Run(difference.left_name, difference.left, complete=True)
    right = Run(difference.right_name, difference.right, complete=True)
    in_order = not difference.left.timeouts and not difference.right.timeouts
    table = rows(left, right, in_order)
    show((left.name, right.name), table, order_only=in_order, everything=False)
    # With a feature left out, the same numbers mean other programs.
    options = "".join(f" --without {feature}" for feature in without)
    print(f"\nreproduce: {finding.reproduce()}{options}\n")
