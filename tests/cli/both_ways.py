"""Runs a script in child processes: by `python SCRIPT`, and by `python -m miniloop run SCRIPT`."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Ended:
    """How a process ended, and what it said."""

    stdout: str
    stderr: str
    status: int


def run(command: Sequence[str], folder: Path, **environ: str) -> Ended:
    """Run a command in `folder`, with this miniloop to be found; it may take a minute."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"} | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Ended(done.stdout, done.stderr, done.returncode)


def on_miniloop(folder: Path, *args: str, options: Sequence[str] = (), **environ: str) -> Ended:
    """Run `python -m miniloop run ARGS`, `options` being the interpreter's own."""
    return run([sys.executable, *options, "-m", "miniloop", "run", *args], folder, **environ)


def on_python(folder: Path, *args: str, options: Sequence[str] = (), **environ: str) -> Ended:
    """Run `python ARGS`, with asyncio."""
    return run([sys.executable, *options, *args], folder, **environ)


# One entry of a traceback, behind the margin that a group of exceptions draws: the line that names
# file and line, then the source, deeper than it.
ENTRY = re.compile(r'^([ |]*)  File "(?P<file>[^"]+)", line .*\n(?:\1    .*\n)*', re.MULTILINE)


def without_library_frames(text: str, folder: Path) -> str:
    """Leave out of the tracebacks in `text` what ran outside `folder`: the event loop itself."""
    return ENTRY.sub(lambda entry: entry[0] if str(folder) in entry["file"] else "", text)
