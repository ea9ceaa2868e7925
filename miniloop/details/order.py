"""The order of timer handles, for programs that compare them. The loop's heap compares floats.

CPython's counterparts are the same methods of ``TimerHandle`` in ``asyncio/events.py``.
"""

from __future__ import annotations

import operator
from typing import Any

Timer = Any  # means TimerHandle, but mypy accepts no subclass as the type of `self`


class DeadlineOrder:
    """Comparison by deadline. Two handles are equal if they make the same call at the same time."""

    __slots__ = ()

    def __hash__(self: Timer) -> int:
        return hash(self._when)

    def __eq__(self: Timer, other: object) -> bool:
        if isinstance(other, DeadlineOrder):
            return _call(self) == _call(other)
        return NotImplemented

    def __lt__(self: Timer, other: object) -> bool:
        return _compared(self, other, operator.lt)

    def __gt__(self: Timer, other: object) -> bool:
        return _compared(self, other, operator.gt)

    def __le__(self: Timer, other: object) -> bool:
        return _compared(self, other, operator.lt, or_equal=True)

    def __ge__(self: Timer, other: object) -> bool:
        return _compared(self, other, operator.gt, or_equal=True)


def _compared(timer: Timer, other: Timer, compare: Any, or_equal: bool = False) -> bool:
    """Compare two deadlines; ``or_equal`` adds handles that are equal, not only equally due."""
    if not hasattr(other, "_when"):
        return NotImplemented  # type: ignore[no-any-return]
    return compare(timer._when, other._when) or (or_equal and timer == other)


def _call(timer: Any) -> tuple[Any, ...]:
    return timer._when, timer._callback, timer._args, timer._cancelled
