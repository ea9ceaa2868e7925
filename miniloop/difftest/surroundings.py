"""What stands around a run: a watchdog, no logs, no garbage collection in mid-program."""

from __future__ import annotations

import asyncio
import asyncio.constants
import contextlib
import contextvars
import gc
import linecache
import logging
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from ..details import debug
from ..trace import Recorder, Schedule
from ..trace.recorder import describe

DEEPEST = 500
"""Frames. A task that waits for itself in a roundabout way is cancelled until there are as many;
other programs that recurse reach EVENT_LIMIT first."""
LONGEST = 5.0
"""Seconds: programs take milliseconds. One that is there so long after it was first seen hangs."""
HANGS = "hangs"
"""What is said of it."""
ENDS_WITH = "ends with "
"""What is said of a main program, before the exception."""
RINGS = 5
"""So often the watchdog looks meanwhile."""


def left_behind() -> tuple[Any, int]:
    """What of this thread's state a running loop changes, and puts back when it stops."""
    return sys.get_asyncgen_hooks(), sys.get_coroutine_origin_tracking_depth()


class Hangs(BaseException):
    """Raised in a program that has run for `LONGEST` seconds: it blocks, or never comes back."""


class Watchdog:
    """Ends programs that do not end, while `quiet`, in the main thread, where there is SIGALRM.

    What it cannot end is C code that never returns: foreign loops have a process of their own.
    """

    def __init__(self) -> None:
        self.running: Recorder | None = None
        self._seen: Recorder | None = None
        self._rings = 0
        self._handler: Any = None
        self._timer = (0.0, 0.0)
        self.on = False

    def start(self) -> None:
        """Take the signal."""
        if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGALRM, self._ring)
            self._timer = signal.setitimer(signal.ITIMER_REAL, LONGEST / RINGS, LONGEST / RINGS)
            self.on = True

    def end(self) -> None:
        """Give the signal and the timer back."""
        if self.on:
            self.on = False
            self._seen = None
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler or signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, *self._timer)  # someone else's, stopped meanwhile

    def watch(self, recorder: Recorder) -> None:
        """A program begins."""
        self.running = recorder

    def leave(self) -> None:
        """It has ended."""
        self.running = None

    def _ring(self, *_: object) -> None:
        recorder = self.running
        if recorder is None or recorder is not self._seen:
            self._seen, self._rings = recorder, 0
            return
        self._rings += 1
        # Where recording has stopped nothing is lost by ending it at once, and cancelling futures
        # that gather each other in all ways can take hours.
        if self._rings == RINGS or recorder.stopped:
            recorder.stop(HANGS)
            # Again and again, and soon: a program may catch what is raised.
            signal.setitimer(signal.ITIMER_REAL, 0.1, LONGEST / RINGS)
            raise Hangs


_watchdog = Watchdog()


def run_watched(
    recorder: Recorder, main: Callable[[], None], context: Callable[[], contextvars.Context]
) -> None:
    """Run a program, and note how it ends, and what it leaves behind in this thread.

    Here is no reference to the `context` that is made for it: a loop that gives back one that it
    has not taken shows it at once.
    """
    _warned.clear()
    before = left_behind()
    try:
        _watchdog.watch(recorder)
        context().run(main)
    except BaseException as error:
        if type(error) is KeyboardInterrupt and not error.args:
            raise  # Not the program's: someone pressed Ctrl-C.
        recorder.note("main", ENDS_WITH + describe(error))
    finally:
        _watchdog.leave()
    if left_behind() != before:
        recorder.note("main", "leaves hooks behind")
        sys.set_asyncgen_hooks(*before[0])
        sys.set_coroutine_origin_tracking_depth(before[1])


def reported(recorder: Recorder) -> Schedule:
    """The schedule of a run that has ended."""
    # With collection disabled (see `quiet`), all that they made is in the youngest generation.
    gc.collect(0)
    recorder.reports += _warned
    return recorder.schedule()


WARNINGS = ("asynchronous generator", "unclosed event loop")
"""How those begin that are reports of loops, and not of sockets, coroutines or what is outdated."""
_warned: list[str] = []
"""Since the present run began."""


_never_awaited: list[list[str]] = []
"""Who wants to know of coroutines."""


