"""Run an ordinary asyncio script, unmodified, on miniloop.

The script, and the modules in its folder and below, get miniloop wherever they import asyncio.
Installed libraries and the standard library keep the real asyncio. All else, sys.argv, tracebacks
and the exit status among it, is as under `python SCRIPT`.
"""

import argparse

from miniloop.cli.script import run_script


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare SCRIPT and its arguments; whatever follows SCRIPT belongs to the script."""
    parser.add_argument("script", metavar="SCRIPT", help="the Python file to run")
    parser.add_argument(
        "args", metavar="ARG", nargs=argparse.REMAINDER, help="arguments, handed on to the script"
    )


def call(args: argparse.Namespace) -> int:
    """Run the script; returns 0, 2 if it asks for what miniloop lacks, or raises as it raises."""
    return run_script(args.script, args.args)
