"""Results of a mutation run: kept between runs, and written as a page of the docs."""

from __future__ import annotations

import tomllib
from argparse import Namespace
from pathlib import Path

from tests import measured

from .mutants import Mutant

RESULTS = measured.GENERATED / "mutation.json"
PAGE = measured.GENERATED / "mutation.rst"
REASONS = Path(__file__).with_name("survivors.toml")
BY_TESTS = "killed by a test:"
"""How a result begins if the random programs did not notice the mutant."""


def reasons() -> dict[str, str]:
    """Why each known survivor survives, by mutant."""
    table = tomllib.loads(REASONS.read_text("utf-8"))
    return {key: entry["reason"] for entry in table.get("survivor", []) for key in entry["mutants"]}


def survivors(chosen: list[Mutant], results: dict[str, str]) -> list[Mutant]:
    return [mutant for mutant in chosen if results[mutant.key].startswith("survived")]


def by_programs(chosen: list[Mutant], results: dict[str, str]) -> list[Mutant]:
    """Those that the random programs noticed."""
    return [one for one in chosen if not results[one.key].startswith(("survived", BY_TESTS))]


def summary(chosen: list[Mutant], results: dict[str, str]) -> str:
    alive = survivors(chosen, results)
    killed = len(chosen) - len(alive)
    text = f"{killed} of {len(chosen)} mutants killed ({killed / len(chosen):.1%}), "
    text += f"{len(by_programs(chosen, results))} of them by random programs"
    unexplained = [mutant for mutant in alive if mutant.key not in reasons()]
    lines = [f"{text}; {len(unexplained)} survivors without a reason in {REASONS.name}"]
    lines += [f"  {mutant.line:>4} {mutant.key}" for mutant in unexplained]
    return "\n".join(lines)


def write(chosen: list[Mutant], results: dict[str, str], arguments: Namespace) -> None:
    """Write the page."""
    rows = []
    modules = list(dict.fromkeys(mutant.module for mutant in chosen))
    for module in [*modules, "all"]:
        ours = [mutant for mutant in chosen if module in (mutant.module, "all")]
        killed = len(ours) - len(survivors(ours, results))
        noticed = len(by_programs(ours, results))
        shares = f"{noticed / len(ours):.1%}", f"{killed / len(ours):.1%}"
        rows.append((module, str(len(ours)), str(noticed), shares[0], str(killed), shares[1]))
    lines = [
        f"{measured.circumstances()}, by ``python -m tests.mutation "
        f"--mutants {arguments.mutants} --more {arguments.more} --seed {arguments.seed} "
        f"--budget {arguments.budget:.0f}``.",
        "",
        *measured.table(
            ("Module", "Mutants", "By random programs", "Share", "With tests", "Share"), rows
        ),
    ]
    why = reasons()
    tests = [(one, results[one.key]) for one in chosen if results[one.key].startswith(BY_TESTS)]
    lines += ["", "Noticed by tests only", "---------------------", ""]
    for mutant, result in sorted(tests, key=lambda pair: (pair[0].module, pair[0].line)):
        test = result.removeprefix(BY_TESTS).strip()
        lines += [f"* ``{mutant.module}.{mutant.function}``, by ``{test}``:", "", *diff(mutant)]
    groups: dict[str, list[Mutant]] = {}
    for mutant in survivors(chosen, results):
        groups.setdefault(why.get(mutant.key, "Not explained yet."), []).append(mutant)
    lines += ["", "Survivors", "---------"]
    for reason, mutants in sorted(groups.items(), key=lambda group: -len(group[1])):
        lines += ["", reason, ""]
        for mutant in sorted(mutants, key=lambda m: (m.module, m.line)):
            lines += [f"* ``{mutant.module}.{mutant.function}``:", "", *diff(mutant)]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", "utf-8")


def diff(mutant: Mutant) -> list[str]:
    """The change, as lines of the page."""
    before, after = f"     -{mutant.before}", f"     +{mutant.after}"
    return ["  .. code-block:: diff", "", before, after, ""]
