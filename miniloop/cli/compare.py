"""Run a script on asyncio and on miniloop, and show both schedules side by side.

Any script will do: it needs no preparation. A script that imports an installed library (aiohttp,
anyio, ...), itself or in a module beside it, is run on miniloop.interop instead of on miniloop's
core, as `run` does; --core and --interop say it outright.

Each side runs in a process of its own, on virtual time: where the loop would sleep, the clock
jumps. Recorded are the calls of select() with their timeouts, each step of each task with the line
where it waits, what is printed, and calls of the exception handler, each with its tick and time.
"send -> line 7" is a task that was resumed and then waits in line 7.

Exit status 0: the schedules are equal. 1: they differ, and the first difference is marked; where
the asyncio of this Python is known to differ there, the known difference is named. 2: there is
nothing to compare, or the time was up before a difference showed, and one line says why.
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
"""Seconds after which a person wants to know what takes so long."""

LOOPS = f"{', '.join(loops.KNOWN)}, or module:name of a class or of a function that makes a loop"

LEGEND = """\
select(0.5): a tick begins, and the loop waits 0.5 s at most for something to do.
race#1  send -> line 12: task 1, of race(), goes on until it waits in line 12."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options, and the program."""
    parser.add_argument(
        "--real-time",
        action="store_true",
        help="really wait; then only the order of events is compared, not ticks and times",
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--interop",
        action="store_true",
        default=None,
        help="compare asyncio's loop with miniloop's behind asyncio's interface",
    )
    way.add_argument(
        "--core",
        action="store_false",
        dest="interop",
        help="compare asyncio with miniloop in its place",
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
        help="what to hold it against: the same (default: %(default)s)",
    )
    parser.add_argument("--all", action="store_true", help="show long schedules in full")
    parser.add_argument(
        "--limit",
        type=positive(float),
        default=20.0,
        metavar="SECONDS",
        help="real time that each side may take (default: %(default)g)",
    )
    parser.add_argument(
        "--ticks",
        type=positive(int),
        default=20_000,
        metavar="N",
        help="ticks that each side may take (default: %(default)s)",
    )
    parser.add_argument(
        "--stdin",
        metavar="FILE",
        help="what the script finds in its standard input (default: nothing)",
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
    """What the script is to find in its standard input."""
    try:
        return Path(path).read_bytes() if path else b""
    except OSError as error:
        raise BadInput(f"can't open {path!r} for --stdin: {error.strerror}") from None


def call(args: argparse.Namespace) -> int:
    """Compare, and show what came of it."""
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
    """Tells on stderr, once, that it takes long."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._began = time.monotonic()
        self._told = False

    def __call__(self, side: str) -> None:
        """Say on which side it is, if it has taken UNTOLD seconds."""
        if not self._told and time.monotonic() - self._began > UNTOLD:
            self._told = True
            print(
                f"miniloop compare: running on {side} after {UNTOLD} s; each side may take "
                f"{self._limit:g} s (--limit)",
                file=sys.stderr,
            )


def say(kind: str, text: str) -> None:
    """Print a remark, as wide as the terminal."""
    print(textwrap.fill(f"{kind}: {text}", columns(), subsequent_indent="  "))


def agreement(comparison: Comparison) -> str:
    """How much there was to agree on."""
    left, right = comparison.left, comparison.right
    schedule = left.schedule
    events = count(schedule.events, "event")
    if comparison.order_only:
        return f"{left.name} and {right.name} agree on the order of {events}."
    seconds = schedule.events[-1].time / 1000 if schedule.events else 0.0
    extent = f"{events} in {count(schedule.timeouts, 'tick')}"
    return f"{left.name} and {right.name} agree: {extent}, {seconds:.3f} s of virtual time."


def reasons(comparison: Comparison, run_again: Callable[[str], Run]) -> Iterator[tuple[str, str]]:
    """Why two sides may differ without a fault of either: kinds of remark and remarks."""
    watched = run_again("asyncio-known")
    # If the watches should change anything, the script on its own shows the same as before.
    if not repeats(comparison, watched) and not repeats(
        comparison, run_again(comparison.left.name)
    ):
        yield (
            "note",
            "asyncio does not agree with itself either, when it runs this a second time: the "
            "script depends on what changes from run to run, such as the date, a port number "
            "that the system chooses, a file that it writes or a race of threads",
        )
        return
    found = known_difference(comparison, watched)
    if found is not None:
        yield "known difference", f"{found.id}: {found.title}. {' '.join(found.reason.split())}"
    elif sys.version_info < (3, 15):
        version = ".".join(map(str, sys.version_info[:3]))
        yield (
            "note",
            f"miniloop keeps to Python 3.15; how asyncio {version} differs from that stands in "
            "miniloop/difftest/differences.toml",
        )


def repeats(comparison: Comparison, again: Run) -> bool:
    """Whether a second run of the left side shows what the first did."""
    return all(row.same for row in rows(comparison.left, again, comparison.order_only))


def known_difference(comparison: Comparison, watched: Run) -> register.Known | None:
    """The entry of the register that explains the first difference, if there is one.

    It is the one that asyncio met last before the sides part, or as they do.
    """
    assert comparison.first is not None
    met = [
        name
        for events, selects, name in watched.known
        if events + (0 if comparison.order_only else selects) <= comparison.first
    ]
    return register.entries()[met[-1]] if met else None


def refuse(comparison: Comparison, script: str, run_again: Callable[[str], Run]) -> None:
    """Raise BadInput where there is nothing to compare, or no end to it."""
    left, right = comparison.left, comparison.right
    for run in (left, right):
        if run.stopped and run.stopped[0] == "bad":
            raise BadInput(run.stopped[1])
    if comparison.agree and (left.cut_off or right.cut_off):
        sides = [run for run in (left, right) if run.cut_off]
        on = f" on {sides[0].name}" if len(sides) == 1 else ""
        raise BadInput(
            f"{script}{on} {sides[0].how_it_ended}: it was cut off, and no difference shows up to "
            "there; --limit allows more time, or run it where it does not wait for the outside"
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
        why = left.notes or ["no asyncio.run(), or only one of another library's"]
        raise BadInput(f"{script} runs no event loop that could be recorded: {'; '.join(why)}")
    if not right.schedule.timeouts and right.complete and not right.status:
        raise BadInput(
            f"{script} runs asyncio inside a library, which keeps the real one: nothing of it runs "
            "on miniloop; --interop has it run on miniloop's loop"
        )


def notes(comparison: Comparison) -> list[str]:
    """What a reader has to know of this comparison."""
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
    """Return what the process said last on stderr, without addresses."""
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
    where = f" in tick {at[0]}, at {at[1] / 1000:.3f} s" if at and not comparison.order_only else ""
    return (
        f"{left} and {right} part{where}:\n"
        f"  {left:<{width}}  {cell(row.left, row.left_at, row.right_at)}\n"
        f"  {right:<{width}}  {cell(row.right, row.right_at, row.left_at)}"
    )
