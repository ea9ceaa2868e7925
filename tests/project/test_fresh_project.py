"""From an empty folder to the name of the broken rule, with the two commands of the page."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reading_order import ROOT

PAGE = (ROOT / "docs" / "how-to" / "own-loop.rst").read_text("utf-8")


def test_the_page_names_both_commands() -> None:
    assert (
        "two commands lead from nothing to the name of the rule: ``pip install miniloop``" in PAGE
    )
    assert hunt() == ["fuzz", "--loop", "lifo:Lifo", "--examples", "100"]


def hunt() -> list[str]:
    """The command of the page that hunts."""
    found = re.search(r"^\.\. command-output:: (fuzz .*)$", PAGE, re.MULTILINE)
    assert found
    return shlex.split(found[1])


@pytest.mark.long
def test_two_commands_lead_to_the_rule(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("the paths of a virtual environment are others there")
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / ".venv")], check=True)
    shutil.copy(ROOT / "docs" / "lifo.py", tmp_path / "lifo.py")
    away = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / ".venv" / "bin" / command[0]
        return subprocess.run(
            [str(path), *command[1:]],
            cwd=tmp_path,
            env=away,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )

    installed = run("pip", "install", "--disable-pip-version-check", str(ROOT))
    assert installed.returncode == 0, installed.stdout
    hunted = run("miniloop", *hunt())
    assert hunted.returncode == 1, hunted.stdout
    assert "\n1. batch-in-reverse: What is ready when a tick begins runs in " in hunted.stdout
    assert "No loop of the lab explains" not in hunted.stdout
    lines = [*installed.stdout.splitlines(), *hunted.stdout.splitlines()]
    assert len(lines) <= 60, "\n".join(lines)
