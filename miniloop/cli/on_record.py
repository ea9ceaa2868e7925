"""Run a script on record, for the commands that show what it does, and declare how to run it.

`explain` and `trace` show one run, `compare` two, and `explore` many. Each run has a process of its
own (see `miniloop.difftest.scripts`).
"""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import Any

from miniloop.cli import BadInput, program
from miniloop.difftest import loops
from miniloop.difftest.scripts import Run, run_side
from miniloop.trace.document import Document, assemble
from miniloop.trace.scripts import settled
from miniloop.trace.watch import MOST_STEPS

LOOPS = f"{', '.join(loops.KNOWN)}, or module:name of a class or of a function that makes a loop"

UNTOLD = 10
"""Seconds after which a command says that it is still running."""

NEVER_ENDS = ("deadlock", "endless", "hang")
"""Ends of a run that are none of the program's own."""


def declare_run(parser: argparse.ArgumentParser) -> None:
    """Declare how the script is run, for all commands that trace."""
    parser.add_argument(
        "--loop",
        metavar="LOOP",
        help=f"the loop to run on (default: miniloop): {LOOPS}",
    )
    parser.add_argument(
        "--real-time", action="store_true", help="really wait, in place of jumping over waits"
    )
    parser.add_argument(
        "--steps",
        type=positive(int),
        default=MOST_STEPS,
        metavar="N",
        help="steps after which recording stops (default: %(default)s)",
    )
    declare_limits(parser, "the run")


def declare_limits(parser: argparse.ArgumentParser, who: str) -> None:
    """Declare how long `who` may take, and what the script reads."""
    parser.add_argument(
        "--limit",
        type=positive(float),
        default=20.0,
        metavar="SECONDS",
        help=f"seconds of real time that {who} may take (default: %(default)g)",
    )
    parser.add_argument(
        "--ticks",
        type=positive(int),
        default=20_000,
        metavar="N",
        help=f"ticks that {who} may take (default: %(default)s)",
    )
    parser.add_argument(
        "--stdin",
        metavar="FILE",
        help="the file that the script reads as its standard input (default: empty)",
    )


def positive(kind: Any) -> Any:
    """Return a converter for numbers above 0, which argparse names in its error message."""

    def convert(text: str) -> Any:
        number = kind(text)
        if not 0 < number < float("inf"):
            raise ValueError
        return number

    convert.__name__ = f"{'whole number' if kind is int else 'number'} above 0"
    return convert


def limits(args: argparse.Namespace) -> dict[str, Any]:
    """Return how the script is run, as keywords of `run_side()`.

    Raises BadInput if the file for standard input is missing.
    """
    try:
        stdin = Path(args.stdin).read_bytes() if args.stdin else b""
    except OSError as error:
        raise BadInput(f"can't open {args.stdin!r} for --stdin: {error.strerror}") from None
    return {"ticks": args.ticks, "seconds": args.limit, "stdin": stdin}


class Progress:
    """Says on stderr, once, that a run takes long."""

    def __init__(self, command: str, limit: float, who: str) -> None:
        self._command = command
        self._limit = f"{who} may take {limit:g} s (--limit)"
        self._began = time.monotonic()
        self._told = False

    def __call__(self, side: str) -> None:
        """Say on which loop the script is running, if UNTOLD seconds have passed."""
        if not self._told and time.monotonic() - self._began > UNTOLD:
            self._told = True
            print(
                f"miniloop {self._command}: still running on {side} after {UNTOLD} s; "
                f"{self._limit}",
                file=sys.stderr,
            )


def document(run: Run, script: str, clock: str = "virtual") -> Document:
    """Return the trace of a run that was recorded with its causes."""
    broken_off = run.stopped or ("exit", f"the program {run.how_it_ended}")
    printed = [what for _, _, who, what in run.schedule.rows if who == "print"]
    reports = run.schedule.reports
    return assemble(run.watched, script, run.name, clock, broken_off, printed, reports)


def traced(args: argparse.Namespace, loop: str | None) -> Document:
    """Run the script on a loop, by default miniloop, and return its trace.

    Raises BadInput if there is nothing to trace.
    """
    script, script_args = program.named(args)
    program.file_of(script)  # that of a module must be there
    if loop is None:
        loop = "interop" if program.needs_interop(script) else "miniloop"
    run = run_side(
        loop,
        script,
        script_args,
        real_time=args.real_time,
        steps=args.steps,
        meanwhile=Progress(args.command, args.limit, "the run"),
        **limits(args),
    )
    why = run.notes or ["no asyncio.run(), or only one of another library's"]
    refuse(run, script, f"traced: {'; '.join(why)}")
    return document(run, script, "real" if args.real_time or run.order_only else "virtual")


def refuse(run: Run, script: str, could_be: str) -> None:
    """Raise BadInput if a run has nothing to show.

    `could_be` ends the sentence for a script that "runs no event loop that could be ...".
    """
    if run.stopped and run.stopped[0] == "bad":
        raise BadInput(run.stopped[1])
    if run.no_ticks:
        raise BadInput(f"{run.name} cannot be watched: {run.no_ticks}")
    if not run.schedule.timeouts:
        if run.stopped:
            raise BadInput(f"{script} {run.stopped[1]}, before any event loop ran")
        if run.status:
            raise BadInput(f"{script} ends before any event loop runs: {last_line(run)}")
        raise BadInput(f"{script} runs no event loop that could be {could_be}")


def last_line(run: Run) -> str:
    """Return the last line that the process wrote to stderr, without addresses."""
    lines = [line for line in run.said.splitlines() if line and not line.startswith(" ")]
    groups = [
        line[4:] for line in run.said.splitlines() if re.match(r"  \| \w*ExceptionGroup: ", line)
    ]
    return settled((groups or lines or [f"exit status {run.status}"])[-1])
