"""Runs the program of every rule, for the pages: what it prints, and what a breach changes.

    python -m tests.rule_runs

prints JSON, by the id of the rule. Each program runs on asyncio, on miniloop, with all causes
recorded, and on the loops of the lab that break the rule. The command fails if asyncio and miniloop
differ, or if a broken loop does not.
"""

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from miniloop import lab
from miniloop.cli import traced
from miniloop.difftest import agree, quiet, side
from miniloop.difftest.scripts import Run, _read
from miniloop.lab.rules import Rule, rules
from miniloop.trace import Schedule
from miniloop.trace.document import Document, assemble
from miniloop.trace.svg import hidden, rendered

TICKS, SECONDS, STEPS = 1_000, 60, 1_000  # limits that no program comes near


def printed(schedule: Schedule) -> list[str]:
    """Return what a program prints, each line with its tick."""
    rows = [(tick, what) for tick, _, who, what in schedule.rows if who in ("print", "main")]
    return [f"tick {tick:>2}  {what}" for tick, what in rows]


def beside(theirs: Schedule, broken: Schedule) -> tuple[list[str], list[str]]:
    """Return two runs as lines: what is printed, or all that happens if that is the same."""
    left, right = printed(theirs), printed(broken)
    if left != right:
        return left, right
    return theirs.lines(), broken.lines()


def document(rule: Rule) -> Document:
    """Return the trace of a rule's program on miniloop.

    It runs in a copy of this process, because it replaces parts of the library.
    """
    with tempfile.TemporaryDirectory() as folder:
        script, record, errors = (
            Path(folder) / name for name in (f"{rule.id}.py", "record", "errors")
        )
        script.write_text(rule.program.lstrip(), encoding="utf-8")
        arguments = ["miniloop", str(record), str(TICKS), str(SECONDS), "virtual", str(STEPS)]
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            failed = 1
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                failed = traced.main(*arguments, str(script))
            except BaseException:
                errors.write_text(traceback.format_exc())
            finally:
                os._exit(failed)
        if os.waitpid(child, 0)[1] != 0:
            sys.exit(f"{rule.id}: {errors.read_text()}")
        run = Run("miniloop")
        _read(run, record, str(script))
        ended = ("finished", "The program has ended.")
        return assemble(run.watched, script.name, "miniloop", broken_off=ended)


def words(found: Document) -> list[tuple[int, str]]:
    """Return what a trace's picture shows, in words: a tick and a sentence for each step."""
    steps = [step for step in found["steps"] if step["kind"] in ("run", "eager", "back")]
    return [(step["tick"], step["say"]) for step in steps if not hidden(found, step)]


def report(rule: Rule) -> dict[str, Any]:
    """Return all about one rule. Raises SystemExit if it is not kept, or not broken."""
    with quiet():
        ours = rule.run(side("miniloop-unwatched"))
        if sys.version_info >= rule.since:
            theirs = rule.run(side("asyncio-unwatched"))
            if not agree(theirs, ours):
                sys.exit(f"{rule.id}: asyncio and miniloop differ")
        broken = {
            loop.name: rule.run(loop.side()) for loop in lab.LOOPS.values() if loop.rule == rule
        }
    for name, schedule in broken.items():
        if agree(ours, schedule):
            sys.exit(f"{rule.id}: {name} does not differ")
    found = document(rule)
    return {
        "printed": printed(ours),
        "broken": {name: beside(ours, schedule) for name, schedule in broken.items()},
        "words": words(found),
        "picture": rendered(found),
    }


def main() -> None:
    """Print the reports of all rules."""
    print(json.dumps({rule.id: report(rule) for rule in rules().values()}))


if __name__ == "__main__":
    main()
