"""Records what an event loop did, from outside, the same way on any loop that takes a selector.

There are two recordings. The *schedule* says what happened; the tester compares it. The *trace*
says what happened and why; `explain`, `trace` and the player show it.

Reading order: `schedule` (what is recorded), `clock` (the selector that counts ticks and moves a
virtual clock), `recorder` (the loop subclass, the task factory and the log that write it down),
`threads` and `scripts` (the same for a whole process, with its threads and all loops it makes).
`undefined` has what asyncio leaves open, and a run decides in one way.
Save `scripts`, nothing here knows which loop it looks at: it uses the `selector` argument, an
overridden `time()`, the task factory and the exception handler, which asyncio's and miniloop's
loops both have.

The trace stands beside it: `watch` (a queue that tells what goes in and out, and notes facts while
the program runs), `causes` and `places` (what an entry is, and which line of the program is behind
it), `tracing` (a recorder of each kind that watches as well), `account` (makes steps, entries and
causes of the facts after the run), `words` (plain English), `document` (the JSON, and how it is
replayed), `machine` (the loop's own lines), and a file for each form in which a person sees it:
`explain`, `mermaid`, `perfetto`, `svg`, `player`.
"""

from .clock import CountingSelector, Stuck, VirtualClock
from .recorder import Recorder, on_virtual_time
from .schedule import Event, Schedule

__all__ = [
    "CountingSelector",
    "Event",
    "Recorder",
    "Schedule",
    "Stuck",
    "VirtualClock",
    "on_virtual_time",
]
