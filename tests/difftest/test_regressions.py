"""Programs that once differed, or that asyncio itself once got wrong, one per file."""

import warnings
from pathlib import Path

import pytest

from miniloop.difftest import quiet, side
from miniloop.difftest.known import WATCHES, needed
from miniloop.difftest.programs import FILE_NAME
from miniloop.testing import assert_same_schedule

PROGRAMS = sorted(Path(__file__).with_name("regressions").glob("*.py"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_runs_alike(path):
    with warnings.catch_warnings(record=True, action="always") as caught:
        assert_same_schedule(path.read_text("utf-8"))
    # On some Pythons some meet a known difference, up to which they are compared.
    known = [watch for watch in WATCHES if needed(watch)]
    for warning in caught:
        if "was never awaited" in str(warning.message):
            continue  # as the program has it
        assert any(f"({watch})" in str(warning.message) for watch in known)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_shows_something(path):
    with quiet():
        schedule = side("asyncio").run(compile(path.read_text("utf-8"), FILE_NAME, "exec"))
    assert any(event.who == "print" for event in schedule.events) or schedule.cut
    assert not any("AttributeError" in event.what for event in schedule.events)
