"""The alarm clock of a process (`signal.alarm`, `signal.setitimer`) on virtual time.

A program may ask for a SIGALRM in some seconds, and then wait in a blocking call. Where the clock
jumps over that wait, the signal has to come in the middle of the jump.
"""

from __future__ import annotations

import math
import signal

from .clock import VirtualClock

RESCUE = 3.0
"""Seconds after which the signal comes really, for a program that computes until it does."""


class Alarm:
    """The timer ITIMER_REAL."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._when: float | None = None
        self._interval = 0.0

    def install(self) -> None:
        """Put this alarm in the place of the system's."""
        if hasattr(signal, "setitimer"):
            self._set, self._get = signal.setitimer, signal.getitimer
            signal.setitimer = self._setitimer
            signal.getitimer = self._getitimer
            signal.alarm = self._alarm

    def pending(self) -> float | None:
        """Return when the signal comes, in virtual seconds, or None if no signal is asked for."""
        if self._when is not None and self._get(signal.ITIMER_REAL)[0] == 0:
            self._when = None  # it has come really
        return self._when

    def ring(self) -> None:
        """Let time pass until the signal comes, and call its handler."""
        assert self._when is not None
        self._clock.move(self._when)
        self._start(self._interval)
        signal.raise_signal(signal.SIGALRM)

    def _start(self, seconds: float) -> None:
        self._when = self._clock.now + seconds if seconds else None
        self._set(signal.ITIMER_REAL, seconds + RESCUE if seconds > 0 else seconds)

    def _setitimer(
        self, which: int, seconds: float, interval: float = 0.0, /
    ) -> tuple[float, float]:
        if which != signal.ITIMER_REAL:
            return self._set(which, seconds, interval)
        before = self._getitimer(which)
        self._start(seconds)
        self._interval = interval
        return before

    def _getitimer(self, which: int, /) -> tuple[float, float]:
        if which != signal.ITIMER_REAL:
            return self._get(which)
        when = self.pending()
        return (0.0, 0.0) if when is None else (max(when - self._clock.now, 1e-6), self._interval)

    def _alarm(self, seconds: int, /) -> int:
        return math.ceil(self._setitimer(signal.ITIMER_REAL, seconds)[0])
