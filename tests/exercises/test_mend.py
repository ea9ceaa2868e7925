"""Each broken file of the exercises differs from asyncio, and the tester passes its answer."""

from pathlib import Path

import pytest

from miniloop.cli.lab import PROGRAMS
from miniloop.difftest import Difference, side
from miniloop.lab.find import search
from miniloop.lab.mended import mended
from tests.reading_order import ROOT

FOLDER = ROOT / "examples" / "exercises"
NAMES = sorted(path.stem for path in (FOLDER / "mend").glob("*.py"))
PAGE = ROOT / "docs" / "exercises" / "mend.rst"


def found(path: Path, budget: int) -> Difference | None:
    """Return what `miniloop lab --check` shows."""
    result = search(mended(path), budget=budget, whole=side("miniloop"))
    return None if result is None else result[0]


def test_each_is_on_the_page_and_has_an_answer() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(NAMES) >= 6
    for name in NAMES:
        assert f".. mend:: {name}\n" in page
        assert (FOLDER / "mended" / f"{name}.py").exists()
        assert (FOLDER / "mend" / f"{name}.py").read_text(encoding="utf-8").count("\n") <= 50


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.long
def test_what_is_broken_is_told_apart(name: str) -> None:
    assert found(FOLDER / "mend" / f"{name}.py", PROGRAMS) is not None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.long
def test_the_answer_agrees(name: str) -> None:
    difference = found(FOLDER / "mended" / f"{name}.py", PROGRAMS)
    assert difference is None, str(difference)
