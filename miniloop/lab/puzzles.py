"""Puzzles: the broken loops under numbers, which give away neither their names nor their rules."""

from __future__ import annotations

import hashlib
import sys

from .broken import LOOPS, BrokenLoop


def puzzles() -> list[type[BrokenLoop]]:
    """Return all broken loops in an order that tells nothing about them. Puzzle 1 is the first."""
    return sorted(LOOPS.values(), key=lambda loop: hashlib.sha256(loop.name.encode()).digest())


def puzzle(number: int) -> type[BrokenLoop]:
    """Return the broken loop of a puzzle.

    Raises ValueError if there is no puzzle of that number, or if this Python's asyncio breaks the
    same rule, so that nothing can be found.
    """
    found = puzzles()
    if not 1 <= number <= len(found):
        raise ValueError(f"there is no puzzle {number}: choose from 1 to {len(found)}")
    loop = found[number - 1]
    if sys.version_info < loop.since:
        version = ".".join(map(str, loop.since))
        raise ValueError(f"puzzle {number} needs Python {version} or newer: choose another number")
    return loop


def number_of(name: str) -> int:
    """Return the number of the puzzle that a broken loop is. Raises ValueError for no such name."""
    return [loop.name for loop in puzzles()].index(name) + 1
