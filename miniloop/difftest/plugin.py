"""The pytest fixture `same_schedule`, which is `assert_same_schedule()`.

    async def my_protocol(): ...

    def test_same_on_both(same_schedule):
        same_schedule(my_protocol)

This test fails if `my_protocol()` does not have the same schedule on asyncio and on miniloop. To
compare a loop of your own, call `same_schedule(my_protocol, loops=("asyncio", MyLoop))`.

If miniloop is not installed, name the plugin: `pytest -p miniloop.difftest.plugin`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .assertion import assert_same_schedule


@pytest.fixture
def same_schedule() -> Callable[..., None]:
    """Return `assert_same_schedule(program, loops)`: it fails if the schedules differ.

    `program` is an async function or the text of a script. `loops` are two or more loops, by
    default asyncio and miniloop.
    """
    return assert_same_schedule
