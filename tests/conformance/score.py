"""Runs CPython's test files in child processes and holds the outcomes against the register."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .register import Register, files_of, matches, public_ids

ROOT = Path(__file__).parents[2]
INTEROP_LOOP = "miniloop.interop:EventLoop"
# What must at least pass of the public ids, by the versions that the lists were made on.
FLOORS = {
    "core": {
        "3.11.7": 514,
        "3.12.1": 550,
        "3.13.0": 597,
        "3.13.18": 670,
        "3.14.10": 714,
        "3.15.2": 754,
    },
    "io": {
        "3.11.7": 484,
        "3.12.1": 512,
        "3.13.0": 530,
        "3.13.18": 585,
        "3.14.10": 528,
        "3.15.2": 540,
    },
}


@dataclass(frozen=True)
class Python:
    """An interpreter, and whether it has its tests."""

    executable: str
    version: str
    has_tests: bool

    @property
    def measured(self) -> bool:
        """Whether the lists and the register were made on this very version."""
        return public_ids(self.version)[0] == self.version

    @property
    def why_not(self) -> str:
        """Why nothing can be run here; empty if it can."""
        if not self.has_tests:
            return f"Python {self.version} ships without its tests (test.test_asyncio)"
        if not public_ids(self.version)[0]:
            return f"there is no list of test ids for Python {self.version}"
        return ""


@dataclass(frozen=True)
class Setup:
    """What is tested: a package, and a loop class ("module:Class") if not the package's own."""

    package: str = "miniloop"
    loop: str | None = None
    interop_loop: str | None = INTEROP_LOOP
    path: str = ""  # where the package is, if not in this repository
    limit: float = 30


@dataclass(frozen=True)
class Outcome:
    result: str  # pass, fail or skip; "start" while it runs
    detail: str = ""
    ticks: int = 0  # of miniloop's interop loop, where the test had asyncio itself around it
    steps: int = 0  # of miniloop's tasks, likewise


@dataclass
class FileScore:
    """One test file on one Python."""

    file: str
    kind: str  # core or io
    public: frozenset[str]
    outcomes: dict[str, Outcome]
    problems: list[str]

    def passed(self, ids: Iterable[str] | None = None) -> set[str]:
        wanted = self.outcomes if ids is None else ids
        return {i for i in wanted if i in self.outcomes and self.outcomes[i].result == "pass"}

    @property
    def counted(self) -> set[str]:
        """The tests of the second score: all but those that the tests themselves skip."""
        return {i for i, outcome in self.outcomes.items() if outcome.result != "skip"}

    @property
    def missed(self) -> set[str]:
        return set(self.public) - self.passed()


class CannotRun(Exception):
    """A test file could not even be started."""


@functools.cache
def python_at(executable: str) -> Python:
    code = (
        "import sys, importlib.util as u; "
        "print('%d.%d.%d' % sys.version_info[:3], u.find_spec('test.test_asyncio') is not None)"
    )
    found = subprocess.run([executable, "-c", code], capture_output=True, text=True, check=True)
    version, has_tests = found.stdout.split()
    return Python(executable, version, has_tests == "True")


def run_file(
    python: Python, file: str, register: Register, setup: Setup, only: list[str] | None = None
) -> dict[str, Outcome]:
    """Run one test file: what belongs inside the stand-in, and what belongs inside asyncio."""
    if file not in files_of(python.version, "io"):
        everything = Register(interop=register.interop, io_on_core=("*",))
        return run_part(python, file, register, setup, only, "stand-in", everything)
    outcomes = {}
    if any(pattern.partition(".")[0] == file for pattern in register.io_on_core):
        outcomes = run_part(python, file, register, setup, only, "stand-in", register)
    return outcomes | run_part(python, file, register, setup, only, "asyncio", register)


def run_part(
    python: Python,
    file: str,
    register: Register,
    setup: Setup,
    only: list[str] | None,
    inside: str,
    where: Register,
) -> dict[str, Outcome]:
    """Run tests of one file; a child that dies in mid-test is followed by one for the rest."""
    with tempfile.TemporaryDirectory() as work:
        results = Path(work, "results.jsonl")
        results.touch()
        order = {
            "module": file,
            "only": only,
            "inside": inside,
            "stand_in": where.io_on_core,
            "but_not": where.io_on_core_but,
            "package": setup.package,
            "loop": setup.loop,
            "interop": register.interop,
            "interop_loop": setup.interop_loop,
            "limit": setup.limit,
            "results": str(results),
        }
        while True:
            known = collect(results)
            order["skip"] = [*register.not_run(python.version), *known]
            status, said = run_child(python, order, work, setup.path)
            outcomes = collect(results)
            if status == 0:
                return outcomes
            if len(outcomes) == len(known):
                error = CannotRun(f"{file} cannot be run: {said.rstrip().splitlines()[-1]}")
                error.add_note(said)
                raise error
            died = [name for name, outcome in outcomes.items() if outcome.result == "start"]
            with results.open("a", encoding="utf-8") as more:
                for name in died:
                    detail = f"{said[-3000:]}\nthe process ended in mid-test"
                    line = {"id": name, "outcome": "fail", "detail": detail, "ticks": 0, "steps": 0}
                    more.write(json.dumps(line) + "\n")


