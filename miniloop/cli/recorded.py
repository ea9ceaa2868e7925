"""Run a script and record what its loops do: what happens in a process of `difftest.processes`.

Commands that run scripts start such a process for each run (`difftest.scripts`). `main()` is all
that it runs, and the record is written to a file (see `miniloop.trace.scripts`).
"""

from __future__ import annotations

import asyncio
import faulthandler
import functools
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import miniloop
from miniloop.cli import BadInput, children, program
from miniloop.cli.script import run_script
from miniloop.trace.recorder import describe
from miniloop.trace.scripts import ScriptRecorder


def main(
    side: str,
    script: str,
    args: Sequence[str] = (),
    *,
    record: str,
    ticks: int,
    seconds: float,
    real_time: bool = False,
    steps: int | None = None,
    explored: tuple[str, Sequence[str]] | None = None,
    recorder_class: Callable[..., ScriptRecorder] = ScriptRecorder,
) -> int:
    """Run a script on a side, and write the record to a file. Its exceptions pass through.

    `side` is a loop, named as in `miniloop.difftest.loops` (`asyncio`, `miniloop`, `interop`,
    `module:name`). It may also be the `module:name` of a loop of the lab, or `asyncio-known`:
    asyncio with watches, which note in the record where it is known to do something else than
    miniloop.

    With `steps`, so many steps are recorded with their causes; the side needs ticks. `explored` is
    the token of a plan (see `miniloop.explore.choices`), and the ids of the rules that may be
    broken. Then the run has choices, and the record tells them.
    """
    if steps is not None:
        from miniloop.trace.tracing import TracingScriptRecorder  # only here: it takes time

        recorder_class = functools.partial(TracingScriptRecorder, most_steps=steps)
    out = Path(record).open("w", 1, encoding="utf-8")  # noqa: SIM115  # closed by the recorder
    recorder = recorder_class(out, program.file_of(script), ticks, real_time)
    if explored is not None:
        from miniloop.explore.permutation import permute

        permute(recorder, *explored)
    hang = Path(record + ".hang").open("w")  # noqa: SIM115  # for the rest of the process
    # This stops even a script that never gives control back, in C code too, and says where it was.
    faulthandler.dump_traceback_later(seconds, exit=True, file=hang)
    random.seed(0)  # so that a script without a seed gets the same numbers on both sides
    try:
        module = install(recorder, side)
    except ValueError as error:
        recorder.give_up("bad", str(error))
    try:
        return run_script(script, args, redirected=module is miniloop)
    except BadInput as error:
        recorder.give_up("bad", str(error))
        raise
    except SyntaxError as error:
        if error.filename == recorder.program:
            recorder.give_up("bad", f"{error.filename}:{error.lineno}: {error.msg}")
        recorder.note("main", "ends with " + describe(error))
        raise
    except BaseException as error:
        recorder.note("main", "ends with " + describe(error))
        raise


def install(recorder: ScriptRecorder, side: str) -> ModuleType:
    """Record all loops of a side, and return the library that the script gets as asyncio.

    Raises ValueError if there is no such loop.
    """
    if side == "miniloop":
        recorder.install(miniloop)
        return miniloop
    if side in ("asyncio", "asyncio-known"):
        if side == "asyncio-known":
            watch(recorder)
        recorder.install(asyncio)
        return asyncio
    from miniloop.difftest import loops  # only here, because it takes time

    stand_ins = getattr(loops.load(side, loops.KNOWN), "stand_ins", None) if ":" in side else None
    if stand_ins is not None:  # it is a loop of the lab
        install_broken(recorder, stand_ins())
        return miniloop
    kind = loops.resolve(side)
    if kind.order_only:
        recorder.write("order", kind.order_only)
    recorder.install(
        kind.module,
        kind.loop_class,
        kind.task_class,
        asks_factory=kind.asks_factory,
        make_loop=kind.make if kind.order_only else None,
    )
    if side == "interop":
        children.follow("interop", "")
    return kind.module


def install_broken(recorder: ScriptRecorder, stand_ins: dict[str, Any]) -> None:
    """Record the loops of miniloop with some of its names replaced, as in a loop of the lab."""
    from miniloop.difftest.sides import with_future_class

    for name, broken in stand_ins.items():
        if name in ("EventLoop", "Task"):  # which miniloop itself makes
            recorder.replace(miniloop, vars(miniloop)[name], broken)
        else:
            setattr(miniloop, name, broken)
    loop_class = None
    if "Future" in stand_ins:
        loop_class = with_future_class(miniloop.EventLoop, stand_ins["Future"])
    recorder.install(miniloop, loop_class)


def watch(recorder: ScriptRecorder) -> None:
    """Note in the record where this Python's asyncio is known to differ from miniloop."""
    from miniloop.difftest import known  # only here, because it takes time

    stand_ins = known.StandIns()
    known.watches(functools.partial(recorder.write, "known"), stand_ins, of_scripts=True)
    for owner, name, value in stand_ins.places():
        setattr(owner, name, value)
