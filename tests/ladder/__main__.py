"""Hold the rungs against asyncio: `python -m tests.ladder [--programs N] [RUNG ...]`.

`python -m tests.ladder 4 --file FILE` holds a file of your own against it, as if it were rung 4.
"""

import argparse
import concurrent.futures
import functools
import json
import multiprocessing
import sys
from pathlib import Path

from miniloop.difftest.grammar import FEATURES

from .rungs import RUNGS, Held, Rung, own_rung, report

SHOWN = 8
"""How many programs that differ are made small, to show the smallest."""


def rung(text: str) -> int:
    """Return the number of a rung. Raises ArgumentTypeError if there is no such rung."""
    if text not in {str(one.number) for one in RUNGS}:
        raise argparse.ArgumentTypeError(f"there is no rung {text}: choose from 1 to {len(RUNGS)}")
    return int(text)


def main(arguments: list[str]) -> None:
    """Print, for each rung, on how many random programs it agrees with asyncio."""
    parser = argparse.ArgumentParser(prog="python -m tests.ladder", description=main.__doc__)
    parser.add_argument("rung", type=rung, nargs="*", help="all, if none is given")
    parser.add_argument("--programs", type=int, default=2000, help="for each rung")
    parser.add_argument("--jobs", type=int, default=2, help="processes at work at once")
    parser.add_argument("--json", action="store_true", help="print all that the docs show")
    parser.add_argument("--file", type=Path, help="hold this file, as if it were the rung")
    parser.add_argument(
        "--also", choices=FEATURES, nargs="+", default=[], metavar="FEATURE", help="it claims these"
    )
    args = parser.parse_args(arguments)
    if args.also and args.file is None:
        parser.error("--also goes with --file FILE")
    if args.file is not None:
        if len(args.rung) != 1 or args.json:
            parser.error("--file goes with one rung: the one that the file shall be like")
        try:
            mine = own_rung(args.file, RUNGS[args.rung[0] - 1], args.also)
        except ValueError as error:
            parser.error(str(error))
        sys.exit(hold(mine, args.programs))
    held = functools.partial(report, count=args.programs)
    fresh = multiprocessing.get_context("spawn")  # forking would lose the thread of the tester
    with concurrent.futures.ProcessPoolExecutor(args.jobs, fresh) as pool:
        reports = pool.map(held, args.rung or [one.number for one in RUNGS])
        if args.json:
            json.dump(list(reports), sys.stdout)
            return
        for found in reports:
            print(f"rung {found['rung']}: agrees on {found['agree']} of {found['programs']}")


def hold(mine: Rung, count: int) -> int:
    """Say how many programs a file agrees on, and show the smallest one on which it does not.

    Return the exit status: 0 if it agrees as far as the rung has to, and 1 if not.
    """
    held = Held(mine)
    differing = list(held.differing(count))
    print(f"{mine.path} agrees with asyncio on {count - len(differing)} of {count} programs")
    found = held.smallest(differing[:SHOWN])
    if found is not None:
        print(f"\nThe smallest program found on which it does not:\n\n{found}")
    return 1 if differing else 0


if __name__ == "__main__":
    main(sys.argv[1:])