def _warn(message: Warning | str, category: object = None, *_: object, **__: object) -> None:
    if category is RuntimeWarning:
        _never_awaited[-1].append(str(message))
    else:
        _warned.append("warning: " + " ".join(str(message).split()[:2]))


@contextlib.contextmanager
def never_awaited(found: list[str]) -> Iterator[None]:
    """Collect what Python says of coroutines that were never awaited, within `quiet`."""
    _never_awaited.append(found)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("always", "coroutine .* was never awaited", RuntimeWarning)
            yield
    finally:
        _never_awaited.pop()


def unasked_loop(close: bool = False) -> Any:
    """Return the loop that asyncio has made for `get_event_loop()`; close it if asked to.

    Before Python 3.14 coroutines that are torn down can have one made.
    """
    if sys.version_info >= (3, 14):
        return None
    local: Any = getattr(asyncio.get_event_loop_policy(), "_local", None)
    loop = getattr(local, "_loop", None)
    if close and loop is not None and not loop.is_running():
        loop.close()
        local._loop = None
    return loop


class LogEvents(logging.Handler):
    """Notes what a loop logs while a program runs: callbacks that are slow, for one."""

    def emit(self, record: logging.LogRecord) -> None:  # noqa: D102
        if _watchdog.running is not None:
            # Without reprs: they have addresses.
            args = [x if isinstance(x, float | int) else "..." for x in record.args or ()]
            try:
                text = record.msg % tuple(args)
            except (TypeError, ValueError):  # the program's own words
                text = str(record.msg)
            _watchdog.running.note("logged", text)


def depth() -> int:
    """How many frames there are."""
    frame: FrameType | None = sys._getframe()
    count = 0
    while frame := frame and frame.f_back:
        count += 1
    return count


@contextlib.contextmanager
def quiet(deepest: int = DEEPEST) -> Iterator[None]:
    """For the time of many runs: no log, no warnings, no garbage collection in mid-program.

    Programs of the grammar leave tasks pending and exceptions unretrieved on purpose; what matters
    of that is in their schedules. Recursion ends `deepest` frames from here.
    """
    executors = logging.getLogger("concurrent.futures")
    was_disabled, executors.disabled = executors.disabled, True
    log = logging.getLogger("asyncio")  # and miniloop's
    had = log.handlers, log.level, log.propagate, log.disabled
    log.handlers, log.level, log.propagate, log.disabled = [LogEvents()], 30, False, False
    # Debug mode keeps stacks, and would look for each file on disk again and again. Whether there
    # is one counts, and how it ends: three frames of the library are taken off it at most.
    check, linecache.checkcache = linecache.checkcache, lambda *_: None
    keepers: tuple[Any, Any] = asyncio.constants, debug
    stacks = [module.DEBUG_STACK_DEPTH for module in keepers]
    for module in keepers:
        module.DEBUG_STACK_DEPTH = 5
    # asyncio's C code has no such constant.
    limit = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = 5
    # Any function in C: where a recursion ends there is no room for a frame.
    hook, sys.unraisablehook = sys.unraisablehook, id
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(depth() + deepest)
    was_enabled = gc.isenabled()
    gc.disable()
    freezes = gc.get_freeze_count() == 0
    if freezes:
        gc.freeze()  # collections below need not look at what was there before
    had_loop = unasked_loop()
    nested = _watchdog.on
    if not nested:
        _watchdog.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for beginning in WARNINGS:
                warnings.filterwarnings("always", beginning, ResourceWarning)
            warnings.showwarning = _warn
            try:
                yield
            finally:
                if freezes:
                    gc.unfreeze()  # also what came free meanwhile: the last loop of earlier runs
            gc.collect()
            if had_loop is None:
                unasked_loop(close=True)
    finally:
        if not nested:
            _watchdog.end()
        sys.setrecursionlimit(usual)
        if was_enabled:
            gc.enable()
        executors.disabled = was_disabled
        log.handlers, log.level, log.propagate, log.disabled = had
        sys.unraisablehook = hook
        linecache.checkcache = check
        for module, frames in zip(keepers, stacks, strict=True):
            module.DEBUG_STACK_DEPTH = frames
        if limit is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = limit
