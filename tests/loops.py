"""The table of third-party loops: `python -m tests.loops [NAME ...] [--write-docs]`.

Each loop that is installed gets random programs for some time and is held against asyncio
(`miniloop.difftest.foreign`). The page of the docs has the smallest program of each group of
findings.
Wants the extra `loops`.
"""

import argparse
import concurrent.futures
import importlib.metadata
import multiprocessing
import platform
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

from miniloop.cli.fuzz import grouped
from miniloop.difftest import foreign
from miniloop.difftest.fuzz import Finding, Hunt
from miniloop.difftest.rules import rule_broken
from miniloop.trace import Event

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "generated" / "loops.rst"

LOOPS = {
    "uvloop": "uvloop:new_event_loop",
    "rloop": "rloop:new_event_loop",
    "blazio": "blazio:new_event_loop",
    "talyn": "talyn:Loop",
    "loopmini": "loopmini:new_event_loop",
    "veloxloop": "veloxloop:new_event_loop",
    "bracio": "bracio:BracioLoop",
    "uringcore": "uringcore:UringEventLoop",
}
SHOWN = 12
"""Groups of findings shown for a loop, the most frequent first."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.loops", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(LOOPS)}")
    parser.add_argument(
        "--examples", type=int, default=2000, help="programs for each loop, at most"
    )
    parser.add_argument("--seconds", type=float, default=120, help="time for each loop, at most")
    parser.add_argument("--jobs", type=int, default=2, help="loops to try at the same time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write-docs", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    args = parser.parse_args()
    wrong = [name for name in args.names if name not in LOOPS]
    if wrong:
        parser.error(f"no loop named {wrong[0]!r}: choose from {', '.join(LOOPS)}")
    results: dict[str, Hunt | str] = {}
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(args.jobs, mp_context=context) as pool:
        limits = (args.seed, args.examples, args.seconds)
        hunts = {name: pool.submit(hunt, name, *limits) for name in args.names or LOOPS}
        for name, future in hunts.items():
            results[name] = future.result()
            print(row(name, results[name]), flush=True)
    if args.write_docs:
        PAGE.write_text("\n".join(page(results, " ".join(sys.argv[1:]))) + "\n", encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


def hunt(name: str, seed: int, examples: int, seconds: float) -> Hunt | str:
    """What comes of one loop; in words, if it cannot even be made."""
    try:
        return foreign.hunt("asyncio", LOOPS[name], seed, 0, examples, seconds=seconds)
    except ValueError as error:
        return str(error)


def version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def row(name: str, result: Hunt | str) -> str:
    if isinstance(result, str):
        return f"{name} {version(name)}: {result}"
    groups = grouped(result)
    return (
        f"{name} {version(name)}: {result.programs:,} programs compared, "
        f"{sum(result.counts.values()):,} differ, in {len(groups)} groups"
    )


def page(results: dict[str, Hunt | str], options: str) -> list[str]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    lines = [
        f"Made by ``python -m tests.loops {options}`` on {datetime.now(UTC):%Y-%m-%d}, CPython "
        f"{platform.python_version()}, {platform.system()} {platform.machine()}, commit {commit}.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 22 14 22 22 20",
        "",
        *cells("Loop", "Version", "Programs compared", "Programs that differ", "Groups"),
    ]
    for name, result in results.items():
        if isinstance(result, str):
            lines += cells(name, version(name), "none", result, "")
        else:
            differ = sum(result.counts.values())
            counts = [f"{n:,}" for n in (result.programs, differ, len(grouped(result)))]
            lines += cells(f":ref:`loops-{name}`", version(name), *counts)
    for name, result in results.items():
        if isinstance(result, str):
            continue
        lines += ["", f".. _loops-{name}:", "", name, "-" * len(name), ""]
        rest = "; ".join(f"{why}: {number:,}" for why, number in sorted(result.cut.items()))
        if rest:
            lines += [f"Programs left out of the comparison, by reason: {rest}.", ""]
        groups = list(grouped(result).items())
        if not groups:
            lines += ["No difference was found.", ""]
        for kind, (finding, count) in groups[:SHOWN]:
            lines += section(kind, finding, count)
        left_out = groups[SHOWN:]
        if left_out:
            number = sum(count for _, (_, count) in left_out)
            lines += [f"And {len(left_out)} more groups, of {number} programs."]
    return lines


def cells(*texts: str) -> list[str]:
    return [f"   {'*' if not n else ' '} - {text}" for n, text in enumerate(texts)]


def section(kind: str, finding: Finding, count: int) -> list[str]:
    difference = finding.difference
    rule = rule_broken(difference)
    programs = f"{count} program" + "s" * (count != 1)
    what = f"**{rule}**: broken by {programs}." if rule else f"{programs.capitalize()}."
    first = difference.first()
    said = [
        f"{event.who} {event.what}".strip() if (event := at(side.events, first)) else "nothing more"
        for side in (difference.left, difference.right)
    ]
    return [
        f"{what} At the first difference asyncio has ``{said[0]}``, this loop ``{said[1]}``:",
        "",
        ".. code-block:: python",
        "",
        textwrap.indent(str(difference.program), "   "),
        "",
    ]


def at(events: list[Event], number: int) -> Event | None:
    return events[number] if number < len(events) else None


if __name__ == "__main__":
    sys.exit(main())
