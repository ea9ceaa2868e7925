"""Run a script and record what its loops do: what happens in a process of `difftest.processes`.

Commands that run scripts start such a process for each run (`difftest.scripts`). `main()` is all
that it runs, and the record is written to a file (see `miniloop.trace.scripts`).
"""

from __future__ import annotations

import asyncio
import faulthandler
import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import miniloop
from miniloop.cli import BadInput, children, program, stand_in
from miniloop.cli.script import run_script
from miniloop.trace.recorder import describe
from miniloop.trace.scripts import ScriptRecorder, recording


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
    recorder = recording(record, program.file_of(script), ticks, real_time, recorder_class)
    if explored is not None:
        from miniloop.explore.permutation import permute

        permute(recorder, *explored)
    hang = Path(record + ".hang").open("w")  # noqa: SIM115  # for the rest of the process
    # This stops even a script that never gives control back, in C code too, and says where it was.
    faulthandler.dump_traceback_later(seconds, exit=True, file=hang)
    try:
        module = install(recorder, side)
    except ValueError as error:
        recorder.give_up("bad", str(error))
    try:
        return run_script(script, args, redirected=module is not asyncio)
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
    for module in (asyncio, miniloop):
        if side == module.__name__:
            recorder.install(module)
            return module
    from miniloop.difftest import loops, sides  # only here, because it takes time

    name = side.removesuffix("-known")
    if name not in loops.KNOWN:
        loops.load(name, loops.KNOWN)  # else the error would offer names that only fuzz has
    module = sides.side(name).install(recorder)
    if side == "interop":
        children.follow("interop", "")
    if module is not asyncio:  # it may have names of a loop of the lab
        stand_in.install()
        vars(sys.modules[stand_in.NAME]).update(
            {name: vars(module)[name] for name in miniloop.__all__}
        )
    return module
