"""How often both rules are named where a loop breaks two.

    python -m tests.pairs [--pairs N] [--programs N] [--seed N] [--jobs N] [--write-docs]

Two loops of the lab, drawn at random, become one loop that breaks both rules. If both replace the
same method, another pair is drawn. Each such loop is given to the tester as a stranger's, by
`module:name`, and diagnosed as `fuzz` does it. The command prints which rules are named, and how
many pairs have both of theirs in the summary that fits one screen. With `--write-docs` it writes
the table of the page.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import multiprocessing
import random
import sys
import time
from dataclasses import dataclass
from typing import Any

from miniloop import lab
from miniloop.cli.findings import RULES
from miniloop.difftest.fuzz import hunt
from miniloop.difftest.sides import KNOWN
from miniloop.lab import diagnosis
from miniloop.lab.broken import combined
from tests.measured import GENERATED, ROOT, circumstances, table

SEED = 2026
PAIRS = 40
PROGRAMS = 2000
PAGE = GENERATED / "pairs.rst"
OF_A_BODY = ("__firstlineno__", "__orig_bases__", "__static_attributes__")
"""What Python adds to a class that is written as a statement."""


@dataclass(frozen=True)
class Pair:
    """Two loops of the lab, and the rules that were named."""

    both: tuple[str, str]
    named: tuple[str, ...]
    """The names of the broken loops in the summary, in order."""
    programs: int
    seconds: float

    @property
    def missed(self) -> list[str]:
        """The loops whose rules are not named."""
        rules = {lab.LOOPS[name].rule for name in self.named}
        return [name for name in self.both if lab.LOOPS[name].rule not in rules]


def pieces(name: str) -> set[str]:
    """Return what a loop of the lab replaces: functions, and methods of classes."""
    found = set()
    for stand_in, piece in lab.LOOPS[name].stand_ins().items():
        if isinstance(piece, type):
            made_by_python = {*vars(type("", piece.__bases__, {})), *OF_A_BODY}
            found |= {f"{stand_in}.{one}" for one in vars(piece).keys() - made_by_python}
        else:
            found.add(stand_in)
    return found


def drawn(count: int, seed: int = SEED) -> list[tuple[str, str]]:
    """Return so many different pairs, none of which has two versions of one method."""
    names = [name for name, loop in lab.LOOPS.items() if sys.version_info >= loop.since]
    found: dict[tuple[str, str], None] = {}
    rng = random.Random(seed)
    while len(found) < count:
        one, other = sorted(rng.sample(names, 2), key=names.index)
        if pieces(one).isdisjoint(pieces(other)):
            found[one, other] = None
    return list(found)


def diagnosed(
    both: tuple[str, str],
    programs: int = PROGRAMS,
    seed: int = SEED,
    patience: float = 5 * diagnosis.PATIENCE,
) -> Pair:
    """Diagnose a pair as `fuzz` does, with more patience: the machine may have much to do."""
    began = time.process_time()
    loop = " and ".join(both)
    KNOWN[loop] = lambda _: combined([lab.broken(name) for name in both])
    total = hunt("asyncio", loop, seed, 0, programs, diagnosis=diagnosis.diagnosis)
    groups = diagnosis.diagnose(total, "asyncio", loop, seed, patience=patience)
    named = tuple(one.name for one in groups if one.loop is not None)
    return Pair(both, named[:RULES], total.programs, time.process_time() - began)


def measured(pairs: list[tuple[str, str]], programs: int, seed: int, jobs: int) -> Any:
    """Yield the diagnosis of each pair, in their order."""
    one = functools.partial(diagnosed, programs=programs, seed=seed)
    if jobs == 1:
        yield from map(one, pairs)
        return
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from pool.map(one, pairs)


def main() -> int:
    """Measure, and print what was named."""
    description, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.pairs",
        description=description,
        epilog=rest.partition("\n\n")[2],
    )
    for option, default in (("pairs", PAIRS), ("programs", PROGRAMS), ("seed", SEED), ("jobs", 1)):
        parser.add_argument(f"--{option}", type=int, default=default, metavar="N")
    parser.add_argument("--write-docs", action="store_true")
    args = parser.parse_args()
    found = []
    for pair in measured(drawn(args.pairs, args.seed), args.programs, args.seed, args.jobs):
        found.append(pair)
        says = f"not named: {', '.join(pair.missed)}" if pair.missed else "both are named"
        print(f"{' + '.join(pair.both)}: {says}; {', '.join(pair.named)}; {pair.seconds:.0f} s")
        sys.stdout.flush()
    both = sum(not pair.missed for pair in found)
    print(f"{both} of {len(found)} pairs have both rules named")
    if args.write_docs:
        PAGE.write_text("\n".join(page(found)).rstrip() + "\n", encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


def page(found: list[Pair]) -> list[str]:
    """Return the lines of the page."""
    both = sum(not pair.missed for pair in found)
    rows = [[*pair.both, ", ".join(pair.missed) or "none"] for pair in found]
    return [
        f"Both rules are named for {both} of {len(found)} pairs. Made by "
        f"``python -m tests.pairs``, {circumstances()}.",
        "",
        *table(["One loop", "The other", "Not named"], rows, widths="35 35 30"),
    ]


if __name__ == "__main__":
    sys.exit(main())
