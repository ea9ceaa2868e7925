"""The process that a foreign loop runs in: `python -m miniloop.difftest.worker MODULE:NAME`.

It receives compiled programs and answers with schedules, until it crashes, hangs or is no longer
needed. A loop that takes a selector runs on virtual time, as ours do. Any other loop runs in real
time.
"""

from __future__ import annotations

import faulthandler
import marshal
import os
import pickle
import sys
from types import CodeType
from typing import BinaryIO

from ..trace import Event, Schedule
from .programs import FILE_NAME
from .sides import TICK_LIMIT, Side, side
from .surroundings import quiet

SIZE = 8
"""The number of bytes before each message, which hold its length."""

TRIAL = """
import asyncio
async def main():
    pass
asyncio.new_event_loop().run_until_complete(main())
"""
"""A program whose only task is made by the loop itself."""

LONGEST = 30.0
"""Seconds after which a worker ends itself."""


def send(stream: BinaryIO, message: bytes) -> None:
    """Write one message."""
    stream.write(len(message).to_bytes(SIZE, "big") + message)
    stream.flush()


def run(side: Side, code: CodeType) -> Schedule:
    """Return the schedule of one program, whatever the loop does."""
    try:
        return side.run(code, TICK_LIMIT)
    except Exception as error:  # of close(), for example
        said = f"raises {type(error).__name__} when it is closed"
        return Schedule([Event(0, 0, "process", said)])


def main(name: str) -> None:
    """Answer requests until the other end is closed."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a loop prints must not look like an answer
    try:
        own = side(name)
    except ValueError as error:
        send(answers, pickle.dumps(("bad", str(error))))
        return
    why = own.kind.order_only if own.kind is not None else ""
    if own.order_only:  # only a run shows whether the steps of all tasks are seen
        tried = run(own, compile(TRIAL, FILE_NAME, "exec"))
        own.sees_steps &= any(event.who.startswith("main#") for event in tried.events)
    send(answers, pickle.dumps(("ready", why, own.sees_steps)))
    with quiet(watched=not own.order_only):
        while size := sys.stdin.buffer.read(SIZE):
            code = marshal.loads(sys.stdin.buffer.read(int.from_bytes(size, "big")))
            # If the hunt has ended, this ends a program that hangs.
            faulthandler.dump_traceback_later(LONGEST, exit=True)
            schedule = run(own, code)
            faulthandler.cancel_dump_traceback_later()
            send(answers, pickle.dumps(schedule))


if __name__ == "__main__":
    main(sys.argv[1])
