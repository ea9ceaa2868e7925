"""Run other people's loops in worker processes, and compare them with another loop.

Such a loop may crash, hang or exit without a word. Each of these is a finding, and does not end the
hunt.

A loop that takes no selector runs in real time, and only the order of events is compared (see
`real_time`). Most of that time it waits, so many programs run at the same time, each in a worker of
its own.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import pickle
import select
import signal
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import miniloop

from ..trace import Event, Schedule
from .compare import Difference, agree
from .linked import Linked
from .programs import Program
from .real_time import (
    BLOCKS,
    GAP,
    Order,
    blocks,
    lateness,
    on_time,
    order,
    prepared,
    unhurried,
    well_apart,
)
from .sides import Side, side
from .surroundings import HANGS
from .worker import SIZE

WATCH = 1.5
"""Seconds after which a program counts as hanging, beyond those for which it waits."""
START = 60.0
"""Seconds that a worker process may take to start."""
IN_FLIGHT = 8
"""How many programs run at the same time if they wait in real time."""
MOST_APART = 8.0
"""How much further apart deadlines are moved at most."""
RECENT = 100
"""So many runs tell how far apart the deadlines of the next ones must be."""
MOST_LATE = 5
"""A difference that is there as often as this, and once more, is none of the machine's."""


class ForeignLoop:
    """A loop in a worker process. `run()` does what that of a `Side` does."""

    def __init__(self, name: str, wait: bool = True) -> None:
        """Start the process, and `wait` until it is ready. Raises ValueError if it never is."""
        self.name = name
        self._process: subprocess.Popen[bytes] | None = None
        self.order_only = ""
        """Why its ticks are not compared; empty if they are."""
        self.sees_steps = True
        self.deadline = 0.0
        """When the program that runs counts as hanging."""
        self.is_ready = False
        """Whether the process has answered that it is ready."""
        self._seconds = WATCH
        self._start()
        if wait:
            self.get_ready()

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
        self.is_ready = False

    def get_ready(self) -> None:
        """Wait until the process is ready. Only from then on does the program in it run."""
        answer = self._answer(START)
        if answer is None:
            how = self._end()
            raise ValueError(f"{self.name}: the loop {how} before it runs anything")
        if answer[0] == "bad":
            self.close()
            raise ValueError(answer[1])
        _, self.order_only, self.sees_steps = answer
        self.is_ready = True
        self.deadline = time.monotonic() + self._seconds

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
        self._seconds = WATCH if seconds is None else seconds
        self.deadline = time.monotonic() + (self._seconds if self.is_ready else START)

    def finish(self) -> Schedule:
        """Wait for the schedule of the program that has begun."""
        if not self.is_ready:
            self.get_ready()
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


@dataclass
class Job:
    """A program that runs on some loops at the same time."""

    number: int
    program: Program
    code: CodeType
    seconds: float
    """After so many it counts as hanging."""
    scale: float
    """By what its deadlines are multiplied."""
    loops: dict[int, str]
    """The loops by the places of their schedules in `found`."""
    found: list[Any]


