"""Run an ordinary asyncio script, unmodified, on miniloop.

The imports of the script decide on which loop it runs. If it needs only the standard library, it
runs on miniloop's core: the script, and the modules in its folder and below, get miniloop wherever
they import asyncio. If it imports an installed library (aiohttp, httpx, anyio, ...), anywhere in
the script or in a module beside it, it runs on interop: `import asyncio` gives the real asyncio,
as the library needs it, and every loop that asyncio makes is miniloop.interop.EventLoop, which has
miniloop's scheduling and asyncio's interface. --core and --interop overrule this choice.

Everything else, such as sys.argv, tracebacks and the exit status, is as with `python SCRIPT`, or
with -m as with `python -m MODULE`.
"""

import argparse

from miniloop.cli import children, program
from miniloop.cli.every_loop import make_interop_loops
from miniloop.cli.script import run_script


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options, and the program."""
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--interop",
        action="store_true",
        default=None,
        help="use the real asyncio with miniloop's loops: for protocols, TLS, subprocesses, and "
        "libraries that import asyncio",
    )
    way.add_argument(
        "--core",
        dest="interop",
        action="store_false",
        help="use miniloop's core in the script and the modules beside it; libraries find no loop",
    )
    program.declare(parser)


def call(args: argparse.Namespace) -> int:
    """Run the script. Returns 0 when it has ended, and raises what it raises."""
    script, script_args = program.named(args)
    on_interop = program.needs_interop(script, args.interop)
    make_interop_loops()  # on the core as well: unittest asks asyncio for a loop
    if on_interop:
        children.follow("interop", "")
    return run_script(script, script_args, redirected=not on_interop)
