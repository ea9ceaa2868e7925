"""Results of a mutation run: kept between runs, and written as a page of the docs."""

from __future__ import annotations

import json
import platform
import subprocess
import tomllib
from argparse import Namespace
from datetime import date
from pathlib import Path

from .mutants import Mutant

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "generated" / "mutation.json"
PAGE = ROOT / "docs" / "generated" / "mutation.rst"
REASONS = Path(__file__).with_name("survivors.toml")


def load() -> dict[str, str]:
    """The results of the last run, by mutant."""
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}


def save(results: dict[str, str]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", "utf-8")


def reasons() -> dict[str, str]:
    """Why each known survivor survives, by mutant."""
    table = tomllib.loads(REASONS.read_text("utf-8"))
    return {key: entry["reason"] for entry in table.get("survivor", []) for key in entry["mutants"]}


def survivors(chosen: list[Mutant], results: dict[str, str]) -> list[Mutant]:
    return [mutant for mutant in chosen if results[mutant.key].startswith("survived")]


def summary(chosen: list[Mutant], results: dict[str, str]) -> str:
    alive = survivors(chosen, results)
    killed = len(chosen) - len(alive)
    text = f"{killed} of {len(chosen)} mutants killed ({killed / len(chosen):.1%})"
    unexplained = [mutant for mutant in alive if mutant.key not in reasons()]
    lines = [f"{text}; {len(unexplained)} survivors without a reason in {REASONS.name}"]
    lines += [f"  {mutant.line:>4} {mutant.key}" for mutant in unexplained]
    return "\n".join(lines)


def write(root: Path, chosen: list[Mutant], results: dict[str, str], arguments: Namespace) -> None:
    """Write the page."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
    ).stdout.strip()
    lines = [
        f"Made on {date.today()} at commit {commit or 'unknown'}, on Python "
        f"{platform.python_version()}, by ``python -m tests.mutation "
        f"--mutants {arguments.mutants} --more {arguments.more} --seed {arguments.seed} "
        f"--budget {arguments.budget:.0f}``.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - Module",
        "     - Mutants",
        "     - Killed",
        "     - Share",
    ]
    modules = list(dict.fromkeys(mutant.module for mutant in chosen))
    for module in [*modules, "all"]:
        ours = [mutant for mutant in chosen if module in (mutant.module, "all")]
        killed = len(ours) - len(survivors(ours, results))
        lines += [
            f"   * - {module}",
            f"     - {len(ours)}",
            f"     - {killed}",
            f"     - {killed / len(ours):.1%}",
        ]
    why = reasons()
    groups: dict[str, list[Mutant]] = {}
    for mutant in survivors(chosen, results):
        groups.setdefault(why.get(mutant.key, "Not explained yet."), []).append(mutant)
    lines += ["", "Survivors", "---------"]
    for reason, mutants in sorted(groups.items(), key=lambda group: -len(group[1])):
        lines += ["", reason, ""]
        for mutant in sorted(mutants, key=lambda m: (m.module, m.line)):
            lines += [
                f"* ``{mutant.module}.{mutant.function}``:",
                "",
                "  .. code-block:: diff",
                "",
                f"     -{mutant.before}",
                f"     +{mutant.after}",
                "",
            ]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", "utf-8")
