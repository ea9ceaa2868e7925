"""Run a script on asyncio and on miniloop, and show both schedules side by side.

Any script will do: it needs no preparation. A script that imports an installed library (aiohttp,
anyio, ...), itself or in a module beside it, runs on miniloop.interop instead of miniloop's core,
as with `run`. --core and --interop overrule this choice.

Each loop runs in a process of its own, on virtual time: where the loop would wait, the clock jumps.
A schedule has the calls of select() with their timeouts, each step of each task with the line where
the task then waits, the lines that the script prints, and calls of the exception handler, each with
its tick and time. "send -> line 7" is a task that was resumed and then waits in line 7.

Exit status 0: the schedules are equal. 1: they differ, and the first difference is marked. If the
asyncio of this Python is known to differ there, the known difference is named. 2: there is nothing
to compare, or the time was up before a difference showed; one line says why.
"""

import argparse
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from miniloop.cli import program
from miniloop.cli.bad_input import BadInput
from miniloop.cli.installed import installed_library
from miniloop.cli.side_by_side import cell, columns, show
from miniloop.difftest import loops, register
from miniloop.difftest.scripts import Comparison, Run, compare_script, rows, run_side
from miniloop.trace.scripts import settled

UNTOLD = 10
"""Seconds after which `compare` says that it is still running."""

LOOPS = f"{', '.join(loops.KNOWN)}, or module:name of a class or of a function that makes a loop"

LEGEND = """\
select(0.5): a tick begins, and the loop waits 0.5 s at most for something to do.
race#1  send -> line 12: task 1, of race(), goes on until it waits in line 12."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options, and the program."""
    parser.add_argument(
        "--real-time",
        action="store_true",
        help="wait in real time, and compare only the order of events, not ticks and times",
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--interop",
        action="store_true",
        default=None,
        help="compare asyncio's loop with miniloop.interop, on which libraries run",
    )
    way.add_argument(
        "--core",
        action="store_false",
        dest="interop",
        help="compare asyncio with miniloop's core",
    )
    way.add_argument(
        "--loop",
        metavar="A",
        help="compare this loop: " + LOOPS,
    )
    parser.add_argument(
        "--against",
        metavar="B",
        default="asyncio",
        help="compare it with this loop, named in the same way (default: %(default)s)",
    )
    parser.add_argument("--all", action="store_true", help="show long schedules in full")
    parser.add_argument(
        "--limit",
        type=positive(float),
        default=20.0,
        metavar="SECONDS",
        help="seconds of real time that each loop may take (default: %(default)g)",
    )
    parser.add_argument(
        "--ticks",
        type=positive(int),
        default=20_000,
        metavar="N",
        help="ticks that each loop may take (default: %(default)s)",
    )
    parser.add_argument(
        "--stdin",
        metavar="FILE",
        help="the file that the script reads as its standard input (default: empty)",
    )
    program.declare(parser)


def positive(kind: Any) -> Any:
    """Return a converter for numbers above 0, which argparse names in its error message."""

    def convert(text: str) -> Any:
        number = kind(text)
        if not 0 < number < float("inf"):
            raise ValueError
        return number

    convert.__name__ = f"{'whole number' if kind is int else 'number'} above 0"
    return convert


def given(path: str | None) -> bytes:
    """Return what the script reads from its standard input. Raises BadInput for a missing file."""
    try:
        return Path(path).read_bytes() if path else b""
    except OSError as error:
        raise BadInput(f"can't open {path!r} for --stdin: {error.strerror}") from None


def call(args: argparse.Namespace) -> int:
    """Compare, and print the result. Returns the exit status."""
    script, script_args = program.named(args)
    program.file_of(script)  # that of a module must be there
    limits: dict[str, Any] = {
        "real_time": args.real_time,
        "ticks": args.ticks,
        "seconds": args.limit,
        "stdin": given(args.stdin),
        "meanwhile": Progress(args.limit),
    }
    loop = args.loop
    if loop is None:
        on_interop = args.interop
        if on_interop is None:
            on_interop = installed_library(script) is not None
        loop = "interop" if on_interop else "miniloop"
    names = (args.against, loop)
    comparison = compare_script(script, script_args, names=names, **limits)
    left, right = comparison.left, comparison.right
    limits["real_time"] |= bool(left.no_ticks or right.no_ticks)
    run_again = partial(run_side, script=script, args=script_args, **limits)
    refuse(comparison, script, run_again)
    for reason in dict.fromkeys(filter(None, (right.no_ticks, left.no_ticks))):
        say("note", reason)
    for line in LEGEND.splitlines():
        print(textwrap.fill(line, columns(), subsequent_indent="  "))
    print()
    show(
        (left.name, right.name),
        comparison.rows,
        order_only=comparison.order_only,
        everything=args.all,
    )
    print()
    for note in notes(comparison):
        say("note", note)
    if comparison.agree:
        print(agreement(comparison))
        return 0
    print(part_at(comparison))
    if left.name == "asyncio":
        for kind, text in reasons(comparison, run_again):
            say(kind, text)
    return 1


