"""Programs that need an interpreter of their own: for signals, forks, and settings of Python."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from types import ModuleType

ROOT = Path(__file__).parents[1]

# Whoever runs the tests in the background of a shell has SIGINT ignored, and so have we.
START = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import {library} as aio
"""


@dataclass
class Ended:
    """How a program ended."""

    stdout: str
    stderr: str
    status: int


def run_program(aio: ModuleType, source: str, *options: str, **environ: str) -> Ended:
    """Run a program that calls the library `aio`, for a minute at most."""
    program = START.format(library=aio.__name__) + dedent(source)
    done = subprocess.run(
        [sys.executable, *options, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.stdout, done.stderr, done.returncode)


INTERRUPTED = -signal.SIGINT  # how Python ends when KeyboardInterrupt reaches its top
