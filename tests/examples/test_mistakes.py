"""Each program in examples/mistakes prints the same on asyncio and on miniloop: what it should."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.examples.virtual_run import Ran, run_all
from tests.reading_order import ROOT

PROGRAMS = sorted((ROOT / "examples" / "mistakes").glob("*.py"))
MISTAKES = [path for path in PROGRAMS if not path.stem.endswith("_mended")]
RIGHT = tomllib.loads(Path(__file__).with_name("mistakes.toml").read_text(encoding="utf-8"))
PAGES = "".join(path.read_text("utf-8") for path in sorted(ROOT.glob("docs/mistakes/*.rst")))


@pytest.fixture(scope="module", params=["asyncio", "miniloop"])
def ran(request: pytest.FixtureRequest) -> dict[str, Ran]:
    return run_all(request.param, PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_what_it_prints(ran: dict[str, Ran], program: Path) -> None:
    right = RIGHT[program.stem]
    found = ran[str(program.relative_to(ROOT))]
    assert found["prints"] == right["prints"]
    assert found["waits"] is right.get("waits", False)
    for words in right.get("says", []):
        assert words in found["text"]
    if "says" not in right:  # then it is quiet on stderr
        assert found["text"].splitlines() == right["prints"]


def test_there_are_twenty_and_each_is_mended() -> None:
    assert len(MISTAKES) == 20
    assert set(RIGHT) == {path.stem for path in PROGRAMS}
    for path in MISTAKES:
        mended = RIGHT[f"{path.stem}_mended"]
        assert {"says", "waits"}.isdisjoint(mended)
        assert mended["prints"] != RIGHT[path.stem]["prints"] or "says" in RIGHT[path.stem]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_it_says_what_it_is_about(program: Path) -> None:
    claim = ast.get_docstring(ast.parse(program.read_text(encoding="utf-8"))) or ""
    assert claim.startswith("Mended: " if program.stem.endswith("_mended") else "Mistake: ")
    assert claim.endswith(".")


def test_each_stands_on_a_page_once() -> None:
    shown = re.findall(r"^\.\. example:: mistakes/(\w+)$", PAGES, re.MULTILINE)
    assert sorted(shown) == [path.stem for path in PROGRAMS]


def test_the_player_shows_at_most_five() -> None:
    shown = re.findall(r"^\.\. example-player:: examples/mistakes/(\w+)\.py$", PAGES, re.MULTILINE)
    assert 1 <= len(shown) <= 5
    assert set(shown) <= {path.stem for path in PROGRAMS}
