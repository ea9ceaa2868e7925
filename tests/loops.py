"""The page on third-party loops: `python -m tests.loops [NAME ...] [--write-docs]`.

Each loop that is installed gets random programs for some time and is held against asyncio
(`miniloop.difftest.foreign`). With --write-docs what came of it is kept (docs/generated/loops.json)
as soon as a loop is done, and the page is made of all that is kept: name the loops that are still
missing to go on with a run that was interrupted. Wants the extra `loops`.

With --itself each loop is held against itself instead, which must give nothing. The output says how
many programs a second were compared, and how much of the processor each took. --busy N lets N
processes spin meanwhile, to show that a busy machine gives nothing, either.
"""

import argparse
import concurrent.futures
import contextlib
import importlib.metadata
import multiprocessing
import resource
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from typing import Any

from miniloop.cli import findings
from miniloop.difftest import foreign, fuzz
from miniloop.lab import diagnosis
from tests.measured import GENERATED, ROOT, circumstances, load, save, table

KEPT = GENERATED / "loops.json"
PAGE = GENERATED / "loops.rst"

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
BUDGET = 100
"""Attempts to make a program smaller."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.loops", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(LOOPS)}")
    parser.add_argument(
        "--examples", type=int, default=2000, help="programs for each loop, at most"
    )
    parser.add_argument("--seconds", type=float, default=120, help="time for each loop, at most")
    parser.add_argument("--jobs", type=int, default=2, help="loops to try at the same time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--itself", action="store_true", help="hold each loop against itself")
    parser.add_argument(
        "--busy", type=int, default=0, metavar="N", help="with --itself: let N processes spin"
    )
    parser.add_argument("--write-docs", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    args = parser.parse_args()
    wrong = [name for name in args.names if name not in LOOPS]
    if wrong:
        parser.error(f"no loop named {wrong[0]!r}: choose from {', '.join(LOOPS)}")
    if args.itself:
        with busy(args.busy):
            found = [itself(name, args.seed, args.examples) for name in args.names or LOOPS]
        return int(any(found))
    limits = (args.seed, args.examples, args.seconds)
    how = f"--seed {args.seed} --examples {args.examples} --seconds {args.seconds:g}"
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(args.jobs, mp_context=context) as pool:
        hunts = {pool.submit(hunt, name, *limits): name for name in args.names or LOOPS}
        for future in concurrent.futures.as_completed(hunts):
            name, result = hunts[future], future.result()
            print(row(name, result), flush=True)
            if args.write_docs:
                made = f"``python -m tests.loops {name} {how}``, {circumstances()}"
                save(KEPT, {**load(KEPT), name: {**result, "made": made}})
    if args.write_docs:
        PAGE.write_text("\n".join(page(load(KEPT))).rstrip() + "\n", encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


@contextlib.contextmanager
def busy(number: int) -> Iterator[None]:
    """In the block, let so many processes use all of the processor that they get."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def itself(name: str, seed: int, examples: int) -> int:
    """Hold a loop against itself, print what came of it, and return how many programs differ."""
    began, spent = time.perf_counter(), processor_time()
    try:
        found = fuzz.hunt(LOOPS[name], LOOPS[name], seed, 0, examples)
    except ValueError as error:
        print(f"{name}: {error}", flush=True)
        return 0
    seconds, spent = time.perf_counter() - began, processor_time() - spent
    print(
        f"{name} against itself: {found.programs:,} programs compared, {found.differ:,} differ; "
        f"{found.programs / seconds:.1f} a second, each {spent / found.programs * 1e3:.1f} ms of "
        f"the processor; {found.cut.get(fuzz.ONCE, 0):,} more differed, but not every time",
        flush=True,
    )
    for finding in found.findings.values():
        print(f"\n{finding}", flush=True)
    return found.differ


def processor_time() -> float:
    """Seconds of the processor that this process has used, and those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def hunt(name: str, seed: int, examples: int, seconds: float) -> dict[str, Any]:
    """What comes of one loop; in words, if it cannot even be made."""
    try:
        version = importlib.metadata.version(name)
        began = time.perf_counter()
        found = fuzz.hunt(
            "asyncio",
            LOOPS[name],
            seed,
            0,
            examples,
            seconds=seconds,
            shrink_budget=BUDGET,
            diagnosis=diagnosis.diagnosis,
        )
        groups = diagnosis.diagnose(found, "asyncio", LOOPS[name], seed)
        rate = f"{found.programs / (time.perf_counter() - began):.1f} programs a second"
        match = foreign.Match("asyncio", LOOPS[name])
        match.close()
    except importlib.metadata.PackageNotFoundError:
        return {"version": "", "failed": "not installed"}
    except ValueError as error:
        return {"version": version, "failed": str(error)}
    rules = [one.loop for one in groups if one.loop is not None]
    return {
        "version": version,
        "programs": found.programs,
        "differ": found.differ,
        "rules": {loop.name: loop.rule.standing for loop in rules},
        "report": findings.summary(found, groups, match, rate, None),
    }


def row(name: str, result: dict[str, Any]) -> str:
    head = f"{name} {result['version']}".strip()
    if "failed" in result:
        return f"{head}: {result['failed']}"
    report = "\n".join(result["report"])
    return f"{head}\n\n{report}\n"


def page(results: dict[str, Any]) -> list[str]:
    results = {name: results[name] for name in LOOPS if name in results}
    rows = []
    for name, result in results.items():
        if "failed" in result:
            rows.append([name, result["version"], "none", result["failed"], ""])
        else:
            numbers = map("{:,}".format, (result["programs"], result["differ"]))
            rules = ", ".join(f"{rule} ({how})" for rule, how in result["rules"].items())
            rows.append([f":ref:`loops-{name}`", result["version"], *numbers, rules or "none"])
    head = ["Loop", "Version", "Programs compared", "Programs that differ", "Rules broken"]
    lines = table(head, rows, widths="14 10 14 14 48")
    for name, result in results.items():
        if "failed" not in result:
            lines += ["", f".. _loops-{name}:", "", name, "~" * len(name), ""]
            lines += [f"Made by {result['made']}.", "", ".. code-block:: none", ""]
            lines += [textwrap.indent(line, "   ") for line in result["report"]]
    return lines


if __name__ == "__main__":
    sys.exit(main())
