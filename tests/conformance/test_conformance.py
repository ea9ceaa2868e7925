"""CPython's core asyncio tests on miniloop, in this interpreter; for how, see __init__.py."""

import functools

import pytest

from tests.conformance.register import core_files, read_register
from tests.conformance.score import FLOORS, FileScore, score_file, this_python

PYTHON = this_python()
pytestmark = pytest.mark.skipif(bool(PYTHON.why_not), reason=PYTHON.why_not or "runs")


@functools.cache
def score(file: str) -> FileScore:
    return score_file(PYTHON, file, read_register())


@pytest.mark.parametrize("file", core_files(PYTHON.minor))
def test_every_outcome_is_as_the_register_has_it(file: str) -> None:
    problems = "\n".join(score(file).problems)
    if problems and not PYTHON.measured:
        pytest.skip(f"the register was not made on Python {PYTHON.version}:\n{problems}")
    assert not problems, f"\n{problems}"


@pytest.mark.skipif(not PYTHON.measured, reason="the floor was set on another patch version")
def test_public_score_is_not_below_its_floor() -> None:
    scores = [score(file) for file in core_files(PYTHON.minor)]
    assert sum(len(s.passed(s.public)) for s in scores) >= FLOORS[PYTHON.minor]
