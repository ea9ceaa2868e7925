"""The programs of the how-to pages, in examples/how_to, do what the pages say.

tests/ecosystem runs those that want libraries.
"""

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import miniloop.cli
from tests.examples.virtual_run import run_all
from tests.reading_order import ROOT

FOLDER = ROOT / "examples" / "how_to"
WANT_LIBRARIES = {"aiohttp_server.py", "dask_executor.py", "fastapi_app.py"}


def module_of(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_are_tried_here_or_in_the_ecosystem() -> None:
    tried = {"two_locks.py", "executors.py", "ci.yml"}
    tried |= {"test_same_schedule.py", "test_virtual_time.py"}
    there = {path.name for path in FOLDER.iterdir() if path.is_file()} - {"ruff.toml"}
    assert there == tried | WANT_LIBRARIES


def test_the_same_schedule(same_schedule: Callable[..., None]) -> None:
    module_of(FOLDER / "test_same_schedule.py").test_it_runs_alike(same_schedule)


@pytest.mark.parametrize("base", ["asyncio.SelectorEventLoop", "miniloop.EventLoop"])
def test_virtual_time(base: str, tmp_path: Path) -> None:
    source = (FOLDER / "test_virtual_time.py").read_text(encoding="utf-8")
    if base == "miniloop.EventLoop":
        source = source.replace("import asyncio", "import miniloop as asyncio")
    source = source.replace("asyncio.SelectorEventLoop", base)
    source = source.replace("import selectors", "import miniloop, selectors")
    path = tmp_path / "virtual_time.py"
    path.write_text(source, encoding="utf-8")
    module: Any = module_of(path)
    module.test_the_pause_doubles()


def test_the_locks_are_a_deadlock() -> None:
    path = FOLDER / "two_locks.py"
    for loop in ("asyncio", "miniloop"):
        (ran,) = run_all(loop, [path]).values()
        assert ran["waits"]
        assert ran["prints"] == ["Ann has one", "Bob has one"]


def test_executors() -> None:
    command = [sys.executable, "-m", "miniloop", "run", str(FOLDER / "executors.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("the text of a.txt\nprimes: [25, 168]\n", "")


def test_the_commands_of_the_workflow() -> None:
    workflow = (FOLDER / "ci.yml").read_text(encoding="utf-8")
    commands = re.findall(r"- run: python -m (.*?)(?:  #.*)?$", workflow, re.MULTILINE)
    ours = [command for command in commands if command.startswith("miniloop ")]
    assert [shlex.split(command)[1] for command in ours] == ["compare", "fuzz"]
    for command in ours:
        miniloop.cli._arguments(shlex.split(command)[1:])  # or it ends the process
    assert {command.split()[0] for command in commands} == {"pip", "pytest", "miniloop"}
