"""The fixtures of this folder are those of `tests/fixtures.py`."""

from tests.fixtures import aio, leaves_no_trace, loop, no_gc, pair, reports, run

__all__ = ["aio", "leaves_no_trace", "loop", "no_gc", "pair", "reports", "run"]
