"""The pytest fixture `relies_on_nothing`, which is `assert_relies_on_nothing()`.

    async def my_protocol(): ...

    def test_needs_no_luck(relies_on_nothing):
        relies_on_nothing(my_protocol)

This test fails if what `my_protocol()` prints, returns or raises depends on a rule of scheduling
that asyncio does not promise. `relies_on_nothing(my_protocol, without=["set-order"])` allows one.

If miniloop is not installed, name the plugin: `pytest -p miniloop.explore.plugin`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .here import assert_relies_on_nothing


@pytest.fixture
def relies_on_nothing() -> Callable[..., None]:
    """Return `assert_relies_on_nothing(program, ...)`: it fails if luck decides the outcome.

    `program` is an async function or the text of a script. `without` names rules to keep.
    """
    return assert_relies_on_nothing