def run_child(python: Python, order: dict[str, Any], work: str, path: str) -> tuple[int, str]:
    """Return the child's exit status, and what it has written to stderr.

    The processes that its tests have started and left end with it: it has a process group of its
    own. They would hold a pipe open, so what it writes goes to a file.
    """
    with Path(work, "stderr").open("w+", encoding="utf-8", errors="replace") as stderr:
        child = subprocess.Popen(
            [python.executable, "-m", "tests.conformance.child", json.dumps(order)],
            cwd=work,  # the tests write files where they stand
            env=child_environment(path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            status = child.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        stderr.seek(0)
        return status, stderr.read()


def collect(results: Path) -> dict[str, Outcome]:
    """One outcome per test: the worst that was said of it."""
    order = ("start", "pass", "skip", "fail")
    outcomes: dict[str, Outcome] = {}
    for line in map(json.loads, results.read_text(encoding="utf-8").splitlines()):
        said = Outcome(line["outcome"], line["detail"], line["ticks"], line["steps"])
        before = outcomes.setdefault(line["id"], said)
        if order.index(said.result) > order.index(before.result):
            outcomes[line["id"]] = said
    return outcomes


def child_environment(path: str) -> dict[str, str]:
    """The child finds this repository and what is tested; no setting of the caller's gets in."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), path]))
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return env


def score_file(
    python: Python,
    file: str,
    register: Register,
    setup: Setup = Setup(),
    only: list[str] | None = None,
) -> FileScore:
    """Run one test file and judge it."""
    outcomes = run_file(python, file, register, setup, only)
    kind = "io" if file in files_of(python.version, "io") else "core"
    public = frozenset(i for i in public_ids(python.version, kind)[1] if i.startswith(file + "."))
    if only is not None:
        public = frozenset(i for i in public if matches(i, only))
    problems = judge(python.version, file, outcomes, public, register, partial=only is not None)
    if kind == "io" and setup.interop_loop is not None:
        problems += judge_reach(outcomes, public, register)
    return FileScore(file, kind, public, outcomes, problems)


def judge(
    version: str,
    file: str,
    outcomes: dict[str, Outcome],
    public: frozenset[str],
    register: Register,
    partial: bool = False,
) -> list[str]:
    """What is wrong with these outcomes, one line each."""
    problems = []
    for name, outcome in sorted(outcomes.items()):
        entry = register.entry(name, version)
        if outcome.result == "fail" and entry is None:
            problems.append(f"{name}: {last_line(outcome)}")
        elif outcome.result == "pass" and entry is not None:
            problems.append(f"{name}: passes, but the register excludes it: {entry.reason}")
    for name in sorted(public):
        skipped = name in outcomes and outcomes[name].result == "skip"
        if (name not in outcomes or skipped) and register.entry(name, version) is None:
            why = outcomes[name].detail if skipped else "not among the tests of this Python"
            problems.append(f"{name}: listed as public, but did not run: {why}")
    if not partial:
        for entry in register.excluded:
            for pattern in entry.tests if entry.run and entry.applies_to(version) else ():
                of_this_file = pattern.partition(".")[0] == file
                if of_this_file and not any(matches(name, [pattern]) for name in outcomes):
                    problems.append(f"{pattern}: the register excludes it; there is no such test")
    return problems


def judge_reach(
    outcomes: dict[str, Outcome], public: frozenset[str], register: Register
) -> list[str]:
    """Tests that pass beside miniloop without the register saying so, and the other way round."""
    problems = []
    for name in sorted(public):
        outcome = outcomes.get(name)
        if outcome is None or outcome.result != "pass" or register.runs_on_core(name):
            continue
        listed = matches(name, register.io_without_loop)
        if outcome.ticks == 0 and not listed:
            problems.append(f"{name}: passes, but no loop of miniloop has run in it")
        elif outcome.ticks and listed:
            problems.append(f"{name}: runs a loop of miniloop, but the register says it runs none")
    return problems


def last_line(outcome: Outcome) -> str:
    """The line of a traceback that says what was wrong."""
    lines = [line for line in outcome.detail.splitlines() if line and not line.startswith(" ")]
    return f"{outcome.result}: {lines[-1] if lines else 'no word of why'}"


def files_for(python: Python, only: list[str] | None) -> list[str]:
    files = [*files_of(python.version), *files_of(python.version, "io")]
    if only is None:
        return files
    return [file for file in files if any(pattern.partition(".")[0] == file for pattern in only)]


def this_python() -> Python:
    return python_at(sys.executable)
