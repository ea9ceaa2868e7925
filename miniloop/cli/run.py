"""Run an ordinary asyncio script, unmodified, on miniloop.

The script, and the modules in its folder and below, get miniloop wherever they import asyncio.
Installed libraries and the standard library keep the real asyncio. All else, sys.argv, tracebacks
and the exit status among it, is as under `python SCRIPT`.
"""

import argparse

from miniloop.cli.script import run_script


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare SCRIPT and, in one with it, all that follows: that belongs to the script."""
    # PARSER is how argparse itself takes a command and whatever follows. REMAINDER after an
    # argument of its own would lose a first "--".
    parser.add_argument(
        "command_line",
        metavar="SCRIPT",
        nargs=argparse.PARSER,
        help="the Python file to run, and the arguments that it is to have",
    )


def call(args: argparse.Namespace) -> int:
    """Run the script; returns 0 at its end, and raises what it raises."""
    script, *script_args = args.command_line
    return run_script(script, script_args)
