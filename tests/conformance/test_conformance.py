"""CPython's asyncio tests on miniloop, in this interpreter; for how, see __init__.py."""

import dataclasses

import pytest

from tests import measured
from tests.conformance import report
from tests.conformance.register import files_of, public_ids, read_register
from tests.conformance.score import FLOORS, score_file, this_python

PYTHON = this_python()
pytestmark = pytest.mark.skipif(bool(PYTHON.why_not), reason=PYTHON.why_not or "runs")


def judge(problems: list[str]) -> None:
    if problems and not PYTHON.measured:
        pytest.skip(
            f"the register was not made on Python {PYTHON.version}:\n" + "\n".join(problems)
        )
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize(
    "file",
    [
        *files_of(PYTHON.version, "core"),
        *(pytest.param(file, marks=pytest.mark.long) for file in files_of(PYTHON.version, "io")),
    ],
)
def test_every_outcome_is_as_the_register_has_it(file: str) -> None:
    judge(score_file(PYTHON, file, read_register()).problems)


@pytest.mark.long
@pytest.mark.parametrize("file", ["test_sock_lowlevel", "test_streams"])
def test_what_the_core_serves_interop_serves_too(file: str) -> None:
    everything_on_interop = dataclasses.replace(read_register(), io_on_core=())
    only = [i for i in public_ids(PYTHON.version, "io")[1] if i.startswith(file + ".")]
    judge(score_file(PYTHON, file, everything_on_interop, only=only).problems)


@pytest.mark.parametrize("kind", FLOORS)
def test_the_published_score_is_not_below_its_floor(kind: str) -> None:
    """The tests above hold the outcomes to the register, with which the page was made."""
    published = measured.load(report.JSON)
    for version, floor in FLOORS[kind].items():
        files = published[version]["parts"][kind]["files"]
        assert sum(file["public"][0] for file in files.values()) >= floor, version
