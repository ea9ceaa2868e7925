"""What holds for all tests."""

import gc

import pytest


@pytest.fixture(autouse=True, scope="module")
def collections_look_at_what_is_new() -> None:
    """Hide from the garbage collector what was there before: hundreds of tests collect all."""
    gc.collect()
    gc.freeze()