class Workers:
    """Worker processes of any loops, which run programs in real time."""

    def __init__(self) -> None:
        self._idle: dict[str, list[ForeignLoop]] = {}
        self._busy: dict[ForeignLoop, tuple[Job, int]] = {}

    def run(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Run jobs, so many at a time as IN_FLIGHT says. Yield each when it is done.

        A job is asked for when there is room for it. While the caller looks at one, the others run
        on.
        """
        left = iter(jobs)
        busy = self._busy
        more = True
        try:
            while True:
                while more and len({id(job) for job, _ in busy.values()}) < IN_FLIGHT:
                    job = next(left, None)
                    if job is None:
                        more = False
                    elif job.loops:
                        self._begin(job)
                    else:
                        yield job
                if not busy:
                    return
                until = min(worker.deadline for worker in busy)
                ready, _, _ = select.select(list(busy), [], [], max(0.0, until - time.monotonic()))
                now = time.monotonic()
                for worker in [one for one in busy if one in ready or one.deadline < now]:
                    if not worker.is_ready:
                        worker.get_ready()
                        continue
                    job, place = busy.pop(worker)
                    job.found[place] = worker.finish()
                    self._idle[worker.name].append(worker)
                    if None not in job.found:
                        yield job
        finally:
            for worker in busy:  # if the caller wants no more
                worker.close()
                self._idle[worker.name].append(worker)
            busy.clear()

    def _begin(self, job: Job) -> None:
        for place, name in job.loops.items():
            idle = self._idle.setdefault(name, [])
            worker = idle.pop() if idle else ForeignLoop(name, wait=False)
            worker.begin(job.code, job.seconds)
            self._busy[worker] = job, place

    def close(self) -> None:
        """End the processes."""
        for idle in self._idle.values():
            for worker in idle:
                worker.close()


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
        self.scale = 1.0
        """By what the deadlines of programs in real time are multiplied."""
        self._late: list[float] = []
        self._many, self._alone = Workers(), Workers()
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
                one.close()
        self._many.close()
        self._alone.close()

    def fit(self, program: Program, number: int = 0) -> Program:
        """Return the program of a number in a form that can be compared here."""
        if self.exact:
            return program
        return well_apart(unhurried(program) if number % 2 else program, number, self.scale)

    def each(self, programs: list[Program]) -> Iterator[tuple[Schedule, Schedule]]:
        """Yield both schedules of each program, in the order of the programs.

        On our own sides the programs are linked, which is quicker. All of them run on one side
        before the other, because the processor's caches are too small for both together.
        """
        if not self.links:
            for program in programs:
                code = program.code()
                yield self.left.run(code), self.right.run(code)
            return
        linked = [Linked(program) for program in programs]
        left = [self.left.run(code) for code in linked]
        right = [self.right.run(code) for code in linked]
        yield from zip(left, right, strict=True)

    def in_real_time(
        self, programs: Iterable[tuple[int, Program]]
    ) -> Iterator[tuple[int, Program, tuple[Order, Order] | str]]:
        """Yield the schedules of each program, as it ends, or why it is not compared.

        Programs that wait do so at the same time.
        """
        left_out: deque[tuple[int, Program, str]] = deque()

        def jobs() -> Iterator[Job]:
            for number, program in programs:
                job = self._job(program, self.scale, number)
                if isinstance(job, Job):
                    yield job
                else:
                    left_out.append((number, program, job))

        for job in self._many.run(jobs()):
            while left_out:
                yield left_out.popleft()
            both = self._both(job)
            if not isinstance(both, str):
                self._move_deadlines(both)
            yield job.number, job.program, both
        yield from left_out

    def _job(self, program: Program, scale: float, number: int = 0) -> Job | str:
        """Return a program, ready to run in real time, or why it cannot be compared."""
        made = prepared(program, scale)
        if made.why_not:
            return made.why_not
        sides = (self.left, self.right)
        loops = {n: one.name for n, one in enumerate(sides) if isinstance(one, ForeignLoop)}
        found = [None if n in loops else one.run(made.code) for n, one in enumerate(sides)]
        if found[0] is not None and blocks(found[0]):
            return found[0].cut or BLOCKS
        return Job(number, program, made.code, made.seconds + WATCH, scale, loops, found)

    def _both(self, job: Job) -> tuple[Order, Order] | str:
        """Return what is compared of both schedules of a job, or why it cannot be compared."""
        if blocks(job.found[0]):
            return job.found[0].cut or BLOCKS
        left, right = (order(schedule, self.steps, job.scale) for schedule in job.found)
        return left, right

    def _move_deadlines(self, both: tuple[Order, Order]) -> None:
        """Let half of the programs be on time. Only a program that differs must be."""
        if agree(*both):
            self._late.append(lateness(*both))
        if len(self._late) == RECENT:
            self.scale = min(MOST_APART, max(1.0, 2 * statistics.median(self._late) / GAP))
            self._late.clear()

    def schedules(self, program: Program, scale: float = 1.0) -> tuple[Schedule, Schedule] | None:
        """Return both schedules of a printed program, or None if they cannot be compared.

        In real time it runs alone, and its deadlines are multiplied by `scale`.
        """
        if self.exact:
            code = program.code()
            return self.left.run(code), self.right.run(code)
        job = self._job(program, scale)
        both = self._both(next(self._alone.run([job]))) if isinstance(job, Job) else job
        return None if isinstance(both, str) else both

    def seen(self, schedule: Schedule) -> Schedule:
        """Return the part of a schedule that is compared here."""
        return schedule if self.exact else order(schedule, self.steps)

    def code(self, program: Program) -> CodeType | Linked:
        """Return a program in the form in which a side of ours runs it quickest."""
        return Linked(program) if self.links else program.code()

    def is_late(self, both: tuple[Schedule, Schedule]) -> bool:
        """Return whether a difference may be there only because an event came late."""
        left, right = both
        timed = isinstance(left, Order) and isinstance(right, Order)
        return timed and not on_time(left, right)  # type: ignore[arg-type]

    def difference(self, program: Program, times: int = 1) -> Difference | None:
        """Return how the sides differ on a program, if they do so each of `times` times.

        In real time, runs that were late do not count. Each lets the next one have its deadlines
        twice as far apart. If too many are late, the program is not compared, unless all of them
        differ in the same way: then it is the loop that is late, and not the machine.
        """
        found = None
        scale, late, seen = self.scale, 0, 0
        while seen < times:
            both = self.schedules(program, scale)
            if both is None or agree(*both):
                return None
            code = program.code()
            if any(agree(self.seen(one.run(code)), both[1]) for one in self.excused):
                return None
            if found is not None and both[1].rows != found.right.rows:
                return None  # not the same twice, so it is a race
            found = Difference(program, self.left.name, self.right.name, *both)
            if not self.is_late(both):
                seen += 1
            elif late == MOST_LATE:
                return found
            else:
                late += 1
                scale = min(2 * scale, MOST_APART)
        return found

    def first_differing(
        self, programs: Sequence[Program], differs: Callable[[Difference | None], bool]
    ) -> Program | None:
        """Return the first of some programs whose difference `differs()`, or None."""
        if self.exact:
            return next((one for one in programs if differs(self.difference(one))), None)
        jobs = [self._job(one, self.scale, number) for number, one in enumerate(programs)]
        found: list[int] = []
        for job in self._alone.run(job for job in jobs if isinstance(job, Job)):
            both = self._both(job)
            if isinstance(both, str) or agree(*both) or self.is_late(both):
                continue
            code = job.program.code()
            if any(agree(self.seen(one.run(code)), both[1]) for one in self.excused):
                continue
            if differs(Difference(job.program, self.left.name, self.right.name, *both)):
                found.append(job.number)
        return programs[min(found)] if found else None


def is_crash(schedule: Schedule) -> bool:
    """Return whether a run ended the process."""
    events = schedule.events
    return bool(events) and events[0].who == "process" and HANGS not in events[0].what
