"""Run a script on many loops of the lab. `compare` starts this in a process of its own.

    python -m miniloop.cli.in_the_lab FOLDER NAMES TICKS SECONDS SCRIPT [ARG ...]

NAMES are sides, with commas between them (see `miniloop.cli.recorded`). The process imports what it
needs once, and forks a child for each side: starting a process for each takes five times as long.

FOLDER has a file `stdin`. The files of a side are named by its place in NAMES: its record, what it
wrote to stdout and to stderr, and last its exit status.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import time
from pathlib import Path

from miniloop.cli import recorded
from miniloop.lab import LOOPS

AT_ONCE = os.cpu_count() or 1
"""How many children run at the same time."""
GLANCE = 0.005
"""Seconds between two looks at the children."""


def main(folder: str, names: str, ticks: str, seconds: str, *command_line: str) -> int:
    """Run the script on each side. In a child, return what the script has returned."""
    assert LOOPS  # imported for the children
    gc.collect()
    gc.freeze()  # no child has to look through what all of them share
    running: dict[int, tuple[Path, float]] = {}
    for number, name in enumerate(names.split(",")):
        place = Path(folder, str(number))
        if (pid := os.fork()) == 0:
            atexit.register(os._exit, 0)  # the last handler: taking everything apart takes time
            os.dup2(os.open(f"{folder}/stdin", os.O_RDONLY), 0)  # each begins to read in front
            for descriptor, ending in ((1, ".stdout"), (2, ".stderr")):
                os.dup2(os.open(f"{place}{ending}", os.O_WRONLY | os.O_CREAT), descriptor)
            return recorded.main(name, f"{place}.record", ticks, seconds, "virtual", *command_line)
        running[pid] = place, time.monotonic() + float(seconds) + 1
        wait(running, AT_ONCE - 1)
    wait(running, 0)
    return 0


def wait(running: dict[int, tuple[Path, float]], most: int) -> None:
    """Wait until at most so many children run. End those whose time is up."""
    while len(running) > most:
        for pid, (place, deadline) in list(running.items()):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                place.with_suffix(".status").write_text(str(os.waitstatus_to_exitcode(status)))
                del running[pid]
        time.sleep(GLANCE)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
