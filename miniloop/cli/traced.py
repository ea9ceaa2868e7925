"""What `explain` and `trace` start in a process of its own: runs a script with all causes recorded.

    python -m miniloop.cli.traced SIDE RECORD TICKS SECONDS REAL STEPS SCRIPT [ARG ...]

SIDE is a loop with ticks, as `miniloop.cli.recorded` takes it, and the other arguments are that
command's; STEPS is the number of steps after which the recording ends.
"""

from __future__ import annotations

import sys
from functools import partial

from miniloop.cli import recorded
from miniloop.trace.tracing import TracingScriptRecorder


def main(
    side: str, record: str, ticks: str, seconds: str, real: str, steps: str, *command_line: str
) -> int:
    """Run the script on a side; what it raises goes on its way up."""
    recorder = partial(TracingScriptRecorder, most_steps=int(steps))
    return recorded.main(side, record, ticks, seconds, real, *command_line, recorder_class=recorder)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
