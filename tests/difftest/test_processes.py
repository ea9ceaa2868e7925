"""A script in a process of its own ends in the same way in a fork and in an interpreter."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from miniloop.difftest.processes import CAN_FORK, Forks
from miniloop.difftest.scripts import run_side, run_sides

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="this system has no fork")

SCRIPT = """
import asyncio, os, signal, subprocess, sys
async def main():
    await asyncio.sleep(1)
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("left behind", file=sys.stderr, end=f" {left.pid}")
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as server:
        yield server


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("sys.exit(300)", 300 & 0xFF),
        ("sys.exit('no')", 1),
        ("raise KeyboardInterrupt", -2),
        ("os._exit(5)", 5),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    ],
)
def test_a_fork_ends_as_an_interpreter_does(
    end: str, status: int, forks: Forks, tmp_path: Path
) -> None:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT + end + "\n")
    run = run_side("miniloop", str(path), forks=forks)
    assert run.status == status
    assert run.complete == (status not in (5, -9))
    if not end:
        assert run.said.startswith("left behind ")
        until = time.monotonic() + 30  # sleeping processes end soon, but not at once
        while is_at_work(int(run.said.split()[-1])):
            assert time.monotonic() < until
            time.sleep(0.01)
        usual = run_side("miniloop", str(path))
        assert (usual.status, usual.complete) == (run.status, run.complete)
        assert usual.schedule == run.schedule


def is_at_work(pid: int) -> bool:
    """Return whether there is such a process, and it has not ended."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and ") Z " not in stat.read_text()


def test_runs_that_overlap_are_told_apart(forks: Forks, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("import asyncio, time\nasyncio.run(asyncio.sleep(1))\ntime.sleep(1)\n")
    names = ["miniloop", "asyncio", "interop", "nowhere"]
    runs = run_sides(names, str(path), seconds=60, forks=forks)
    assert [run.name for run in runs] == names
    assert [run.complete for run in runs] == [True, True, True, False]
    assert runs[-1].stopped is not None


def test_the_end_of_the_server_is_told(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("")
    with Forks(["no_such_module"]) as server, pytest.raises(OSError, match="has ended"):
        run_side("miniloop", str(path), forks=server)
