"""Records what an event loop did, from outside, the same way on any loop that takes a selector.

Reading order: `schedule` (what is recorded), `clock` (the selector that counts ticks and moves a
virtual clock), `recorder` (the loop subclass, the task factory and the log that write it down),
`threads` and `scripts` (the same for a whole process, with its threads and all loops it makes).
Save `scripts`, nothing here knows which loop it looks at: it uses the `selector` argument, an
overridden `time()`, the task factory and the exception handler, which asyncio's and miniloop's
loops both have.
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
