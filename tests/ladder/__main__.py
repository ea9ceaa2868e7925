"""Hold the rungs against asyncio: `python -m tests.ladder [--programs N] [RUNG ...]`."""

import argparse
import concurrent.futures
import functools
import json
import multiprocessing
import sys

from .rungs import RUNGS, report


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
    args = parser.parse_args(arguments)
    held = functools.partial(report, count=args.programs)
    fresh = multiprocessing.get_context("spawn")  # forking would lose the thread of the tester
    with concurrent.futures.ProcessPoolExecutor(args.jobs, fresh) as pool:
        reports = pool.map(held, args.rung or [one.number for one in RUNGS])
        if args.json:
            json.dump(list(reports), sys.stdout)
            return
        for found in reports:
            print(f"rung {found['rung']}: agrees on {found['agree']} of {found['programs']}")


if __name__ == "__main__":
    main(sys.argv[1:])
