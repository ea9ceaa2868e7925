"""A Python that is too old for miniloop gets one line, and no traceback."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.both_ways import ROOT, Ended, run

LINE = "miniloop needs Python 3.11 or newer, and this is {}\n"


def old_pythons() -> dict[str, str]:
    """Those that this machine has, by their versions."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += Path.home().glob(".pyenv/versions/*/bin")
    found = {}
    for folder in folders:
        for python in [*folder.glob("python3"), *folder.glob("python3.[0-9]*")]:
            if re.fullmatch(r"python3(\.\d+)?", python.name):
                asks = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
                asked = subprocess.run(asks, capture_output=True, encoding="utf-8", timeout=60)
                version = asked.stdout.strip()
                if version and tuple(map(int, version.split("."))) < (3, 11):
                    found[version] = str(python)
    return found


@pytest.mark.parametrize("args", [["-m", "miniloop", "run", "x.py"], ["-c", "import miniloop"]])
def test_old_pythons(args: list[str], tmp_path: Path) -> None:
    old = old_pythons()
    if not old:
        pytest.skip("no Python older than 3.11 here")
    for version, python in old.items():
        ended = run([python, *args], tmp_path, PYTHONDONTWRITEBYTECODE="1")
        assert ended == Ended("", LINE.format(version), 2)


def test_a_python_that_says_it_is_old(tmp_path: Path) -> None:
    code = "import sys; sys.version_info = (3, 10, 13, 'final', 0); import miniloop"
    assert run([sys.executable, "-c", code], tmp_path) == Ended("", LINE.format("3.10"), 2)


def test_an_old_python_can_read_the_file_that_says_it() -> None:
    text = (ROOT / "miniloop" / "__init__.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 7))
    assert text.index("_sys.exit(2)") < text.index("\nfrom .")
