"""The pytest fixture `same_schedule`, which is `assert_same_schedule()`.

    async def my_protocol(): ...

    def test_same_on_both(same_schedule):
        same_schedule(my_protocol)

This test fails if `my_protocol()` does not have the same schedule on asyncio and on miniloop. To
compare a loop of your own, call `same_schedule(my_protocol, loops=("asyncio", MyLoop))`.

If the lab knows the rule that the second loop breaks, the error names it. A report that pytest
writes with `--junitxml FILE` has it as a property of the test, too, named `rule broken`.

If miniloop is not installed, name the plugin: `pytest -p miniloop.testing.plugin`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from .assertion import SchedulesDiffer, assert_same_schedule


@pytest.fixture
def same_schedule(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Return `assert_same_schedule(program, loops)`: it fails if the schedules differ.

    `program` is an async function or the text of a script. `loops` are two or more loops, by
    default asyncio and miniloop.
    """

    @functools.wraps(assert_same_schedule)
    def same_schedule(*args: Any, **keywords: Any) -> None:
        try:
            assert_same_schedule(*args, **keywords)
        except SchedulesDiffer as error:
            for name in error.rules:
                record_property("rule broken", name)
            raise

    return same_schedule
