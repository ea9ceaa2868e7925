"""Run a script or an async function on a side, for `assert_same_schedule` and its kin.

Programs of the grammar run by the thousand and need little (see `sides`). What people write makes
its loops in any way, prints anything, draws random numbers and starts threads. Such a program runs
in a fork of this process, recorded as `miniloop compare` records a script (see `trace.scripts`).
The fork has all objects that a test has made, and may replace all that it likes: it never returns.
"""

from __future__ import annotations

import asyncio
import builtins
import concurrent.futures.thread
import functools
import gc
import inspect
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

import miniloop

from .. import runners
from ..details import current
from ..trace.recorder import describe
from ..trace.scripts import ScriptRecorder, recording
from . import surroundings
from .processes import CAN_FORK, Here
from .programs import FILE_NAME
from .scripts import Run, run_side
from .sides import Side

TICK_LIMIT = 10_000
WAITS = "waits for ever"
"""The event of a main program whose loop nothing can wake."""

Written = CodeType | Callable[..., Any]
"""A compiled script, or an async function without parameters."""

Prepare = Callable[[ScriptRecorder], object]
"""What is called in the fork before anything is recorded."""


def run_written(side: Side, program: Written, prepare: Prepare | None = None) -> Run:
    """Run a script or function on a side, in a fork of this process, and return what it did.

    How it ended is in its schedule: as an event if nothing could wake its loop or if its process
    was left, as the reason of a cut if it took more than `surroundings.LONGEST` seconds.

    Raises RuntimeError where there is no `os.fork`, ValueError for a loop that cannot be recorded.
    """
    if not CAN_FORK:
        raise RuntimeError(
            "this system has no os.fork(), in which functions run on record: put the program into "
            "a file, and run `miniloop compare FILE`"
        )
    start = Here(functools.partial(_main, side, program, prepare))
    limits: dict[str, Any] = {"ticks": TICK_LIMIT, "seconds": surroundings.LONGEST, "margin": 0}
    run = run_side(side.name, file_of(program), forks=start, **limits)
    schedule, (kind, why) = run.schedule, run.stopped or ("", "")
    if kind == "bad":
        raise ValueError(why)
    now = len(schedule.timeouts), schedule.rows[-1][1] if schedule.rows else 0
    if run.cut_off:
        schedule.cut = surroundings.HANGS
    elif kind == "deadlock":
        schedule.rows.append((*now, "main", WAITS))
    elif not (kind or run.complete):
        schedule.rows.append((*now, "process", run.how_it_ended))
    schedule.rows = [(*row[:3], row[3].replace("\n", "\\n")) for row in schedule.rows]
    schedule.reports += [f"past sys.stdout: {line}" for line in run.wrote.splitlines()]
    return run


# -- in the fork -----------------------------------------------------------------------------------


def _main(
    side: Side,
    program: Written,
    prepare: Prepare | None,
    /,
    *,
    record: str,
    ticks: int,
    seconds: float,
    **_: Any,
) -> int:
    """Run a program on record, in a fork. Return the exit status."""
    forget_the_test()
    # If the test is killed, nobody is left who ends a program that computes for ever.
    signal.setitimer(signal.ITIMER_PROF, 10 + 4 * seconds)
    recorder = recording(record, file_of(program), ticks)
    recorder.began = 0.0
    recorder.tasks = []  # all live to the end, or it would show what a traceback of C code holds
    if prepare is not None:
        prepare(recorder)
    names = Names()
    names.install(side, recorder)
    status = 0
    try:
        if isinstance(program, CodeType):
            exec(program, names.of_script())
        else:
            names.give(program)
            run_function(side, program, names)
    except BaseException as error:
        recorder.note("main", surroundings.ENDS_WITH + describe(error))
        if not (isinstance(error, SystemExit) and error.code in (None, 0)):
            status = 1
            traceback.print_exc(limit=-4)
    vars(threading)["_shutdown"]()  # waits for threads, as Python does at its end
    recorder.finish()
    return status


_kept: list[Any] = []


