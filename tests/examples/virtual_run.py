"""Runs programs on virtual time, a process for each, and says what they wrote.

    python -m tests.examples.virtual_run LOOP FILE ...

prints a JSON object that has, for each file, all that the program wrote to stdout and stderr, the
lines that it printed, and whether it was left waiting for ever. LOOP is a name as `compare --loop`
takes it. The processes are forks of one that has imported everything, because forty new ones would
take long. Time is virtual so that what happens first is the same on a busy machine.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

from miniloop.cli import recorded
from miniloop.trace.scripts import ScriptRecorder
from tests.reading_order import ROOT

TICKS, SECONDS = 10_000, 60
WIDTH = 86
"""So many letters fit into the column of a page."""


class Ran(TypedDict):
    """What came of one program."""

    text: str
    prints: list[str]
    waits: bool


class Recorder(ScriptRecorder):
    """Lets what the program prints be seen, too."""

    def note(self, who: str, what: str) -> None:
        if who == "print":
            os.write(1, f"{what}\n".encode())
        super().note(who, what)


def run_all(loop: str, paths: Iterable[Path]) -> dict[str, Ran]:
    """Run programs of this project; the keys are their paths from its root."""
    names = [str(path.relative_to(ROOT)) for path in paths]
    command = [sys.executable, "-m", __name__, loop, *names]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    ran: dict[str, Ran] = json.loads(done.stdout)
    return ran


def run(loop: str, path: str) -> Ran:
    """Run a program in a fork of this process."""
    with tempfile.TemporaryDirectory() as folder:
        said, record = Path(folder, "said"), Path(folder, "record")
        child = os.fork()
        if not child:
            _be_child(loop, path, said, record)
        os.waitpid(child, 0)
        events: list[Any] = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
        return {
            "text": said.read_text("utf-8"),
            "prints": [event[4] for event in events if event[0] == "e" and event[3] == "print"],
            "waits": any(event[:2] == ["stop", "deadlock"] for event in events),
        }


def _be_child(loop: str, path: str, said: Path, record: Path) -> None:
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    where: dict[str, Any] = {"record": str(record), "ticks": TICKS, "seconds": SECONDS}
    try:
        recorded.main(loop, path, **where, recorder_class=Recorder)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # what stands above belongs to the parent


def shown(text: str) -> list[str]:
    """Return what a program wrote as a page shows it: without the machine, and not too wide."""
    text = re.sub(rf"{re.escape(str(ROOT))}/(?:\w+/)*", "", text)
    text = re.sub(r"(?m)^(Traceback .*\n)(?:\s.*\n)+", r"\1  ...\n", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x...", text)
    return [
        line if len(line) <= WIDTH else f"{line[: WIDTH - 4]} ..." for line in text.splitlines()
    ]


if __name__ == "__main__":
    loop, *paths = sys.argv[1:]
    json.dump({path: run(loop, path) for path in paths}, sys.stdout)
