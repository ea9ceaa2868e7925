"""Show event loops that are broken on purpose, and programs that prove it.

Without a name, list the loops. Each of them breaks one rule of scheduling. With a name, print the
rule and the code that breaks it. Then look for a small program that the loop and asyncio run
differently, and print it with both schedules.

Exit status 0: loops were listed, or a program was found. 1: none was found. 2: no such loop.
"""

import argparse
import sys
import textwrap
from itertools import groupby

from miniloop import lab
from miniloop.cli.bad_input import BadInput
from miniloop.cli.side_by_side import show
from miniloop.difftest.scripts import Run, rows


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare NAME."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="the name of a loop in the list")
    parser.add_argument(
        "--seed", type=int, default=2026, metavar="N", help="try other programs: any whole number"
    )


def call(args: argparse.Namespace) -> int:
    """List the loops, or look for the counterexample of one. Returns the exit status."""
    if args.name is None:
        print(listing())
        return 0
    try:
        broken = lab.broken(args.name)
        print(f"{broken.name} breaks the rule: {broken.breaks}\n")
        print(textwrap.indent(broken.source().rstrip(), "    ") + "\n", flush=True)
        found = lab.find(args.name, seed=args.seed, progress=progress)
    except (ValueError, RuntimeError) as error:
        raise BadInput(str(error)) from None
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if found is None:
        print("not found: none of the programs shows the broken rule; try another --seed")
        return 1
    programs = f"{found.tried:,} random program" + "s" * (found.tried != 1)
    print(f"Found after {programs}, and made smaller:\n")
    print(textwrap.indent(str(found.program), "    ") + "\n")
    difference = found.difference
    left = Run(difference.left_name, difference.left, complete=True)
    right = Run(difference.right_name, difference.right, complete=True)
    table = rows(left, right)
    show((left.name, right.name), table, order_only=False, everything=False)
    seed = f" --seed {args.seed}" if args.seed != 2026 else ""
    print(f"\nreproduce: python -m miniloop lab {broken.name}{seed}")
    return 0


def listing() -> str:
    """Return a list of all loops by topic, each with the rule that it breaks."""
    width = max(map(len, lab.LOOPS))
    lines = [f"{len(lab.LOOPS)} loops. Each breaks one rule: `miniloop lab NAME` shows how.", ""]
    for topic, loops in groupby(lab.LOOPS.values(), key=lambda loop: loop.topic):
        lines.append(topic)
        lines += [f"  {loop.name:<{width}}  {loop.breaks}" for loop in loops]
        lines.append("")
    return "\n".join(lines[:-1])


def progress(tried: int) -> None:
    """Say on a terminal how many programs were tried."""
    if sys.stderr.isatty():
        print(f"\r\033[K{tried:,} programs tried", end="", file=sys.stderr, flush=True)
