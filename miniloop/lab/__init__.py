"""Loops broken on purpose: each breaks one rule of asyncio's scheduling, in a few lines.

The lab has three purposes. It proves that the tester can see: ``tests/lab`` fails if the tester
does not find each of these loops. It diagnoses other loops: if one behaves as a loop of the lab
does, it may break the same rule. And the loops are exercises: read a rule, think of the shortest
program that would show that it is broken, and then let ``find()`` look for one.

>>> from miniloop import lab
>>> print(lab.broken("last-in-first-out").breaks)
The ready queue is first in, first out.

`rules` reads the rules of scheduling, which are data, from `rules.toml`. `broken` defines what a
broken loop is. Each of `tick`, `callbacks`, `tasks`, `combinators`, `waiting`
and `ending` is a topic, in the order of the core. `find` looks for a program that shows the breach,
and `diagnosis` for the loops that explain what a hunt has found.
"""

from . import tick, callbacks, tasks, combinators, waiting, ending  # noqa: I001  # the order of the topics
from .broken import LOOPS, BrokenLoop, broken
from .diagnosis import rules_broken
from .find import Counterexample, find
from .rules import Rule, rules

__all__ = [
    "LOOPS",
    "BrokenLoop",
    "Counterexample",
    "Rule",
    "broken",
    "callbacks",
    "combinators",
    "ending",
    "find",
    "rules",
    "rules_broken",
    "tasks",
    "tick",
    "waiting",
]
