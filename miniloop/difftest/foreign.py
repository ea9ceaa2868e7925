"""Run other people's loops in a worker process, and compare them with another loop.

Such a loop may crash, hang or exit without a word. Each of these is a finding, and does not end the
hunt.

A loop that takes no selector runs in real time, and only the order of events is compared. Programs
then get deadlines that are well apart, and a difference counts only if it shows several times in a
row. Many programs wait at the same time, each in a worker of its own, and their deadlines are moved
further apart if the machine has much to do. A program that differs runs again, alone. The loop that
it is compared with still runs on virtual time, unless it takes no selector, either. Programs that
block for ever on virtual time are left out, because they would block in real time, too.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import pickle
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import miniloop

from ..trace import Event, Schedule
from .compare import Difference, agree
from .linked import Linked
from .programs import FILE_NAME, Block, Program
from .sides import TICK_LIMIT, Side, side
from .surroundings import HANGS
from .worker import SIZE

WATCH = 1.5
"""Seconds after which a program counts as hanging."""

# No two sums of a few of these are near each other, nor near some hundredths of a second, for which
# the programs block.
APART = {
    "0.01": "0.01",
    "0.01001": "0.01",
    "0.0105": "0.01",
    "0.02": "0.023",
    "0.03": "0.0535",
    "0.3": "0.097",
    "0.005": "0.004",
}

SECONDS = re.compile(r"(?<!time\.sleep\()\b0\.\d+\b")
"""The seconds in the text of a program, except those for which it blocks: each of these ends late
on a busy machine, and together they would pass a deadline."""

IN_FLIGHT = 8
"""How many programs run at the same time if they wait in real time."""
PULSE = 0.005
"""Seconds after which the process that waits for them looks how late it wakes."""
LATE = 0.002
"""If it wakes later than so many seconds, deadlines are moved further apart, by as much."""
MOST_APART = 8.0
"""How much further apart they are moved at most."""

WORDED = re.compile(r"RuntimeError\([^)]*\)")
"""A RuntimeError with its first words, as `describe` writes it."""


class ForeignLoop:
    """A loop in a worker process. `run()` does what that of a `Side` does."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process: subprocess.Popen[bytes] | None = None
        self.order_only = ""
        """Why its ticks are not compared; empty if they are."""
        self.sees_steps = True
        self.deadline = 0.0
        """When the program that runs counts as hanging."""
        self._start()

    def _start(self) -> None:
        root = str(Path(miniloop.__file__).parents[1])
        paths = [root, os.getcwd(), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "miniloop.difftest.worker", self.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        answer = self._answer(30.0)
        if answer is None:
            how = self._end()
            raise ValueError(f"{self.name}: the loop {how} before it runs anything")
        if answer[0] == "bad":
            self.close()
            raise ValueError(answer[1])
        _, self.order_only, self.sees_steps = answer

    def run(self, code: CodeType) -> Schedule:
        """Return the schedule of a program. If it ends the process, the schedule says how."""
        self.begin(code)
        return self.finish()

    def begin(self, code: CodeType, seconds: float | None = None) -> None:
        """Let the worker run a program, for so many seconds at most, by default WATCH."""
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        message = marshal.dumps(code)
        # An answer of a process that has ended does not come, either.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(len(message).to_bytes(SIZE, "big") + message)
            self._process.stdin.flush()
        self.deadline = time.monotonic() + (WATCH if seconds is None else seconds)

    def finish(self) -> Schedule:
        """Wait for the schedule of the program that has begun."""
        answer = self._answer(self.deadline - time.monotonic())
        if answer is None:
            return Schedule([Event(0, 0, "process", self._end())])
        return answer  # type: ignore[no-any-return]

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there is an answer."""
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def _answer(self, seconds: float) -> Any:
        """Return the next answer, or None if there is none in time."""
        stream = self.fileno()
        deadline = time.monotonic() + seconds
        data = b""
        wanted = SIZE
        while len(data) < wanted:
            ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(stream, wanted - len(data)) if ready else b""
            if not part:
                return None
            data += part
            if wanted == SIZE == len(data):
                wanted += int.from_bytes(data, "big")
        return pickle.loads(data[SIZE:])

    def _end(self) -> str:
        """End the process. Return how it has ended by itself, or that it hangs."""
        assert self._process is not None
        try:
            status = self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            status = None
        self.close()
        if status is None:
            return HANGS
        if status < 0:
            return f"crashes: {signal.Signals(-status).name}"
        return f"leaves silently, exit status {status}"

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(BrokenPipeError):  # it never read what it was sent
                self._process.communicate()
            self._process = None


def sided(given: str | Side) -> Any:
    """Return the side of a name. `module:name` is a foreign loop."""
    return ForeignLoop(given) if isinstance(given, str) and ":" in given else side(given)


def well_apart(program: Program) -> Program:
    """Return the program with deadlines that real time can tell apart."""

    def change(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(change(one) for one in value)
        return APART.get(value, value)

    def block(ops: Block) -> Block:
        return tuple((op[0], *map(change, op[1:])) for op in ops)

    return Program(block(program.phases), tuple((n, block(b)) for n, b in program.functions))


def unhurried(program: Program) -> Program:
    """Return the program with a first task that outlasts the others.

    Loops differ most in when and how they stop, which would hide all other differences.
    """
    functions = (
        (n, (*b, ("sleep", APART["0.3"])) if n == "c0" else b) for n, b in program.functions
    )
    return Program(program.phases, tuple(functions))


def slowed(program: Program, scale: float) -> CodeType:
    """Return the code of a program with its deadlines multiplied."""
    text = SECONDS.sub(lambda seconds: f"{float(seconds[0]) * scale:.4f}", str(program))
    return compile(text, FILE_NAME, "exec", dont_inherit=True)


def at_once(
    workers: Sequence[ForeignLoop], codes: dict[int, CodeType], seconds: float
) -> tuple[dict[int, Schedule], list[float]]:
    """Run programs on workers, as many at a time as there are workers.

    Return their schedules, and by how many seconds this process itself woke too late meanwhile: so
    late may the programs be as well.
    """
    found: dict[int, Schedule] = {}
    late: list[float] = []
    left = list(reversed(codes.items()))
    idle = list(workers)
    busy: dict[ForeignLoop, int] = {}
    while left or busy:
        while left and idle:
            number, code = left.pop()
            worker = idle.pop()
            worker.begin(code, seconds)
            busy[worker] = number
        began = time.monotonic()
        ready, _, _ = select.select(list(busy), [], [], PULSE)
        now = time.monotonic()
        if not ready:
            late.append(now - began - PULSE)
        for worker in [one for one in busy if one in ready or one.deadline < now]:
            found[busy.pop(worker)] = worker.finish()
            idle.append(worker)
    return found, late


def order(schedule: Schedule, steps: bool = True) -> Schedule:
    """Return only the order of a schedule: no ticks, no times, and no steps if they are not seen.

    Logged messages are left out, because they have reprs and real durations in them. So is the text
    of a RuntimeError, because each library has its own.
    """
    rows = [
        (0, 0, who, WORDED.sub("RuntimeError()", what))
        for _, _, who, what in schedule.rows
        if who != "logged" and (steps or "#" not in who)
    ]
    return Schedule(rows, cut=schedule.cut)


class Match:
    """Two sides, each of which may be foreign, and how they are compared.

    `excused` names further loops, which are no foreign ones. A program on which the right side does
    the same as one of these is not counted as a difference.
    """

    def __init__(
        self, left: str | Side, right: str | Side, excused: Sequence[str | Side] = ()
    ) -> None:
        self.left, self.right = both = sided(left), sided(right)
        self.excused = [side(one) for one in excused]
        self.own = not any(isinstance(one, ForeignLoop) for one in both)
        self.exact = not any(one.order_only for one in both)
        self.scale = self._next_scale = 2.0
        """By what the deadlines of programs in real time are multiplied."""
        judged = not self.exact and isinstance(self.left, ForeignLoop)
        self._judge = side("asyncio") if judged else None
        """Tells which programs block for ever if the left side runs in real time, too."""
        self._helpers: dict[ForeignLoop, list[ForeignLoop]] = {}
        self.links = self.own and self.exact
        """Whether `each` links programs, which have labels where printed ones have lines."""

    @property
    def notes(self) -> list[str]:
        """Why only the order of events is compared, and what to change; empty if ticks are."""
        found = []
        for one in (self.left, self.right):
            if isinstance(one, ForeignLoop):
                found.append(one.order_only)
            elif one.kind is not None:
                found.append(one.kind.order_only)
        return [text for text in dict.fromkeys(found) if text]

    @property
    def steps(self) -> bool:
        """Whether both sides see the steps of tasks."""
        both: bool = self.left.sees_steps and self.right.sees_steps
        return both

    def close(self) -> None:
        """End the worker processes."""
        for one in (self.left, self.right):
            if isinstance(one, ForeignLoop):
                for worker in self._workers(one, 0):
                    worker.close()

    def fit(self, program: Program, number: int = 0) -> Program:
        """Return the program of a number in a form that can be compared here."""
        if self.exact:
            return program
        program = well_apart(program)
        return unhurried(program) if number % 2 else program

    def blocks(self, left: Schedule) -> bool:
        """Return whether a program would block for ever, or nearly so, in real time."""
        return not self.exact and bool(
            left.cut or None in left.timeouts or len(left.timeouts) >= TICK_LIMIT
        )

    def _blocks_for_judge(self, code: CodeType | Linked) -> bool:
        return self._judge is not None and self.blocks(self._judge.run(code))

    def each(self, programs: list[Program]) -> Iterator[tuple[Schedule, Schedule] | None]:
        """Yield both schedules of each program, or None if they cannot be compared.

        On our own sides the programs are linked, which is quicker. All of them run on one side
        before the other, because the processor's caches are too small for both together. Programs
        that wait in real time wait at the same time.
        """
        if not self.exact and len(programs) >= IN_FLIGHT:
            yield from self._at_once(programs)
            return
        if not self.links:
            yield from map(self.schedules, programs)
            return
        linked = [Linked(program) for program in programs]
        left = [self.left.run(code) for code in linked]
        right = [self.right.run(code) for code in linked]
        yield from zip(left, right, strict=True)

    def _at_once(self, programs: list[Program]) -> Iterator[tuple[Schedule, Schedule] | None]:
        codes = list(map(self.code, programs))
        fit = {n: code for n, code in enumerate(codes) if not self._blocks_for_judge(code)}
        lefts = self._runs(self.left, fit)
        fit = {n: code for n, code in fit.items() if not self.blocks(lefts[n])}
        rights = self._runs(self.right, fit)
        for n in range(len(codes)):
            yield (self.seen(lefts[n]), self.seen(rights[n])) if n in fit else None
        self.scale = self._next_scale

    def _runs(self, side: Any, codes: dict[int, Any]) -> dict[int, Schedule]:
        """Run programs on a side, at the same time if it has workers."""
        if not isinstance(side, ForeignLoop):
            return {n: side.run(code) for n, code in codes.items()}
        found, late = at_once(self._workers(side, IN_FLIGHT), codes, WATCH * self.scale)
        if late:
            # All but the latest few, because one of them is always very late.
            lateness = sorted(late)[len(late) * 9 // 10]
            self._next_scale = min(MOST_APART, max(1.0, lateness / LATE))
        return found

    def _workers(self, side: ForeignLoop, number: int) -> list[ForeignLoop]:
        """Return so many workers of a side, or more if there are more."""
        helpers = self._helpers.setdefault(side, [])
        while len(helpers) < number - 1:
            helpers.append(ForeignLoop(side.name))
        return [side, *helpers]

    def schedules(self, program: Program) -> tuple[Schedule, Schedule] | None:
        """Return both schedules of a printed program, or None if they cannot be compared."""
        code = program.code() if self.exact else slowed(program, self.scale)
        if self._blocks_for_judge(code):
            return None
        left = self.left.run(code)
        if self.blocks(left):
            return None
        return self.seen(left), self.seen(self.right.run(code))

    def seen(self, schedule: Schedule) -> Schedule:
        """Return the part of a schedule that is compared here."""
        return schedule if self.exact else order(schedule, self.steps)

    def code(self, program: Program) -> CodeType | Linked:
        """Return a program in the form in which `each` runs it."""
        if self.links:
            return Linked(program)
        return program.code() if self.exact else slowed(program, self.scale)

    def difference(self, program: Program, times: int = 1) -> Difference | None:
        """Return how the sides differ on a program, if they do so each of `times` times."""
        found = None
        for _ in range(times):
            both = self.schedules(program)
            if both is None or agree(*both):
                return None
            code = program.code() if self.exact else slowed(program, self.scale)
            if any(agree(self.seen(one.run(code)), both[1]) for one in self.excused):
                return None
            if found is not None and both[1].events != found.right.events:
                return None  # not the same twice, so it is a race
            found = Difference(program, self.left.name, self.right.name, *both)
        return found


def is_crash(schedule: Schedule) -> bool:
    """Return whether a run ended the process."""
    events = schedule.events
    return bool(events) and events[0].who == "process" and HANGS not in events[0].what
