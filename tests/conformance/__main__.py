"""python -m tests.conformance: the score of miniloop on CPython's own tests."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .register import Register, read_register
from .report import PAGE, misses_text, score_text, write_docs
from .score import ROOT, CannotRun, Python, Setup, files_for, python_at, score_file


def main() -> int:
    arguments = parse()
    try:
        python = python_at(shutil.which(arguments.python) or arguments.python)
    except (OSError, subprocess.CalledProcessError):
        return refuse(f"{arguments.python} is no Python 3 that can be run")
    if python.why_not:
        return refuse(python.why_not)
    only = arguments.only and [p for name in arguments.only for p in (name, f"{name}.*")]
    if not files_for(python, only):
        return refuse(nothing_matches(python, arguments))
    if arguments.write_docs and (only or arguments.reference or arguments.loop):
        return refuse("--write-docs is for a whole run on miniloop's own loop")
    if arguments.reference:
        with tempfile.TemporaryDirectory() as folder:
            not_run = tuple(entry for entry in read_register().excluded if not entry.run)
            setup = reference_setup(python, folder)
            return run(python, only, setup, Register(not_run), arguments)
    setup = Setup(loop=arguments.loop, interop_loop=arguments.loop or Setup.interop_loop)
    return run(python, only, setup, read_register(), arguments)


def run(
    python: Python,
    only: list[str] | None,
    setup: Setup,
    register: Register,
    arguments: argparse.Namespace,
) -> int:
    scores = []
    for file in files_for(python, only):
        show(f"{file} ...")
        try:
            scores.append(score_file(python, file, register, setup, only))
        except CannotRun as error:
            show("")
            return refuse(str(error))
    show("")
    if not any(score.outcomes for score in scores):
        return refuse(nothing_matches(python, arguments))
    print(score_text(python, scores, register))
    for title, wanted, public in (
        ("public behaviour that misses", True, True),
        ("tests with private names that do not pass", arguments.private, False),
    ):
        text = misses_text(python, scores, register, public) if wanted else ""
        if text:
            print(f"\n{title}:\n{text}")
    problems = [problem for score in scores for problem in score.problems]
    if problems:
        print(f"\n{len(problems)} not as the register has it:")
    for score in scores:
        for problem in score.problems:
            print(f"  {problem}")
            outcome = score.outcomes.get(problem.partition(":")[0])
            if arguments.verbose and outcome is not None and outcome.detail:
                print("      " + outcome.detail.rstrip().replace("\n", "\n      "))
    if arguments.write_docs:
        write_docs(python, scores, register)
        print(f"\nwritten: {PAGE.relative_to(ROOT)}")
    return 1 if problems else 0


def reference_setup(python: Python, folder: str) -> Setup:
    """CPython's own asyncio under another name: it tests the machinery, not miniloop."""
    find = [python.executable, "-c", "import asyncio; print(asyncio.__path__[0])"]
    found = subprocess.run(find, capture_output=True, text=True, check=True)
    shutil.copytree(found.stdout.strip(), Path(folder, "reference_asyncio"))
    return Setup(package="reference_asyncio", interop_loop=None, path=folder)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    add = parser.add_argument
    add("--python", metavar="EXE", default=sys.executable, help="run the tests of this interpreter")
    add("--only", metavar="ID", action="append", help="a file, a class or a test; may be repeated")
    add("--private", action="store_true", help="list the misses of the second score too")
    add("--loop", metavar="MODULE:CLASS", help="test this loop in place of miniloop.EventLoop")
    add("--reference", action="store_true", help="test CPython's own asyncio, copied under a name")
    add("--write-docs", action="store_true", help="write docs/generated/conformance.{json,rst}")
    add("-v", "--verbose", action="store_true", help="show the tracebacks of unexplained failures")
    return parser.parse_args()


def show(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{progress:40}\r", end="", file=sys.stderr, flush=True)


def nothing_matches(python: Python, arguments: argparse.Namespace) -> str:
    return f"no test of Python {python.version} matches {', '.join(arguments.only)}"


def refuse(message: str) -> int:
    print(f"tests.conformance: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
