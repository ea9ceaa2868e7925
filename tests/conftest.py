"""What holds for all tests."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def collections_look_at_what_is_new() -> Iterator[None]:
    """Hide from the garbage collector what was there before: hundreds of tests collect all."""
    gc.collect()
    gc.freeze()
    yield
