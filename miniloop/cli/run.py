"""Run an ordinary asyncio script, unmodified, on miniloop.

There are two ways. A script that gets by with the standard library runs on the core: it, and the
modules in its folder and below, get miniloop wherever they import asyncio. A script that imports
an installed library (aiohttp, httpx, anyio, ...), itself or in a module beside it, anywhere in the
file, runs with --interop: import asyncio is the real one, as its library will want it, and every
loop that it makes is miniloop.interop.EventLoop, miniloop's scheduling behind asyncio's interface.
The imports decide, before anything runs; --core and --interop say it outright.

All else, sys.argv, tracebacks and the exit status among it, is as under `python SCRIPT`, or with
-m as under `python -m MODULE`.
"""

import argparse

from miniloop.cli import children, program
from miniloop.cli.every_loop import make_interop_loops
from miniloop.cli.installed import installed_library
from miniloop.cli.script import run_script


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the two ways, and the program."""
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--interop",
        action="store_true",
        default=None,
        help="the real asyncio, with every loop miniloop's: for what needs protocols, TLS, "
        "subprocesses, or a library that imports asyncio",
    )
    way.add_argument(
        "--core",
        dest="interop",
        action="store_false",
        help="miniloop's core for the script and the modules beside it; its libraries find no loop",
    )
    program.declare(parser)


def call(args: argparse.Namespace) -> int:
    """Run the script; returns 0 at its end, and raises what it raises."""
    script, script_args = program.named(args)
    on_interop = args.interop
    if on_interop is None:
        on_interop = installed_library(script) is not None
    make_interop_loops()  # on the core as well: unittest asks asyncio for a loop
    if on_interop:
        children.follow("interop", "")
    return run_script(script, script_args, redirected=not on_interop)
