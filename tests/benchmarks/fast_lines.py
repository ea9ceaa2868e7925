"""What each line that is marked `# fast:` saves: ``python -m tests.benchmarks fast-lines``.

For each such line there is the plainer code that would do the same. A copy of the package gets that
code in place of the line, and runs a small program that uses the line again and again. The ratio is
the time of the copy, as a share of the time of the package as it is: 1.10 means that the program
would take a tenth longer.

The package and the copy take turns, each in a process of its own, and the best of all rounds
counts, in processor time. A second copy without any change takes turns with them. How far that one
is from 1 is the noise of that line. An effect that is no larger than that, or than the median noise
of all lines, is not published as a number. Measure while nothing else runs.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.reading_order import PACKAGE

__all__ = ["UNDONE", "Undone", "marked", "measure", "plainer", "write"]

ROUNDS = 15
FILES = ("loop", "handles", "futures", "tasks", "combinators")
"""The files of the core that have such lines."""


class Undone(NamedTuple):
    """The plainer code for one marked line."""

    file: str
    number: int
    """Which of the marked lines of the file it is, from 0."""
    work: str
    """The program that uses the line."""
    edits: tuple[tuple[str, str], ...]
    """Texts in the file, each with the one that takes its place."""


UNDONE = (
    Undone(
        "loop",
        0,
        "call_soon",
        (
            (
                "        if self._closed or self._debug:  # fast: one test for two rare cases\n"
                '            self._check_call(callback, "call_soon")\n',
                '        self._check_call(callback, "call_soon")\n',
            ),
        ),
    ),
    Undone(
        "loop",
        1,
        "call_later",
        (
            (
                "        if args or context is not None:\n            return self.call_at(",
                "        if True:\n            return self.call_at(",
            ),
        ),
    ),
    Undone(
        "loop",
        2,
        "call_later",
        (
            (
                "        if self._closed or self._debug:  # fast: one test for two rare cases\n"
                '            self._check_call(callback, "call_at")\n',
                '        self._check_call(callback, "call_at")\n',
            ),
        ),
    ),
    Undone(
        "loop",
        3,
        "create_future",
        (
            (
                "        future: Future[Any] = Future.__new__(Future)\n        future._init(self)",
                "        future: Future[Any] = Future(loop=self)",
            ),
        ),
    ),
    Undone(
        "loop",
        4,
        "create_task",
        (("        if self._closed:  # fast: no call\n    ", ""),),
    ),
    Undone(
        "loop",
        5,
        "create_task",
        (
            (
                "            if kwargs:\n                task._init_task(coro, self, **kwargs)",
                "            if True:\n                task._init_task(coro, self, **kwargs)",
            ),
        ),
    ),
    Undone(
        "loop",
        6,
        "call_later",
        (
            ("class _Deadline(float):", "class _Deadline:"),
            (
                '    __slots__ = ("timer",)\n',
                '    __slots__ = ("timer", "when")\n\n'
                "    def __init__(self, when):\n        self.when = when\n\n"
                "    def __lt__(self, other):\n        return self.when < other.when\n\n"
                "    def __ge__(self, time):\n        return self.when >= time\n\n"
                "    def __sub__(self, time):\n        return self.when - time\n\n",
            ),
        ),
    ),
    Undone(
        "handles",
        0,
        "call_soon",
        (
            (
                "            if loop._debug:  # fast: mostly without a call\n    ",
                "",
            ),
        ),
    ),
    Undone(
        "handles",
        1,
        "call_soon",
        (
            (
                "            if not self._args:  # fast",
                "            if False:  # fast",
            ),
        ),
    ),
    Undone(
        "handles",
        2,
        "call_soon_one",
        (("            elif len(self._args) == 1:  # fast", "            elif False:  # fast"),),
    ),
    Undone(
        "handles",
        3,
        "cancel_handle",
        (("                if self._loop._debug:  # fast: mostly without a call\n    ", ""),),
    ),
    Undone(
        "futures", 0, "create_future", (("    __slots__ = (  # fast", "    _unused = (  # fast"),)
    ),
    Undone(
        "futures",
        1,
        "done_callback",
        (
            (
                "        if self._waiting is None:  # fast: as _add_waiting() does, "
                "without the call\n            self._waiting = handle\n        else:\n    ",
                "",
            ),
        ),
    ),
    Undone(
        "futures",
        2,
        "done_callback",
        (("            self._waiting = entry\n", "            self._waiting = [entry]\n"),),
    ),
    Undone(
        "futures",
        3,
        "await_future",
        (
            (
                "        if loop._closed or loop._debug:  # fast: one test for two rare cases\n",
                "        if loop.is_closed() or loop.get_debug():\n",
            ),
        ),
    ),
    Undone(
        "futures",
        4,
        "await_future",
        (
            (
                "        if type(waiting) is not list:  # fast: no loop for one\n"
                "            if type(waiting) is Handle:\n"
                "                waiting._args = (self,)\n"
                "            loop._ready.append(waiting)  # type: ignore[arg-type]\n"
                "            return\n",
                "        if type(waiting) is not list:\n            waiting = [waiting]\n",
            ),
        ),
    ),
    Undone(
        "futures",
        5,
        "cancel_future",
        (("        if self._cancel_message is not msg:  # fast", "        if True:  # fast"),),
    ),
    Undone(
        "tasks",
        0,
        "create_task",
        (
            (
                "        if type(coro) is not CoroutineType and not _can_be_driven(coro):"
                "  # fast: mostly no call\n            raise TypeError",
                "        if not _can_be_driven(coro):\n            raise TypeError",
            ),
        ),
    ),
    Undone(
        "tasks",
        1,
        "sleep_zero",
        (
            (
                "yielded = self._context.run(self._send, None)",
                "yielded = self._context.run(self._coro.send, None)",
            ),
        ),
    ),
    Undone(
        "tasks",
        2,
        "create_task",
        (
            (
                "self._name = next(_task_numbers) if name is None",
                'self._name = f"Task-{next(_task_numbers)}" if name is None',
            ),
        ),
    ),
    Undone(
        "tasks",
        3,
        "create_task",
        (
            (
                "            if loop._closed or loop._debug:  # fast: one test for two rare cases\n"
                "                loop._check_closed()\n                loop._check_thread()\n",
                "            loop._check_closed()\n            if loop.get_debug():\n"
                "                loop._check_thread()\n",
            ),
        ),
    ),
    Undone(
        "tasks",
        4,
        "await_future",
        (
            (
                "                if yielded._waiting is None:  # fast: as _add_waiting() does, "
                "without the call\n                    yielded._waiting = self\n"
                "                else:\n    ",
                "",
            ),
        ),
    ),
    Undone(
        "tasks",
        5,
        "create_task",
        (("    if not kwargs:  # fast", "    if False:  # fast"),),
    ),
    Undone(
        "tasks",
        6,
        "gather",
        (
            (
                "    if type(coro) is not CoroutineType:  # fast: mostly no call\n"
                "        if isfuture",
                "    if isfuture(coro) or not _can_be_driven(coro):\n        if isfuture",
            ),
        ),
    ),
    Undone(
        "combinators",
        0,
        "gather",
        (
            (
                "            child._state is _FINISHED and child._exception is None\n"
                "            if type(child) is Task  # fast: most children are tasks, "
                "and this asks without a call\n            else _has_result(child)\n",
                "            _has_result(child)\n",
            ),
        ),
    ),
    Undone(
        "combinators",
        1,
        "gather",
        (
            (
                "            child._result if type(child) is Task else child.result()"
                "  # fast: no call",
                "            child.result()",
            ),
        ),
    ),
)

WORKER = """
import sys, time
sys.path.insert(0, sys.argv[1])
import miniloop
assert miniloop.__file__.startswith(sys.argv[1]), miniloop.__file__

