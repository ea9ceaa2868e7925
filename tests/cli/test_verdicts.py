"""A few of the scripts of `python -m tests.verdicts`, twice each: the right verdict both times."""

import pytest

from tests.verdicts.verdict import right_verdicts, verdict

FEW = ("end_deadlock", "pool_kept", "threads_race", "threads_workers")


@pytest.mark.parametrize("name", FEW)
def test_the_right_verdict_each_time(name: str) -> None:
    script = f"tests/verdicts/scripts/{name}.py"
    assert [verdict(script), verdict(script)] == [right_verdicts()[script]] * 2
