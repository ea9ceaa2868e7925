"""The run: `python -m tests.mutation --help`."""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import measured

try:
    from . import score
    from .mutants import Mutant, sample
except ModuleNotFoundError as error:
    if error.name not in ("libcst", "mutmut"):
        raise
    print(
        f"python -m tests.mutation: {error.name} is not installed; pip install -e '.[mutation]'",
        file=sys.stderr,
    )
    sys.exit(2)

ROOT = Path(__file__).parents[2]
SUITE = Path(__file__).with_name("suite.py")
TESTS = ("tests/core", "tests/details")
CORE = (
    *("core/futures", "core/tasks", "core/loop", "core/handles", "core/combinators"),
    *("details/other_futures", "details/eager", "details/reports", "details/async_generators"),
)
REST = ("core/timeouts", "core/locks", "core/queues", "core/taskgroups")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "--mutants", type=int, default=300, help="of loop, futures, tasks and what they call"
    )
    parser.add_argument("--more", type=int, default=100, help=f"of {', '.join(REST)}")
    parser.add_argument("--seed", type=int, default=2026, help="of the sample")
    parser.add_argument("--budget", type=float, default=30, help="seconds for each mutant")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--again", metavar="WORD", help="forget results that contain this word")
    arguments = parser.parse_args()

    package = ROOT / "miniloop"
    chosen = sample(package, CORE, arguments.mutants, arguments.seed)
    chosen += sample(package, REST, arguments.more, arguments.seed)
    known = measured.load(score.RESULTS)
    if arguments.again:
        known = {key: what for key, what in known.items() if arguments.again not in what}
    results = {m.key: known[m.key] for m in chosen if m.key in known}
    todo = [mutant for mutant in chosen if mutant.key not in results]
    print(f"{len(chosen)} mutants, {len(results)} of them known from the last run")

    with tempfile.TemporaryDirectory() as directory:
        clean = Path(directory) / "clean"
        # As they are now, whatever is edited meanwhile.
        shutil.copytree(package, clean / "miniloop")
        for part in ("tests", "docs/generated"):  # the second holds what some tests read
            shutil.copytree(ROOT / part, clean / part)
        shutil.copy(ROOT / "pyproject.toml", clean)
        control = run(None, clean, arguments.budget)
        print(f"without a change: {control}")
        if not control.startswith("survived"):
            print("Tests fail on miniloop as it is: nothing to measure.")
            return 1
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            jobs = {pool.submit(run, mutant, clean, arguments.budget): mutant for mutant in todo}
            for done, job in enumerate(concurrent.futures.as_completed(jobs), 1):
                mutant = jobs[job]
                results[mutant.key] = job.result()
                print(
                    f"{done}/{len(todo)} {mutant.line:>4} {mutant.key}: {job.result()}", flush=True
                )
                measured.save(score.RESULTS, results)  # at once, to go on from
    measured.save(score.RESULTS, results)
    score.write(chosen, results, arguments)
    print(score.summary(chosen, results))
    return 0


def run(mutant: Mutant | None, clean: Path, budget: float) -> str:
    """What notices a mutant, "killed by ..." or "survived ..."; None is the core as it is."""
    with tempfile.TemporaryDirectory(dir=clean.parent) as directory:
        copy = Path(directory)
        shutil.copytree(clean, copy, dirs_exist_ok=True)
        if mutant is not None:
            (copy / "miniloop" / f"{mutant.module}.py").write_text(mutant.source, "utf-8")
        said = by_programs(copy, budget)
        return by_tests(copy, 10 * budget) or said if said.startswith("survived") else said


def by_programs(copy: Path, budget: float) -> str:
    """What the random programs say of the package in `copy`."""
    try:
        ended = run_in(copy, 10 * budget, str(SUITE), str(copy), str(budget))
    except subprocess.TimeoutExpired:
        return "killed by a program that waits for ever"
    last = ended.stdout.strip().rpartition("\n")[2]
    if ended.returncode or not last:
        return f"killed by a program that never ends or crashes (status {ended.returncode})"
    return last


def by_tests(copy: Path, seconds: float) -> str:
    """What the core's own tests say of it; nothing if they all pass."""
    try:
        ended = run_in(copy, seconds, "-m", "pytest", "-qx", "-p", "no:cacheprovider", *TESTS)
    except subprocess.TimeoutExpired:
        return f"{score.BY_TESTS} one that waits for ever"
    if ended.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", ended.stdout, re.MULTILINE)
    return f"{score.BY_TESTS} {failed[1] if failed else 'one that ends them all'}"


def run_in(copy: Path, seconds: float, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python where the package and the tests of `copy` are found first."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=copy,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