class Progress:
    """Says on stderr, once, that a run takes long."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._began = time.monotonic()
        self._told = False

    def __call__(self, side: str) -> None:
        """Say on which loop the script is running, if UNTOLD seconds have passed."""
        if not self._told and time.monotonic() - self._began > UNTOLD:
            self._told = True
            print(
                f"miniloop compare: still running on {side} after {UNTOLD} s; each loop may take "
                f"{self._limit:g} s (--limit)",
                file=sys.stderr,
            )


def say(kind: str, text: str) -> None:
    """Print a remark, as wide as the terminal."""
    print(textwrap.fill(f"{kind}: {text}", columns(), subsequent_indent="  "))


def agreement(comparison: Comparison) -> str:
    """Say how much was compared."""
    left, right = comparison.left, comparison.right
    schedule = left.schedule
    events = count(schedule.events, "event")
    if comparison.order_only:
        return f"{left.name} and {right.name} agree on the order of {events}."
    seconds = schedule.events[-1].time / 1000 if schedule.events else 0.0
    extent = f"{events} in {count(schedule.timeouts, 'tick')}"
    return f"{left.name} and {right.name} agree: {extent}, {seconds:.3f} s of virtual time."


def reasons(comparison: Comparison, run_again: Callable[[str], Run]) -> Iterator[tuple[str, str]]:
    """Yield why the sides may differ without a fault of either: a kind of remark, and its text."""
    watched = run_again("asyncio-known")
    # If only the watches changed the run, the script without them shows the same as before.
    if not repeats(comparison, watched) and not repeats(
        comparison, run_again(comparison.left.name)
    ):
        yield (
            "note",
            "two runs on asyncio disagree with each other, too: the script depends on something "
            "that changes from run to run, such as the date, a port number that the system "
            "chooses, a file that it writes, or a race of threads",
        )
        return
    found = known_difference(comparison, watched)
    if found is not None:
        yield "known difference", f"{found.id}: {found.title}. {' '.join(found.reason.split())}"
    elif sys.version_info < (3, 15):
        version = ".".join(map(str, sys.version_info[:3]))
        yield (
            "note",
            "miniloop does what asyncio does on Python 3.15; miniloop/difftest/differences.toml "
            f"lists how asyncio {version} differs from that",
        )


def repeats(comparison: Comparison, again: Run) -> bool:
    """Return whether a second run of the left side shows what the first did."""
    return all(row.same for row in rows(comparison.left, again, comparison.order_only))


def known_difference(comparison: Comparison, watched: Run) -> register.Known | None:
    """Return the entry of the register that explains the first difference, or None.

    It is the last one that asyncio met up to the first difference.
    """
    assert comparison.first is not None
    met = [
        name
        for events, selects, name in watched.known
        if events + (0 if comparison.order_only else selects) <= comparison.first
    ]
    return register.entries()[met[-1]] if met else None


def refuse(comparison: Comparison, script: str, run_again: Callable[[str], Run]) -> None:
    """Raise BadInput if there is nothing to compare, or no end to it."""
    left, right = comparison.left, comparison.right
    for run in (left, right):
        if run.stopped and run.stopped[0] == "bad":
            raise BadInput(run.stopped[1])
    if comparison.agree and (left.cut_off or right.cut_off):
        sides = [run for run in (left, right) if run.cut_off]
        on = f" on {sides[0].name}" if len(sides) == 1 else ""
        raise BadInput(
            f"{script}{on} {sides[0].how_it_ended}: no difference shows until it was cut off; "
            "allow more time with --limit, or let the script wait for nothing outside its process"
        )
    if left.stopped and right.stopped and comparison.agree:
        more = {"deadlock": "", "endless": "; --ticks allows more"}[left.stopped[0]]
        raise BadInput(f"{script} {left.stopped[1]}{more}")
    if not left.schedule.timeouts and not right.schedule.timeouts:
        differ = left.name == "asyncio" and not comparison.agree
        if differ and known_difference(comparison, run_again("asyncio-known")):
            return
        if left.status:
            raise BadInput(f"{script} ends before any event loop runs: {last_line(left)}")
        why = left.notes or ["it does not call asyncio.run(), or only a library does"]
        raise BadInput(f"{script} runs no event loop that could be recorded: {'; '.join(why)}")
    if not right.schedule.timeouts and right.complete and not right.status:
        raise BadInput(
            f"{script} runs asyncio inside a library, which uses the real asyncio, so nothing runs "
            "on miniloop's core; --interop runs it on miniloop.interop"
        )


def notes(comparison: Comparison) -> list[str]:
    """Return what a reader has to know about this comparison."""
    left, right = comparison.left, comparison.right
    found = [*left.notes, *right.notes]
    ends = {}
    for run in (left, right):
        if not run.complete:
            ends[run.name] = f"{run.how_it_ended}: compared up to there"
        elif run.status:
            ends[run.name] = f"ends with {last_line(run)}"
    if len(ends) == 2 and len(set(ends.values())) == 1:
        found.append(f"on both the script {ends[left.name]}")
    else:
        found += [f"on {name} the script {end}" for name, end in ends.items()]
    if any("EOFError" in end for end in ends.values()):
        found.append("standard input is empty; --stdin FILE gives the script something to read")
    return list(dict.fromkeys(found))


def count(things: Sequence[object], name: str) -> str:
    """Return a number with its noun."""
    return f"{len(things):,} {name}" + "s" * (len(things) != 1)


def last_line(run: Run) -> str:
    """Return the last line that the process wrote to stderr, without addresses."""
    lines = [line for line in run.said.splitlines() if line and not line.startswith(" ")]
    groups = [
        line[4:] for line in run.said.splitlines() if re.match(r"  \| \w*ExceptionGroup: ", line)
    ]
    return settled((groups or lines or [f"exit status {run.status}"])[-1])


def part_at(comparison: Comparison) -> str:
    """Name the first difference, in full."""
    assert comparison.first is not None
    row = comparison.rows[comparison.first]
    left, right = comparison.left.name, comparison.right.name
    width = max(len(left), len(right))
    at = row.left_at or row.right_at
    where = ""
    if at and not comparison.order_only:
        where = f", first in tick {at[0]}, at {at[1] / 1000:.3f} s"
    return (
        f"{left} and {right} differ{where}:\n"
        f"  {left:<{width}}  {cell(row.left, row.left_at, row.right_at)}\n"
        f"  {right:<{width}}  {cell(row.right, row.right_at, row.left_at)}"
    )
