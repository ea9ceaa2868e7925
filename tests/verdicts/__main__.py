"""The run: see the package."""

import argparse
import collections
import sys
import time

from . import __doc__ as description
from .verdict import right_verdicts, verdict


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.verdicts",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--times", type=int, default=20, help="default: %(default)s")
    parser.add_argument("names", metavar="NAME", nargs="*", help="part of the path of a script")
    arguments = parser.parse_args()

    wrong = runs = 0
    for script, right in right_verdicts().items():
        if arguments.names and not any(name in script for name in arguments.names):
            continue
        began = time.monotonic()
        found = collections.Counter(verdict(script) for _ in range(arguments.times))
        runs += arguments.times
        wrong += arguments.times - found[right]
        seconds = (time.monotonic() - began) / arguments.times
        line = ", ".join(f"{count} x {what}" for what, count in found.most_common())
        mark = "" if set(found) == {right} else f"   WRONG: {right} is right"
        print(f"{script:<36} {seconds:5.1f} s  {line}{mark}", flush=True)
    print(f"{runs} comparisons, {wrong} wrong verdicts, on Python {sys.version.split()[0]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
