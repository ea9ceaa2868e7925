"""Run a script on two loops, each in a process of its own, and compare the schedules.

The processes are separate because a script may do anything: crash, hang, or call `os._exit`. What
it did up to that point is on record all the same (`miniloop.trace.scripts`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..trace import Schedule
from .processes import Forks, Here, start

MARGIN = 10.0
"""Seconds that a process that ends itself in time gets in addition, for its start and its end."""

GLANCE = 0.5
"""Seconds between two calls of `meanwhile`."""


@dataclass
class Run:
    """The schedule of one run of a script, and how it ended."""

    name: str
    schedule: Schedule = field(default_factory=Schedule)
    notes: list[str] = field(default_factory=list)
    stopped: tuple[str, str] | None = None
    """Why the run was ended early: a kind (`deadlock`, `endless`, `hang`, `bad`) and a sentence.
    None if it was not."""
    no_ticks: str = ""
    """Why its ticks cannot be recorded, and what to change; empty if they can."""
    complete: bool = False
    """Whether the process came to its end, with or without an exception."""
    status: int = 0
    said: str = ""
    """The text that it wrote to stderr."""
    wrote: str = ""
    """The text that it wrote to the terminal without using `sys.stdout`."""
    watched: list[Any] = field(default_factory=list)
    """What a watch has seen (see `miniloop.trace.watch`), if there was one."""
    tasks: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """By the label of a task (`race#1`): the name that the program has given it, or an empty text,
    and whether the library has made it for itself. Tasks with neither are missing."""
    printers: dict[int, str] = field(default_factory=dict)
    """Who has printed, by the number of the event: the label of a task, or a word for others."""
    known: list[tuple[int, int, str]] = field(default_factory=list)
    """Situations in which asyncio is known to differ: how many events and how many calls of select
    came before it, and the id of its entry in the register."""

    explored: list[tuple[Any, ...]] = field(default_factory=list)
    """What `miniloop.explore` has written down: how many events came before it, and values."""

    @property
    def cut_off(self) -> bool:
        """Whether the time limit ended it. How far it had come by then is chance."""
        return self.stopped is not None and self.stopped[0] == "hang"

    @property
    def order_only(self) -> bool:
        """Whether real time passed, so that ticks and times mean nothing."""
        return bool(self.no_ticks) or any("only the order" in note for note in self.notes)

    @property
    def how_it_ended(self) -> str:
        """The end in a few words."""
        if self.stopped:
            return self.stopped[1]
        if self.complete:
            return "comes to its end"
        if self.status < 0:
            return f"crashes: {signal.Signals(-self.status).name}"
        last = self.said.strip().rpartition("\n")[2]
        if last and not (self.schedule.timeouts or self.schedule.rows):
            return f"cannot be started: {last}"
        return f"leaves in mid-run by os._exit({self.status})"


@dataclass(frozen=True)
class Row:
    """One line of both schedules, side by side. An empty text means that the side has ended."""

    left: str
    right: str
    left_at: tuple[int, int] | None
    """Tick and milliseconds, or None if there are none."""
    right_at: tuple[int, int] | None
    same: bool
    left_event: int | None = None
    """The number of the event in the schedule of the left side, if the row is one."""
    right_event: int | None = None


@dataclass
class Comparison:
    """Two runs of one script."""

    left: Run
    right: Run
    order_only: bool
    """Whether only the order of events was compared, not ticks and times."""
    rows: list[Row]

    @property
    def first(self) -> int | None:
        """The number of the first row that differs."""
        return next((number for number, row in enumerate(self.rows) if not row.same), None)

    @property
    def agree(self) -> bool:
        """Whether no row differs."""
        return self.first is None


def run_side(
    name: str,
    script: str,
    args: Sequence[str] = (),
    *,
    meanwhile: Callable[[str], object] = str,
    **how: Any,
) -> Run:
    """Run a script on a side in a process of its own, and return what it did.

    `how` are keywords of `running()`. `meanwhile` is called with the name of the side, every GLANCE
    seconds.
    """
    began = told = time.monotonic()
    steps = running(name, script, args, **how)
    with contextlib.closing(steps):
        while (run := next(steps)) is None:
            now = time.monotonic()
            if now - told > GLANCE:
                told = now
                meanwhile(name)
            time.sleep(min(0.02, (now - began) / 10))
    return run


def run_sides(
    names: Sequence[str], script: str, args: Sequence[str] = (), *, seconds: float, **how: Any
) -> list[Run]:
    """Run a script on many sides, as many at once as there are CPUs; return what it did on each.

    `how` are keywords of `running()`. Sides that have not had their turn after so many `seconds`
    are left out, and so are runs that take half of this time.
    """
    until = time.monotonic() + seconds
    found: dict[str, Run] = {}
    with contextlib.ExitStack() as stack:
        waiting = {name: running(name, script, args, seconds=seconds / 2, **how) for name in names}
        for steps in waiting.values():
            stack.enter_context(contextlib.closing(steps))
        while waiting and time.monotonic() < until:
            for name, steps in list(waiting.items())[: os.cpu_count() or 1]:
                if run := next(steps):
                    found[name] = run
                    del waiting[name]
            time.sleep(0.005)
    return [found[name] for name in names if name in found and not found[name].cut_off]


def running(
    name: str,
    script: str,
    args: Sequence[str] = (),
    *,
    real_time: bool = False,
    ticks: int = 20_000,
    seconds: float = 20.0,
    stdin: bytes = b"",
    steps: int | None = None,
    explored: tuple[str, Sequence[str]] | None = None,
    forks: Forks | Here | None = None,
    margin: float = MARGIN,
) -> Generator[Run | None, None, None]:
    """Run a script on a side. Yield None as long as it runs, and in the end what it did.

    The sides are those of `miniloop.cli.recorded`, where `steps` and `explored` are described as
    well. `stdin` is the standard input of the script. `forks` starts the process, if it is given.
    It is ended after `seconds` and the `margin`, if it does not end itself.
    """
    run = Run(name)
    with tempfile.TemporaryDirectory(prefix="miniloop-") as folder:
        record, given, stdout, stderr = (
            Path(folder) / part for part in ("record", "stdin", "stdout", "stderr")
        )
        given.write_bytes(stdin)
        request = {
            "side": name,
            "record": str(record),
            "ticks": ticks,
            "seconds": seconds,
            "real_time": real_time,
            "steps": steps,
            "explored": explored,
            "script": script,
            "args": [*args],
        }
        until = time.monotonic() + seconds + margin
        process = start((given, stdout, stderr), request, forks)
        try:
            while not (ended := process.has_ended()) and time.monotonic() < until:
                yield None
        finally:
            status = process.end()
        if ended:
            run.status = status
        else:
            run.stopped = "hang", f"does not end after {seconds + margin:g} seconds"
        _read(run, record, script)
        run.said, run.wrote = (
            path.read_text("utf-8", "backslashreplace").replace("\0", "\\x00")
            if path.exists()  # it may have been ended before
            else ""
            for path in (stderr, stdout)
        )
    yield run


def _read(run: Run, record: Path, script: str) -> None:
    """Read the record of a run into `run`."""
    schedule = run.schedule
    lines = record.read_text("utf-8").splitlines() if record.exists() else []
    for line in lines:
        try:
            kind, *values = json.loads(line)
        except ValueError:
            continue  # the process has died in the middle of its last line
        if kind == "s":
            schedule.timeouts.append(values[0])
        elif kind == "e":
            schedule.rows.append(tuple(values))
        elif kind == "by":
            run.printers[len(schedule.rows)] = values[0]
        elif kind == "task":
            run.tasks[values[0]] = values[1], values[2]
        elif kind == "t":
            run.watched += values
        elif kind == "explored":
            run.explored.append((len(schedule.rows), *values))
        elif kind == "known":
            run.known.append((len(schedule.rows), len(schedule.timeouts), values[0]))
        elif kind == "order":
            run.no_ticks = values[0]
        elif kind == "note":
            run.notes.append(values[0])
        elif kind == "stop":
            run.stopped = values[0], values[1]
        elif kind == "reports":
            schedule.reports = values[0]
        elif kind == "end":
            run.complete = True
    hang = record.with_name(f"{record.name}.hang")
    stack = hang.read_text() if hang.exists() else ""
    if stack and not run.stopped:
        place = re.search(rf'File "(?:.*/)?{re.escape(Path(script).name)}", line (\d+)', stack)
        where = f" in line {place[1]}" if place else ""
        run.stopped = "hang", f"was still at work{where} when its time was up"


def compare_script(
    script: str,
    args: Sequence[str] = (),
    *,
    names: tuple[str, str] = ("asyncio", "miniloop"),
    real_time: bool = False,
    **how: Any,
) -> Comparison:
    """Run a script on both sides, one after the other, and compare the schedules.

    `how` are keywords of `run_side()`.
    """

    def run(name: str, real_time: bool) -> Run:
        return run_side(name, script, args, real_time=real_time, **how)

    left, right = (run(name, real_time) for name in names)
    if left.no_ticks and not real_time:
        right = run(names[1], True)
    if right.no_ticks and not real_time:
        left = run(names[0], True)
    order_only = real_time or left.order_only or right.order_only
    return Comparison(left, right, order_only, rows(left, right, order_only))


def rows(left: Run, right: Run, order_only: bool = False) -> list[Row]:
    """Return both schedules, line by line. If a run was cut off, so is the other one there."""
    one, other = entries(left, order_only), entries(right, order_only)
    ends = [len(found) for run, found in ((left, one), (right, other)) if run.cut_off]
    limit = min(ends, default=None)
    one, other = one[:limit], other[:limit]
    found = []
    for number in range(max(len(one), len(other))):
        left_at, left_text, left_event = one[number] if number < len(one) else NOTHING
        right_at, right_text, right_event = other[number] if number < len(other) else NOTHING
        same = left_text == right_text and (order_only or left_at == right_at)
        found.append(Row(left_text, right_text, left_at, right_at, same, left_event, right_event))
    return found


Entry = tuple[tuple[int, int] | None, str, int | None]
"""Tick and time, a text, and the number of the event if it is one."""

NOTHING: Entry = (None, "", None)


def entries(run: Run, order_only: bool) -> list[Entry]:
    """Return what a run did, as texts with their ticks and times."""
    schedule = run.schedule
    found: list[Entry] = []
    tick = 0
    time = 0

    def select() -> None:
        nonlocal tick
        timeout = schedule.timeouts[tick]
        tick += 1
        if not order_only:
            wait = "no timeout" if timeout is None else timeout
            found.append(((tick, time), f"select({wait})", None))

    for number, event in enumerate(schedule.events):
        while tick < min(event.tick, len(schedule.timeouts)):
            select()
        time = event.time
        found.append(((event.tick, event.time), f"{event.who}  {event.what}", number))
    while tick < len(schedule.timeouts):
        select()
    if run.cut_off:
        return found
    found += [(None, f"at the end: {report}", None) for report in schedule.reports]
    if run.wrote:
        found += [(None, f"past sys.stdout: {line}", None) for line in run.wrote.splitlines()]
    if not run.complete:
        found.append((None, run.how_it_ended, None))
    return found
