"""Holds one event loop against another, to the tick, on programs that need not be written by hand.

Reading order: `grammar` (what programs are made of), `programs` (a program as data and as Python),
`linked` (the same, run without compiling it), `surroundings` and `sides` (the loops, and how a
program runs on one), `compare` (do two schedules agree?), `rules` (which rule is broken), `known`
and `register` (where they are known not to), `generate`, `strategies` and `exhaust` (random
programs, the same for hypothesis, all small ones), `shrink`, `foreign` and `worker` (loops that are
not ours), `fuzz` (the hunt), `assertion`, `written`, `jobs` and `plugin` (what people write, in
their tests), `scripts` (what they write, in a process of its own).

Only `strategies` needs hypothesis.
"""

from .assertion import NotComparedFurther, assert_same_schedule
from .compare import Difference, agree, compare
from .programs import Program
from .sides import Side, side
from .surroundings import quiet

__all__ = [
    "Difference",
    "NotComparedFurther",
    "Program",
    "Side",
    "agree",
    "assert_same_schedule",
    "compare",
    "quiet",
    "side",
]
