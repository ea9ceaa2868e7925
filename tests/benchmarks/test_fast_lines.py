"""For each line of the core that is marked as fast there is plainer code, and that works."""

import ast
import json
import re
from pathlib import Path

import pytest

from tests.benchmarks.fast_lines import UNDONE, Copy, Measured, Undone, marked, plainer, write
from tests.reading_order import PACKAGE


def test_every_marked_line_has_plainer_code() -> None:
    lines = [(file, number) for file, number, _, _ in marked()]
    assert [(one.file, one.number) for one in UNDONE] == lines
    assert len(lines) > 20


def test_no_mark_says_how_much_its_line_saves() -> None:
    # The page shows what was measured beside it.
    said = [saves for _, _, _, saves in marked()]
    assert not [saves for saves in said if re.search(r"\d|\b(half|twice|times|percent)\b|%", saves)]
    assert not [saves for saves in said if "above" in saves]  # nothing is above it in the table


@pytest.mark.parametrize("one", UNDONE, ids=lambda one: f"{one.file}-{one.number}")
def test_the_plainer_code_takes_the_place_of_the_line(one: Undone) -> None:
    text = (PACKAGE / "core" / f"{one.file}.py").read_text(encoding="utf-8")
    changed = plainer(one, text)
    assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text))


def test_a_line_that_has_changed_is_refused() -> None:
    with pytest.raises(ValueError, match="loop, line 0: not exactly once there"):
        plainer(UNDONE[0], "")


def test_what_is_written_names_each_line(tmp_path: Path) -> None:
    found = {f"{one.file} {one.number}": Measured(1.25, 0.01) for one in UNDONE}
    write(tmp_path / "lines.json", found, "today, here")
    written = json.loads((tmp_path / "lines.json").read_text(encoding="utf-8"))
    assert written["circumstances"] == "today, here"
    assert [line["code"] for line in written["lines"]] == [code for _, _, code, _ in marked()]
    assert written["lines"][0]["ratio"] == 1.25


@pytest.mark.long
@pytest.mark.parametrize("one", UNDONE, ids=lambda one: f"{one.file}-{one.number}")
def test_the_plainer_code_works(one: Undone, tmp_path: Path) -> None:
    copy = Copy(one, tmp_path / "copy")
    try:
        assert copy.seconds(one.work, 200) >= 0
        assert copy.seconds("create_task", 20) >= 0
    finally:
        copy.close()
