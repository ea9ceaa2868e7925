"""The process that a foreign loop runs in: `python -m miniloop.difftest.worker MODULE:FACTORY`.

It is sent compiled programs and answers with schedules, until it crashes, hangs or is no longer
needed. A loop class that takes a selector runs on virtual time, as ours do; any other loop runs in
real time.
"""

from __future__ import annotations

import asyncio
import faulthandler
import importlib
import marshal
import os
import pickle
import sys
import time
from collections.abc import Callable
from types import CodeType
from typing import Any, BinaryIO

from ..trace import Event, Recorder, Schedule
from .sides import TICK_LIMIT, Side
from .surroundings import quiet

SIZE = 8
"""Bytes before each message: its length."""

LONGEST = 30.0
"""Seconds after which a worker ends itself."""


class RealTimeSide(Side):
    """A loop that takes no selector: what it does is recorded without ticks, in real time."""

    factory: Callable[[], Any]
    sees_steps = True
    """Whether the loop takes a task factory."""

    def new_loop(
        self, program: str, tick_limit: int, event_limit: int, linked: bool = False
    ) -> tuple[Recorder, Any]:
        """A loop made by the factory, with what of the recorder it takes."""
        recorder, unused = super().new_loop(program, tick_limit, event_limit)
        unused.close()
        loop = self.factory()

        def handler(loop: Any, context: dict[str, Any]) -> None:
            if not recorder.is_report(context):
                recorder.exception_handler(loop, context)

        loop.set_exception_handler(handler)
        try:
            loop.set_task_factory(recorder.task_factory(self.task_class))
        except (AttributeError, NotImplementedError):
            self.sees_steps = False
        self._loop = loop
        clock: Any = self._time
        clock.sleep, clock.time, clock.monotonic = time.sleep, time.time, time.monotonic
        return recorder, loop


def load(name: str) -> Any:
    """What MODULE:FACTORY names. Raises ValueError in words for the person who wrote it."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise ValueError(f"{name}: a module and what makes the loop, as in uvloop:new_event_loop")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        what = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise ValueError(f"{name}: cannot import {module_name}: {what}") from None
    factory = getattr(module, attribute, None)
    if not callable(factory):
        raise ValueError(f"{name}: {module_name} has nothing to call named {attribute!r}")
    return factory


def foreign_side(name: str) -> Side:
    """The loop that MODULE:FACTORY makes, as a side."""
    factory = load(name)
    if isinstance(factory, type) and issubclass(factory, asyncio.SelectorEventLoop):
        return Side(name, asyncio, factory, asyncio.Task)
    miniloop: Any = importlib.import_module("miniloop")
    if isinstance(factory, type) and issubclass(factory, miniloop.EventLoop):
        return Side(name, miniloop, factory, miniloop.Task)
    side = RealTimeSide(name, asyncio, asyncio.SelectorEventLoop, asyncio.Task)
    side.factory = factory
    try:
        loop = factory()
    except (Exception, SystemExit) as error:
        raise ValueError(f"{name}: makes no loop: {type(error).__name__}: {error}") from None
    if not hasattr(loop, "run_forever"):
        raise ValueError(f"{name}: makes no loop: it returns {loop!r}")
    loop.close()
    return side


def send(stream: BinaryIO, message: bytes) -> None:
    """Write one message."""
    stream.write(len(message).to_bytes(SIZE, "big") + message)
    stream.flush()


def run(side: Side, code: CodeType) -> Schedule:
    """The schedule of one program, whatever the loop makes of it."""
    try:
        return side.run(code, TICK_LIMIT)
    except Exception as error:  # out of close(), for one
        said = f"raises {type(error).__name__} when it is closed"
        return Schedule([Event(0, 0, "process", said)])


def main(name: str) -> None:
    """Answer until the other end is closed."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a loop prints is no answer
    try:
        side = foreign_side(name)
    except ValueError as error:
        send(answers, pickle.dumps(("bad", str(error))))
        return
    exact = not isinstance(side, RealTimeSide)
    if not exact:
        run(side, compile("import asyncio\nasyncio.new_event_loop()", "<program>", "exec"))
    send(answers, pickle.dumps(("ready", exact, getattr(side, "sees_steps", True))))
    with quiet():
        while size := sys.stdin.buffer.read(SIZE):
            code = marshal.loads(sys.stdin.buffer.read(int.from_bytes(size, "big")))
            # Should whoever watches be gone, nobody is left to end a program that hangs.
            faulthandler.dump_traceback_later(LONGEST, exit=True)
            schedule = run(side, code)
            faulthandler.cancel_dump_traceback_later()
            send(answers, pickle.dumps(schedule))


if __name__ == "__main__":
    main(sys.argv[1])
