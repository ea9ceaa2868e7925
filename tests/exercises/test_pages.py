"""The pages of the exercises: enough of them, puzzles that are quick, rungs that agree."""

import re
from pathlib import Path

import pytest

from miniloop import lab
from miniloop.lab.puzzles import number_of, puzzle, puzzles
from tests.exercises.test_mend import NAMES
from tests.exercises.test_questions import LEVELS
from tests.ladder.rungs import RUNGS, Held, own_rung
from tests.reading_order import ROOT

PAGES = ROOT / "docs" / "exercises"
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


@pytest.mark.parametrize("name", posed())
def test_a_posed_puzzle_is_found_soon(name: str) -> None:
    assert puzzle(number_of(name)).name == name
    found = lab.find(name, budget=400)
    assert found is not None
    assert found.program.line_count() <= 12


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
