"""`python -m miniloop lab`: the list, a counterexample by name, puzzles, a loop that was mended."""

import sys
from pathlib import Path

import pytest

from miniloop import lab
from miniloop.cli import main
from miniloop.lab.puzzles import number_of
from tests.cli.both_ways import ROOT, run


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


def test_how_many_puzzles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "--puzzle"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{len(lab.LOOPS)} puzzles. ")
    assert said.count("\n") == 1


def test_a_puzzle_gives_nothing_away(capsys: pytest.CaptureFixture[str]) -> None:
    number = number_of("same-tick")
    assert main(["lab", "--puzzle", str(number)]) == 0
    said = capsys.readouterr().out
    assert "\n=> " in said
    assert f" puzzle {number}" in said
    assert "Which rule of scheduling does this loop break?" in said
    for name, loop in lab.LOOPS.items():
        assert name not in said
        assert loop.__name__ not in said
        assert loop.breaks not in said


def test_the_answer_of_a_puzzle(capsys: pytest.CaptureFixture[str]) -> None:
    number = number_of("same-tick")
    assert main(["lab", "--puzzle", str(number), "--answer"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Puzzle {number} is same-tick.\n")
    assert lab.LOOPS["same-tick"].breaks in said
    assert "class SameTick(BrokenLoop" in said
    assert "\n=> " in said


def test_a_loop_that_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import miniloop\nclass EventLoop(miniloop.EventLoop):\n    pass\n")
    assert main(["lab", "--check", str(file), "--programs", "20"]) == 0
    assert capsys.readouterr().out == f"{file} agrees with asyncio on 20 random programs.\n"


def test_a_loop_that_is_not_whole(capsys: pytest.CaptureFixture[str]) -> None:
    file = ROOT / "examples" / "exercises" / "mend" / "tick.py"
    assert main(["lab", "--check", str(file), "--programs", "20"]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"{file} does not agree with asyncio. Program ")
    assert "    loop = asyncio.new_event_loop()\n" in said
    assert "\n=> " in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--puzzle", "0"], "there is no puzzle 0: choose from 1 to "),
        (["--puzzle", "9999"], "there is no puzzle 9999: choose from 1 to "),
        (["--answer"], "--answer goes with --puzzle N"),
        (["--puzzle", "--answer"], "--answer goes with --puzzle N"),
        (["--programs", "5"], "--programs goes with --check FILE"),
        (["--check", "no.py", "--programs", "0"], "--programs 0: give a number of at least 1"),
        (["--check", "no.py"], "there is no file 'no.py'"),
        (["--check", "empty.py"], "empty.py defines none of miniloop's names"),
        (["--check", "broken.py"], "broken.py cannot be imported: SyntaxError: "),
        (
            ["--check", "no-loop.py"],
            "no-loop.py: EventLoop is not a subclass of miniloop.EventLoop",
        ),
        (["--check", "no-run.py"], "the loop cannot be made: ZeroDivisionError: "),
        (["--check", "notes.txt"], "notes.txt is no Python file: its name should end in .py"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = {
        "empty.py": "from miniloop import Lock\n",
        "broken.py": "class EventLoop(:\n",
        "no-loop.py": "class EventLoop:\n    pass\n",
        "no-run.py": "import miniloop\nclass EventLoop(miniloop.EventLoop):\n"
        "    def __init__(self, selector=None):\n        self._closed = True\n        1 / 0\n",
        "notes.txt": "EventLoop\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    assert main(["lab", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("miniloop lab: ")
    assert says in captured.err
    assert captured.err.count("\n") == 1


def test_a_puzzle_that_this_python_cannot_show(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab.broken("same-tick"), "since", (99, 0))
    number = number_of("same-tick")
    assert main(["lab", "--puzzle", str(number)]) == 2
    said = capsys.readouterr().err
    assert said == (
        f"miniloop lab: puzzle {number} needs Python 99.0 or newer: choose another number\n"
    )
