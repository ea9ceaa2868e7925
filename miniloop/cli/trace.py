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

from miniloop.cli import BadInput, program
from miniloop.cli.on_record import declare_run, traced
from miniloop.trace.document import Document


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
