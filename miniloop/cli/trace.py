"""Run a script, and write down all that its loop did, and why, to a file.

The file is by default a web page that steps through the run, forwards and backwards: open it in a
browser. It needs no server and no network. Other formats:

  json      the trace itself, for other tools; the documentation describes it
  text      what `explain --all` prints
  mermaid   a sequence diagram, for Markdown
  perfetto  for ui.perfetto.dev, chrome://tracing and the like
  svg       a picture: a lane for each task

The script runs in a process of its own, on virtual time: where the loop would sleep, the clock
jumps. Options may stand before and behind SCRIPT; its own arguments follow a "--".

Exit status 0: the file is written. 2: there is nothing to trace, and one line says why.
"""

import argparse
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from miniloop.cli import program
from miniloop.cli.bad_input import BadInput
from miniloop.cli.compare import LOOPS, Progress, declare_limits, given, last_line, positive
from miniloop.cli.installed import installed_library
from miniloop.difftest.scripts import Run, run_side
from miniloop.trace.document import Document, assemble
from miniloop.trace.watch import MOST_STEPS

NEVER_ENDS = ("deadlock", "endless", "hang")
"""Ends of a run that are none of the program's own."""


def _html(document: Document) -> str:
    return str(importlib.import_module("miniloop.trace.player").page(document))


def _json(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def _module(name: str) -> Callable[[Document], str]:
    def rendered(document: Document) -> str:
        return str(importlib.import_module(f"miniloop.trace.{name}").rendered(document))

    return rendered


FORMATS: dict[str, Callable[[Document], str]] = {
    "html": _html,
    "json": _json,
    "text": _module("explain"),
    "mermaid": _module("mermaid"),
    "perfetto": _module("perfetto"),
    "svg": _module("svg"),
}
"""By name: what makes the text of the file."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options, and the program."""
    _declare_options(parser)
    program.declare(parser)


def _declare_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the file to write; - writes to the terminal",
    )
    parser.add_argument(
        "--format", choices=FORMATS, default="html", help="the form (default: %(default)s)"
    )
    parser.add_argument(
        "--compare",
        action="store_true",
        help="trace asyncio as well, and step through both side by side (html only)",
    )
    declare_run(parser)


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


def call(args: argparse.Namespace) -> int:
    """Run, and write the file."""
    program.split(args, _declare_options)
    if args.output is None:
        raise BadInput("-o FILE says where to write the trace to; - is the terminal")
    if args.compare and args.format != "html":
        raise BadInput(
            f"--compare shows two runs in one player, which is html and no {args.format}"
        )
    target = None if args.output == "-" else Path(args.output)
    if target is not None:
        refuse_target(target)
    document = traced(args, args.loop)
    if args.compare:
        other = traced(args, "asyncio")
        player: Any = importlib.import_module("miniloop.trace.player")
        text = str(player.page(other, document))
    else:
        text = FORMATS[args.format](document)
    if document["end"]["kind"] not in ("finished", "exception", "exit"):
        print(f"miniloop trace: {document['end']['say']}", file=sys.stderr)
    if target is None:
        sys.stdout.write(text)
    else:
        write(target, text)
    return 0


def refuse_target(target: Path) -> None:
    """Raise BadInput if a file cannot be written, before anything is run."""
    if target.is_dir():
        raise BadInput(f"{str(target)!r} is a folder; name a file in it")
    if not target.parent.is_dir():
        raise BadInput(f"there is no folder {str(target.parent)!r} to write {target.name!r} to")


def write(target: Path, text: str) -> None:
    """Write a file in one go: it is there in full, or as it was before."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise BadInput(f"can't write {str(target)!r}: {error.strerror}") from None


def traced(args: argparse.Namespace, loop: str | None) -> Document:
    """Run the script on a loop, by default miniloop, and return its trace.

    Raises BadInput if there is nothing to trace.
    """
    script, script_args = program.named(args)
    program.file_of(script)  # that of a module must be there
    if loop is None:
        loop = "interop" if installed_library(script) is not None else "miniloop"
    run = run_side(
        loop,
        script,
        script_args,
        real_time=args.real_time,
        ticks=args.ticks,
        seconds=args.limit,
        stdin=given(args.stdin),
        meanwhile=Progress(args.command, args.limit, "the run"),
        steps=args.steps,
    )
    _refuse(run, script)
    broken_off = run.stopped or ("exit", f"the program {run.how_it_ended}")
    clock = "real" if args.real_time or run.order_only else "virtual"
    printed = [what for _, _, who, what in run.schedule.rows if who == "print"]
    reports = run.schedule.reports
    return assemble(run.watched, script, loop, clock, broken_off, printed, reports)


def _refuse(run: Run, script: str) -> None:
    """Raise BadInput if a run has nothing to show."""
    if run.stopped and run.stopped[0] == "bad":
        raise BadInput(run.stopped[1])
    if run.no_ticks:
        raise BadInput(f"{run.name} cannot be watched: {run.no_ticks}")
    if not run.schedule.timeouts:
        if run.stopped:
            raise BadInput(f"{script} {run.stopped[1]}, before any event loop ran")
        if run.status:
            raise BadInput(f"{script} ends before any event loop runs: {last_line(run)}")
        why = run.notes or ["no asyncio.run(), or only one of another library's"]
        raise BadInput(f"{script} runs no event loop that could be traced: {'; '.join(why)}")
