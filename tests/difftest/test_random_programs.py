"""Random programs over all features: miniloop must run each as asyncio does.

The budget is fixed and the same on each run. `MINILOOP_PROGRAMS` sets another number of programs.
Most of them are marked `long`.
"""

import os
import sys

import pytest
from hypothesis import HealthCheck, given, settings

from miniloop.difftest import quiet
from miniloop.difftest.fuzz import hunt
from miniloop.difftest.strategies import programs
from miniloop.testing import assert_same_schedule

PROGRAMS = int(os.environ.get("MINILOOP_PROGRAMS", "20000"))
PIECES = 20

EAGER = pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio has no eager tasks")


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(piece, marks=[pytest.mark.long] if piece >= 3 else [])
        for piece in range(PIECES)
    ],
)
def test_random_programs(piece):
    count = max(1, PROGRAMS // PIECES)
    result = hunt("asyncio", "miniloop", seed=2026, start=piece * count, count=count)
    assert not result.findings, "\n\n".join(map(str, result.findings.values()))
    assert result.programs == count


@EAGER
@pytest.mark.parametrize("piece", [0, pytest.param(1, marks=pytest.mark.long)])
def test_all_tasks_eager(piece):
    count = max(1, PROGRAMS // PIECES)
    result = hunt("asyncio-eager", "miniloop-eager", seed=3, start=piece * count, count=count)
    assert not result.findings, "\n\n".join(map(str, result.findings.values()))


@pytest.mark.long
def test_asyncios_python_tasks():
    count = max(1, 2 * PROGRAMS // PIECES)
    result = hunt("asyncio-python", "miniloop", seed=4, count=count)
    assert not result.findings, "\n\n".join(map(str, result.findings.values()))


def test_programs_from_hypothesis():
    @settings(
        max_examples=max(10, PROGRAMS // 400),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(programs())
    def runs_alike(program):
        assert_same_schedule(program)

    with quiet():
        runs_alike()
