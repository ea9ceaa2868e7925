"""Compare one event loop with another, to the tick, on random programs and on your own.

Read the files in this order:

    grammar                   what programs are made of
    programs                  a program as data, and as Python
    linked                    a program that runs without being compiled
    surroundings, sides       the loops, and how a program runs on one of them
    compare                   do two schedules agree?
    known, register           known differences of this Python's asyncio
    generate                  random programs
    strategies                random programs for hypothesis, which no other file needs
    exhaust                   all small programs
    shrink                    the smallest program that shows a difference
    loops, foreign, worker    other people's loops
    real_time                 how a loop is compared that takes no selector
    fuzz                      a hunt through random programs
    scripts, processes        a script in a process of its own, started quickly if it runs often
    written                   a script or a function that a test compares, in a fork of the test
"""

from .compare import Difference, agree, compare
from .programs import Program
from .sides import Side, side
from .surroundings import quiet

__all__ = [
    "Difference",
    "Program",
    "Side",
    "agree",
    "compare",
    "quiet",
    "side",
]
