"""Show event loops that are broken on purpose, and programs that prove it.

Without a name, list the loops. Each of them breaks one rule of scheduling. With a name, print the
rule and the code that breaks it. Then look for a small program that the loop and asyncio run
differently, and print it with both schedules.

With --puzzle N, print only the program and the schedules of one of these loops: which rule does it
break? With --answer, print the rule and the code, too.

With --check FILE, look for a program that tells a loop that you have mended from asyncio. The file
defines what shall take the place of miniloop's own: EventLoop, Task, gather, Lock and so on.

Exit status 0: loops or puzzles were listed, a program was found for a broken loop, or none was
found for your own. 1: none was found, or one for your own. 2: no such loop, puzzle or file.
"""

import argparse
import sys
import textwrap
from itertools import groupby
from pathlib import Path

from miniloop import lab
from miniloop.cli import BadInput
from miniloop.cli.side_by_side import show
from miniloop.difftest import Difference, side
from miniloop.difftest.scripts import Run, rows
from miniloop.lab.find import search
from miniloop.lab.mended import mended
from miniloop.lab.puzzles import puzzle, puzzles

SEED = 2026
LIST = -1
"""What `--puzzle` without a number stands for."""
PROGRAMS = 2000
"""How many programs `--check` runs, if it is not told."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare NAME and what may stand in its place."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("name", metavar="NAME", nargs="?", help="the name of a loop in the list")
    what.add_argument(
        "--puzzle",
        type=int,
        nargs="?",
        const=LIST,
        metavar="N",
        help="show what a broken loop does, and not which; without N, say how many there are",
    )
    what.add_argument("--check", type=Path, metavar="FILE", help="hold your loop against asyncio")
    parser.add_argument(
        "--answer", action="store_true", help="with --puzzle N: say which loop it is"
    )
    parser.add_argument(
        "--programs", type=int, metavar="N", help=f"with --check: try so many (default {PROGRAMS})"
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, metavar="N", help="try other programs: any whole number"
    )


def call(args: argparse.Namespace) -> int:
    """Do what the arguments ask for. Returns the exit status."""
    if args.answer and args.puzzle in (None, LIST):
        raise BadInput("--answer goes with --puzzle N")
    if args.programs is not None and args.check is None:
        raise BadInput("--programs goes with --check FILE")
    if args.programs is not None and args.programs < 1:
        raise BadInput(f"--programs {args.programs}: give a number of at least 1")
    try:
        if args.check is not None:
            return check(args.check, args.programs or PROGRAMS, args.seed)
        if args.puzzle is not None:
            return pose(args.puzzle, args.answer, args.seed)
        if args.name is None:
            print(listing())
            return 0
        broken = lab.broken(args.name)
        print(explained(broken), flush=True)
        if not counterexample(broken, broken.name, args.seed):
            return 1
    except (ValueError, RuntimeError) as error:
        raise BadInput(str(error)) from None
    print(f"\nreproduce: python -m miniloop lab {broken.name}{option(args.seed)}")
    return 0


def explained(broken: type[lab.BrokenLoop]) -> str:
    """Return a broken loop's rule, and the code that breaks it."""
    code = textwrap.indent(broken.source().rstrip(), "    ")
    return f"{broken.name} breaks the rule: {broken.breaks}\n\n{code}\n"


def counterexample(
    broken: type[lab.BrokenLoop], called: str, seed: int, reports: bool = True
) -> bool:
    """Find a program that a broken loop runs differently, and print it. Return whether there is."""
    found = lab.find(broken.name, seed=seed, progress=progress, reports=reports)
    end_progress()
    if found is None:
        print("not found: none of the programs shows the broken rule; try another --seed")
        return False
    programs = f"{found.tried:,} random program" + "s" * (found.tried != 1)
    print(f"Found after {programs}, and made smaller:\n")
    show_difference(found.difference, called)
    return True


def pose(number: int, answer: bool, seed: int) -> int:
    """Print a puzzle, and its answer if that is wanted. Returns the exit status."""
    count = len(puzzles())
    if number == LIST:
        print(f"{count} puzzles. `miniloop lab --puzzle N`, with N from 1 to {count}, shows one.")
        return 0
    broken = puzzle(number)
    if answer:
        print(f"Puzzle {number} is {broken.name}.\n")
        print(explained(broken), flush=True)
    # What destructors report may name a class of the lab, and is seldom what the rule is about.
    if not counterexample(broken, f"puzzle {number}", seed, reports=False):
        return 1
    if not answer:
        print("\nWhich rule of scheduling does this loop break?")
        print(f"answer: python -m miniloop lab --puzzle {number} --answer{option(seed)}")
    return 0


def check(path: Path, count: int, seed: int) -> int:
    """Hold the loop of a file against asyncio. Returns the exit status."""
    suspect = mended(path)
    # The file stands on miniloop: where miniloop itself differs, the file is not to blame.
    whole = side("miniloop")
    found = search(suspect, seed=seed, budget=count, progress=progress, whole=whole)
    end_progress()
    if found is None:
        print(f"{path} agrees with asyncio on {count:,} random programs.")
        return 0
    difference, _, _, tried = found
    print(f"{path} does not agree with asyncio. Program {tried:,}, made smaller:\n")
    show_difference(difference, suspect.name)
    return 1


def show_difference(difference: Difference, called: str) -> None:
    """Print a program and both its schedules. The loop on the right is called `called`."""
    print(textwrap.indent(str(difference.program), "    ") + "\n")
    left = Run(difference.left_name, difference.left, complete=True)
    right = Run(called, difference.right, complete=True)
    show((left.name, right.name), rows(left, right), order_only=False, everything=False)


def option(seed: int) -> str:
    """Return the option that asks for a seed; empty for the usual one."""
    return f" --seed {seed}" if seed != SEED else ""


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


def end_progress() -> None:
    """Clear the line that `progress()` wrote."""
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