def nothing(*args):
    pass

async def ends():
    pass

async def call_soon(loop, times):
    for _ in range(times // 10):
        for _ in range(10):
            loop.call_soon(nothing)
        await miniloop.sleep(0)

async def call_soon_one(loop, times):
    for _ in range(times // 10):
        for _ in range(10):
            loop.call_soon(nothing, 1)
        await miniloop.sleep(0)

async def call_later(loop, times):
    for _ in range(times // 100):
        for number in range(100):
            loop.call_later(number / 1e9, nothing)
        await miniloop.sleep(1e-6)

async def cancel_handle(loop, times):
    for _ in range(times // 10):
        for _ in range(10):
            loop.call_soon(nothing).cancel()
        await miniloop.sleep(0)

async def create_future(loop, times):
    for _ in range(times):
        loop.create_future()

async def cancel_future(loop, times):
    for _ in range(times):
        loop.create_future().cancel()

async def done_callback(loop, times):
    for _ in range(times // 10):
        for _ in range(10):
            future = loop.create_future()
            future.add_done_callback(nothing)
            future.set_result(None)
        await miniloop.sleep(0)

async def await_future(loop, times):
    for _ in range(times):
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future

async def sleep_zero(loop, times):
    for _ in range(times):
        await miniloop.sleep(0)

async def create_task(loop, times):
    for _ in range(times):
        await miniloop.create_task(ends())

async def gather(loop, times):
    for _ in range(times // 50):
        await miniloop.gather(*[ends() for _ in range(50)])

print("here", flush=True)
for line in sys.stdin:
    work, times = line.split()
    loop = miniloop.EventLoop()
    began = time.process_time()
    loop.run_until_complete(globals()[work](loop, int(times)))
    print(time.process_time() - began, flush=True)
    loop.close()
"""
"""What runs in a process, with one copy of the package: programs, as they are asked for."""
TIMES = 10_000
"""How often a program uses the line."""


def marked() -> Iterator[tuple[str, int, str, str]]:
    """Yield each marked line: file, number in the file, code, and what it is said to save."""
    for file in FILES:
        lines = (PACKAGE / "core" / f"{file}.py").read_text(encoding="utf-8").splitlines()
        number = 0
        for row, line in enumerate(lines):
            code, mark, saves = line.partition("# fast: ")
            if mark:
                yield file, number, (code if code.strip() else lines[row + 1]).strip(), saves
                number += 1


def undo(one: Undone | None, folder: Path) -> None:
    """Write a copy of the package into a folder, with one line undone."""
    unused = shutil.ignore_patterns("__pycache__", "difftest", "lab", "cli", "trace", "interop")
    shutil.copytree(PACKAGE, folder / "miniloop", ignore=unused)
    if one is None:
        return
    path = folder / "miniloop" / "core" / f"{one.file}.py"
    path.write_text(plainer(one, path.read_text(encoding="utf-8")), encoding="utf-8")


def plainer(one: Undone, text: str) -> str:
    """Return the text of a file with one line undone. Raises ValueError if the line has changed."""
    for old, new in one.edits:
        if text.count(old) != 1:
            raise ValueError(f"{one.file}, line {one.number}: not exactly once there: {old!r}")
        text = text.replace(old, new)
    return text


class Copy:
    """A process that runs programs on one copy of the package."""

    def __init__(self, one: Undone | None, folder: Path) -> None:
        folder.mkdir()
        undo(one, folder)
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def seconds(self, work: str, times: int) -> float:
        """Run a program, and return the processor time that it took."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{work} {times}\n")
        self._process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the copy of the package does not work: see the error above")
        return line

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Measured(NamedTuple):
    """How a program runs without one marked line."""

    ratio: float
    """Its time, as a share of its time with the line."""
    noise: float
    """How far the time of an unchanged copy is from that of the package, as a share."""


def measure(
    chosen: tuple[Undone, ...] = UNDONE,
    rounds: int = ROUNDS,
    times: int = TIMES,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Measured]:
    """Measure each line, by "file number"."""
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        as_it_is, again = Copy(None, folder / "as-it-is"), Copy(None, folder / "again")
        try:
            for one in chosen:
                progress(f"{one.file} {one.number}: {one.work}")
                undone = Copy(one, folder / f"{one.file}-{one.number}")
                try:
                    copies = (as_it_is, undone, again)
                    taken: list[list[float]] = [[], [], []]
                    for number in range(rounds):
                        for turn in range(3):  # in another order each time
                            which = (turn + number) % 3
                            taken[which].append(copies[which].seconds(one.work, times))
                finally:
                    undone.close()
                base, plain, same = map(min, taken)
                found[f"{one.file} {one.number}"] = Measured(plain / base, abs(same / base - 1))
        finally:
            as_it_is.close()
            again.close()
    return found


def write(path: Path, found: dict[str, Measured], circumstances: str) -> None:
    """Write what was measured, with the code of each line: so a page can tell if it has changed."""
    usual = statistics.median(one.noise for one in found.values())
    lines = [
        {
            "file": file,
            "code": code,
            "ratio": round(found[f"{file} {number}"].ratio, 3),
            "noise": round(max(usual, found[f"{file} {number}"].noise), 3),
        }
        for file, number, code, _ in marked()
    ]
    path.parent.mkdir(exist_ok=True)
    text = json.dumps({"circumstances": circumstances, "lines": lines}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
