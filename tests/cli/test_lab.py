"""`python -m miniloop lab`: the list of the broken loops, and a counterexample by name."""

import sys
from pathlib import Path

import pytest

from miniloop import lab
from miniloop.cli import main
from tests.cli.both_ways import run


def test_every_loop_is_listed_with_its_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab"]) == 0
    listed = capsys.readouterr().out
    assert f"{len(lab.LOOPS)} loops. " in listed
    for name, loop in lab.LOOPS.items():
        assert f"  {name} " in listed
        assert loop.breaks in listed


def test_a_counterexample(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "miniloop", "lab", "last-in-first-out"]
    ended = run(command, tmp_path, COLUMNS="80")
    assert (ended.stderr, ended.status) == ("", 0)
    rule = lab.LOOPS["last-in-first-out"].breaks
    assert ended.stdout.startswith(f"last-in-first-out breaks the rule: {rule}\n")
    assert '    class LastInFirstOut(BrokenLoop, rule="first-in-first-out"):\n' in ended.stdout
    assert "    loop = asyncio.new_event_loop()\n" in ended.stdout
    assert "\n=> " in ended.stdout
    assert ended.stdout.endswith("\nreproduce: python -m miniloop lab last-in-first-out\n")


def test_no_such_loop(tmp_path: Path) -> None:
    ended = run([sys.executable, "-m", "miniloop", "lab", "no-such"], tmp_path)
    assert (ended.stdout, ended.status) == ("", 2)
    assert ended.stderr.startswith("miniloop lab: no broken loop named 'no-such'")
    assert ended.stderr.count("\n") == 1
