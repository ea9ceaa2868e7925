"""What asyncio leaves undefined: a recorded run decides it, each time in the same way.

Two runs of one program could not be compared otherwise. `miniloop.explore` decides in other ways:
it puts functions of its own in the place of these. So callers look them up in this module each
time.
"""

from __future__ import annotations

from typing import TypeVar

_T = TypeVar("_T")


def hash_of(number: int) -> int:
    """Return the hash of the future or task with that number. It decides the order of sets."""
    return number


def in_set_order(items: list[_T]) -> list[_T]:
    """Return what stands in a set in the order in which the set is iterated."""
    return items


def start_order(coroutines: list[_T]) -> list[_T]:
    """Return the coroutines given to `as_completed()` in the order in which they start."""
    return coroutines


def next_thread(count: int) -> int:
    """Return which of `count` threads that could go on does, counted in the order of starting."""
    return 0


def thread_comes_between() -> bool:
    """Return whether a thread gets its turn although the loop has something to run."""
    return False