def forget_the_test() -> None:
    """Leave behind what the process had before: loops, warnings, signals, and what would end it."""
    gc.freeze()  # objects of the test must not die here, and do again what they do then
    policy, mine = vars(asyncio.events).get("_event_loop_policy"), vars(current._thread)
    _kept.extend([policy, *mine.values(), sys.modules["__main__"]])  # for the same reason
    mine.clear()
    sys.modules["__main__"] = ModuleType("__main__")  # which is emptied at the end
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    asyncio.set_event_loop_policy(None)
    warnings.filterwarnings("always", "coroutine .* was never awaited", RuntimeWarning)
    warnings.showwarning = lambda *_: None
    if sys.version_info < (3, 13):  # where asyncio sets no timer while threads end
        vars(runners)["_THREAD_JOIN_TIMEOUT"] = None
    pools = vars(concurrent.futures.thread)
    pools["_threads_queues"].clear()
    vars(threading)["_threading_atexits"][:] = [pools["_python_exit"]]


class Names:
    """What the names of asyncio, miniloop and time mean on a side: its library, virtual time."""

    def __init__(self) -> None:
        """Remember what the names mean before anything is replaced."""
        self._had = {
            id(value): (value, real, name)
            for real in (time, miniloop, asyncio)
            for name, value in vars(real).items()
            if callable(value)
        }
        self.library: Any = asyncio

    def install(self, side: Side, recorder: ScriptRecorder) -> None:
        """Record the loops of a side, whose library the names mean from now on."""
        module = side.install(recorder)
        self._modules: dict[int, Any] = {id(miniloop): asyncio}
        if module is asyncio:
            return
        self.library = ModuleType("asyncio")
        vars(self.library).update({name: getattr(module, name) for name in dir(module)})
        self._modules = {id(one): self.library for one in (asyncio, miniloop)}
        for name, part in vars(asyncio).items():
            if isinstance(part, ModuleType) and part.__name__ == f"asyncio.{name}":
                ours = self._modules[id(part)] = ModuleType(part.__name__)
                vars(ours).update({key: self.ours(value) for key, value in vars(part).items()})
                setattr(self.library, name, ours)

    def ours(self, real: Any) -> Any:
        """Return what a module, function or class is on this side. It may be itself."""
        if isinstance(real, ModuleType):
            return self._modules.get(id(real), real)
        had, of, name = self._had.get(id(real), (None, None, ""))
        if had is not real or real is None:
            return real
        return getattr(time if of is time else self.library, name, real)

    def of_script(self) -> dict[str, Any]:
        """Return the names of the main program that a script is."""

        def import_(name: str, *rest: Any, **keywords: Any) -> Any:
            made = __import__(name, *rest, **keywords)
            return made if name.startswith("miniloop.") else self.ours(made)

        names = vars(sys.modules["__main__"])
        names["__builtins__"] = {**vars(builtins), "__import__": import_}
        return names

    def give(self, function: Any) -> None:
        """Let the names in the modules of a function mean what they mean on this side."""
        for one in layers(function):
            names = one.__globals__
            names.update({name: self.ours(value) for name, value in list(names.items())})


def run_function(side: Side, function: Any, names: Names) -> None:
    """Run an async function in a loop of the side."""
    if isinstance(function, functools.partial):
        function = functools.partial(names.ours(function.func), *function.args, **function.keywords)
    # With a factory, asyncio accepts loops that do not inherit from its own.
    own = {"loop_factory": names.library.SelectorEventLoop} if side.kind else {}
    with names.library.Runner(**own) as runner:
        made = function()
        if not inspect.isawaitable(made):  # of which asyncio says something else on some Pythons
            raise TypeError(f"an async function was expected, not one that returns {made!r}")
        runner.run(made)


def layers(function: Any) -> list[Any]:
    """Return a function and those that it wraps, from outside, without those of libraries."""
    found = []
    while function is not None:
        names = getattr(function, "__globals__", None)
        if names and names.get("__name__", "").partition(".")[0] not in ("asyncio", "miniloop"):
            found.append(function)
        partial = isinstance(function, functools.partial)
        function = function.func if partial else getattr(function, "__wrapped__", None)
    return found


def file_of(program: Written) -> str:
    """Return the path of the file whose lines are shown, or the name that stands for a text."""
    if isinstance(program, CodeType):
        return FILE_NAME
    code = [one.__code__ for one in layers(program)]
    return code[-1].co_filename if code else ""
