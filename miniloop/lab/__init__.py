"""Loops broken on purpose: each breaks one rule of asyncio's scheduling, in a few lines.

They are here for two reasons. A tester that finds nothing may be blind, so the tester has to find
every one of these (``tests/lab``). And they are exercises: read the rule, think of the shortest
program that would show the difference, then have it found.

>>> from miniloop import lab
>>> print(lab.broken("last-in-first-out").breaks)
The ready queue is first in, first out.

`broken` says what a broken loop is. Each of `tick`, `callbacks`, `tasks`, `combinators` and
`waiting` is a topic, in the order of the core. `find` looks for a program that gives one away.
"""

from . import tick, callbacks, tasks, combinators, waiting  # noqa: I001  # the order of the topics
from .broken import LOOPS, BrokenLoop, broken
from .find import Counterexample, find

__all__ = [
    "LOOPS",
    "BrokenLoop",
    "Counterexample",
    "broken",
    "callbacks",
    "combinators",
    "find",
    "tasks",
    "tick",
    "waiting",
]
