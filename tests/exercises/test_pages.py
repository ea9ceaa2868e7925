"""The pages of the exercises: enough of them, puzzles that are quick, rungs that agree."""

import re
from pathlib import Path

import pytest

from miniloop import lab
from miniloop.cli import main as miniloop
from miniloop.lab.puzzles import number_of, puzzle, puzzles
from tests.exercises.test_mend import NAMES
from tests.exercises.test_questions import LEVELS
from tests.lab.test_lab import QUICK
from tests.ladder.__main__ import main as ladder
from tests.ladder.rungs import RUNGS, Held, own_rung
from tests.reading_order import ROOT

PAGES = ROOT / "docs" / "exercises"
MENDED = ROOT / "examples" / "exercises" / "mended"
ANSWERS = ROOT / "examples" / "exercises" / "rung"


def posed() -> list[str]:
    """Return the broken loops that the page poses as puzzles."""
    return re.findall(
        r"^\.\. puzzle:: (\S+)$", (PAGES / "find.rst").read_text("utf-8"), re.MULTILINE
    )


def test_there_are_at_least_24() -> None:
    rungs = re.findall(r"^\d\. ", (PAGES / "rung.rst").read_text(encoding="utf-8"), re.MULTILINE)
    counts = [len(LEVELS["predict"]), len(posed()), len(NAMES), len(rungs)]
    assert min(counts) >= 4
    assert sum(counts) >= 24


def test_every_loop_of_the_lab_is_a_puzzle() -> None:
    assert {loop.name for loop in puzzles()} == set(lab.LOOPS)
    assert [number_of(loop.name) for loop in puzzles()] == list(range(1, len(lab.LOOPS) + 1))
    assert [loop.name for loop in puzzles()] != list(lab.LOOPS)


def test_the_posed_puzzles_are_found_soon() -> None:
    assert set(posed()) <= QUICK  # tests/lab finds each of these with at most twelve lines
    assert [puzzle(number_of(name)).name for name in posed()] == posed()


@pytest.mark.parametrize(("name", "feature"), [("event", "events"), ("lock", "locks")])
def test_the_answer_to_a_rung_agrees(name: str, feature: str, tmp_path: Path) -> None:
    six = RUNGS[5]
    library = six.path.read_text(encoding="utf-8").partition("\nif __name__ ")[0]
    answer = (ANSWERS / f"{name}.py").read_text(encoding="utf-8").partition("\n")[2]
    path = tmp_path / f"with_{name}.py"
    path.write_text(library + answer, encoding="utf-8")
    mine = own_rung(path, six, [feature])
    programs = [mine.program(number) for number in range(150)]
    used = frozenset().union(*(program.features() for program in programs))
    assert feature in used
    assert list(Held(mine).differing(150)) == []


COMMANDS = [
    pytest.param(command, id=f"{page.stem}: {command}")
    for page in sorted(PAGES.glob("*.rst"))
    for command in dict.fromkeys(
        re.findall(r"^ +\$ python3 -m (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    )
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works_as_the_page_writes_it(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module, *arguments = command.split()
    like = RUNGS[int(arguments[0]) - 1].path if module == "tests.ladder" else MENDED / "sleep.py"
    arguments = [str(like) if one == "FILE" else one for one in arguments]
    if module == "tests.ladder":
        with pytest.raises(SystemExit) as ended:
            ladder([*arguments, "--programs", "5"])
        assert ended.value.code in (0, 1)
    else:
        assert module == "miniloop"
        assert miniloop([*arguments, "--programs", "5"]) == 0
    assert f"{like} agrees with asyncio on " in capsys.readouterr().out


def test_all_other_blocks_are_made_from_what_is_tested() -> None:
    # literalinclude takes code that tests run; the directives take questions, puzzles and mends.
    pages = [*PAGES.glob("*.rst"), *(ROOT / "docs" / "tour").glob("*.rst")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^ *\.\. code-block:: (\w+)\n\n +(.*)", text, re.MULTILINE)
        for language, first in blocks:
            assert language == "console", page
            assert first.startswith("$ python3 -m "), page
        for path in re.findall(r"\.\. literalinclude:: (\S+)", text):
            assert path.startswith(("/../miniloop/", "/../tests/walk.py", "/../examples/")), page
