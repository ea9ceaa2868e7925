"""What measured pages of the docs have in common: results kept in a file, and where they are from.

Results are JSON, so that a run may add to those of another, and go on after an interruption.
"""

import json
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GENERATED = ROOT / "docs" / "generated"


def load(path: Path) -> dict[str, Any]:
    """The results so far, by name."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def save(path: Path, results: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", "utf-8")


def circumstances() -> str:
    """When and where: for the line below which a page shows what was measured."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.python_implementation()} "
        f"{platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"commit {commit or 'unknown'}"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]], widths: str = "") -> list[str]:
    """A list-table of reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1"]
    if widths:
        lines.append(f"   :widths: {widths}")
    lines.append("")
    for row in (head, *rows):
        lines += [
            f"   {' ' if number else '*'} - {text}".rstrip() for number, text in enumerate(row)
        ]
    return lines
