"""`python -m miniloop` itself: help, version, and what it says to bad input."""

import importlib
import os
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import miniloop
from miniloop.cli import COMMANDS, main
from tests.cli.both_ways import ROOT, run


def miniloop_main(folder: Path, *args: str) -> tuple[str, str, int]:
    """`python -m miniloop ARGS` in a process of its own."""
    ended = run([sys.executable, "-m", "miniloop", *args], folder)
    return ended.stdout, ended.stderr, ended.status


def test_version(tmp_path: Path) -> None:
    version = f"miniloop {miniloop.__version__} on CPython {platform.python_version()}\n"
    assert miniloop_main(tmp_path, "--version") == (version, "", 0)


def test_help_names_every_command(tmp_path: Path) -> None:
    stdout, stderr, status = miniloop_main(tmp_path, "--help")
    assert (stderr, status) == ("", 0)
    for name in COMMANDS:
        module = importlib.import_module(f"miniloop.cli.{name}")
        assert module.__doc__
        assert f"{name}  " in stdout
        assert module.__doc__.splitlines()[0] in " ".join(stdout.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    stdout, stderr = capsys.readouterr()
    assert stdout.startswith(f"usage: miniloop {name} ")
    assert stderr == ""


@pytest.mark.parametrize(
    "args",
    [
        *("", "walk", "--no-such-option", "run", "run --what", "run --what script.py"),
        *("compare --what script.py", "compare --limit never script.py"),
        *("fuzz --what", "fuzz --examples 1 one-more", "lab --what", "lab one one-more"),
    ],
)
def test_wrong_arguments(args: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = args.split()
    with pytest.raises(SystemExit) as left:
        main(command)
    assert left.value.code == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    name = f"miniloop {command[0]}" if command and command[0] in COMMANDS else "miniloop"
    assert stderr.startswith(f"usage: {name} [-h]")
    assert stderr.splitlines()[-1].startswith(f"{name}: error: ")


def test_nothing_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "compiled.pyc").write_bytes(b"\xa7\r\r\n\0\0\0\0")
    for name, line in {
        "missing.py": "can't open 'missing.py': No such file or directory",
        "folder": "'folder' is a folder; name the script in it",
        "folder/missing.py": "can't open 'folder/missing.py': No such file or directory",
        "compiled.pyc/x.py": "can't open 'compiled.pyc/x.py': Not a directory",
        "book.ipynb": (
            "'book.ipynb' is a notebook: `jupyter nbconvert --to script book.ipynb` makes a script "
            "of it; in the notebook itself, call miniloop.run() instead of asyncio.run()"
        ),
        "compiled.pyc": "'compiled.pyc' is not Python source; name a .py file",
    }.items():
        assert miniloop_main(tmp_path, "run", name) == ("", f"miniloop run: {line}\n", 2)


def test_bad_input_is_a_status_of_main(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(tmp_path)]) == 2  # not `run`: all later loops would be its own
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "args", ["fuzz --loop nothing", "fuzz --against nothing", "fuzz --without nothing"]
)
def test_help_has_every_name_that_an_error_offers(
    args: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = args.split()
    assert main(command) == 2
    offered = capsys.readouterr().err.partition("choose from ")[2].partition(", or give")[0]
    names = offered.strip().split(", ")
    with pytest.raises(SystemExit):
        main([command[0], "--help"])
    shown = set(re.findall(r"[\w-]+", capsys.readouterr().out))
    assert len(names) > 3
    assert [name for name in names if name not in shown] == []


@pytest.mark.parametrize(
    "args",
    ["--help", "lab", "lab last-in-first-out", "fuzz --examples 2", "compare script.py"],
)
def test_whoever_reads_may_leave(args: str, tmp_path: Path) -> None:
    script = "import asyncio\nasync def main(): pass\nasyncio.run(main())\n"
    (tmp_path / "script.py").write_text(script)
    command = [sys.executable, "-m", "miniloop", *args.split()]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 128 + signal.SIGPIPE
