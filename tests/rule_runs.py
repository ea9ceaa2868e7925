"""Runs the program of every rule, for the pages: what it prints, and what a breach changes.

    python -m tests.rule_runs

prints JSON, by the id of the rule. Each program runs on asyncio, on miniloop, with all causes
recorded, and on the loops of the lab that break the rule. The command fails if asyncio and miniloop
differ, or if a broken loop does not.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from miniloop import lab
from miniloop.difftest import agree, quiet, side
from miniloop.difftest.processes import Forks
from miniloop.difftest.scripts import run_side
from miniloop.lab.rules import Rule, rules
from miniloop.trace import Schedule
from miniloop.trace.document import Document, assemble
from miniloop.trace.svg import hidden, rendered


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


def document(rule: Rule, forks: Forks) -> Document:
    """Return the trace of a rule's program on miniloop."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / f"{rule.id}.py"
        script.write_text(rule.program.lstrip(), encoding="utf-8")
        run = run_side("miniloop", str(script), steps=1_000, forks=forks)
        if run.status:
            sys.exit(f"{rule.id}: {run.said}")
        ended = ("finished", "The program has ended.")
        return assemble(run.watched, script.name, "miniloop", broken_off=ended)


def words(found: Document) -> list[tuple[int, str]]:
    """Return what a trace's picture shows, in words: a tick and a sentence for each step."""
    steps = [step for step in found["steps"] if step["kind"] in ("run", "eager", "back")]
    return [(step["tick"], step["say"]) for step in steps if not hidden(found, step)]


def report(rule: Rule, forks: Forks) -> dict[str, Any]:
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
    found = document(rule, forks)
    return {
        "printed": printed(ours),
        "broken": {name: beside(ours, schedule) for name, schedule in broken.items()},
        "words": words(found),
        "picture": rendered(found),
    }


def main() -> None:
    """Print the reports of all rules."""
    with Forks() as forks:
        print(json.dumps({rule.id: report(rule, forks) for rule in rules().values()}))


if __name__ == "__main__":
    main()
