"""Loops broken on purpose: each is miniloop with one rule of scheduling broken, in a few lines.

For exercises ("which rule does this loop break?"), and to show that the tester can fail: it must find
every one of them and say so in a program of a few lines.

Reading order: `fault` (what a broken loop is), then the faults by what they break: `loops`, `tasks`,
`waiting` and `locks`.
"""

from . import locks, loops, tasks, waiting
from .fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "locks", "loops", "tasks", "waiting"]
