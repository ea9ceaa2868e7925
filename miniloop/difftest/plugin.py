"""For pytest: the fixture `same_schedule`, which is `assert_same_schedule`.

    async def test_my_protocol(): ...

becomes, in a test file,

    def test_same_on_both(same_schedule):
        same_schedule(my_protocol)

and `same_schedule(my_protocol, loops=("asyncio", MyLoop))` compares a loop of your own.

Without an installed entry point, name the plugin: `pytest -p miniloop.difftest.plugin`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .assertion import assert_same_schedule


@pytest.fixture
def same_schedule() -> Callable[..., None]:
    """Return `assert_same_schedule`, which takes a program and, if you like, the loops."""
    return assert_same_schedule
