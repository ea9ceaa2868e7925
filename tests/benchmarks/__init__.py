"""How fast miniloop is, as ratios to asyncio with C tasks. ``python -m tests.benchmarks``.

A time from one machine says nothing about another, and on a busy machine not even about itself.
So no time is reported here, only ratios, and they are made fair like this:

* All contenders take turns: A B C A B C, round after round, in one family of processes. A worker
  process per contender is started before and kept until the end; it is sent one job at a time
  and the others wait meanwhile. A ratio is taken within a round; reported are the median of the
  rounds and, next to it, the least and the greatest.
* Contenders with asyncio's API run the very same program text (``asyncio_programs.py``): the
  module comes in as an argument, the loop from its factory. The others have programs of their
  own (``trio_programs.py``, ...) that do the same work in their words. Work that a contender has
  no equivalent of is left out, shown as "-".
* Before each job there is a full garbage collection; during it the collector is on, as in real
  programs. One round before the first, with small sizes, is thrown away.
* Every program returns what it has computed, and a wrong result is an error, not a time.
* The clock is the processor time of the process, which neighbours on the machine disturb least.
  Where time passes in other threads, on purpose (executor), it is the wall clock.
* Memory (resident set size) and import time are measured in a fresh process for each round.

Where to look: ``work.py`` is the list of work, with sizes and what is asked of miniloop;
``contenders.py`` who competes; ``rounds.py`` the taking of turns; ``report.py`` the tables;
``scale.py`` the million tasks, timers and ticks.
"""
