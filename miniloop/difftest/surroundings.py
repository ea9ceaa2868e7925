"""Prepare a run: a watchdog, no logs, and no garbage collection in the middle of a program."""

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
"""The most frames on the stack. If a task waits for itself in a roundabout way, cancelling it
recurses until there are so many. Other programs that recurse reach EVENT_LIMIT first."""
LONGEST = 5.0
"""Seconds after which a program counts as hanging. Programs take milliseconds."""
HANGS = "hangs"
"""How a hanging run is described."""
ENDS_WITH = "ends with "
"""How the end of a main program is described, before its exception."""
RINGS = 5
"""How often the watchdog looks in that time."""


def left_behind() -> tuple[Any, int]:
    """Return the state of this thread that a running loop changes, and restores when it stops."""
    return sys.get_asyncgen_hooks(), sys.get_coroutine_origin_tracking_depth()


class Hangs(BaseException):
    """Raised in a program that has run for `LONGEST` seconds: it blocks, or never ends."""


class Watchdog:
    """Ends programs that do not end, inside `quiet`, in the main thread, if there is SIGALRM.

    It cannot end C code that never returns. That is why foreign loops have their own process.
    """

    def __init__(self) -> None:
        self.running: Recorder | None = None
        self._seen: Recorder | None = None
        self._rings = 0
        self._handler: Any = None
        self._timer = (0.0, 0.0)
        self.on = False

    def start(self) -> None:
        """Begin to use the signal and the timer."""
        if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGALRM, self._ring)
            self._timer = signal.setitimer(signal.ITIMER_REAL, LONGEST / RINGS, LONGEST / RINGS)
            self.on = True

    def end(self) -> None:
        """Restore the signal and the timer."""
        if self.on:
            self.on = False
            self._seen = None
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler or signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, *self._timer)  # one set before, and stopped

    def watch(self, recorder: Recorder) -> None:
        """Begin to watch a program."""
        self.running = recorder

    def leave(self) -> None:
        """Stop watching: the program has ended."""
        self.running = None

    def _ring(self, *_: object) -> None:
        recorder = self.running
        if recorder is None or recorder is not self._seen:
            self._seen, self._rings = recorder, 0
            return
        self._rings += 1
        # If recording has stopped, ending the run at once loses nothing. Cancelling futures that
        # gather each other in many ways can take hours.
        if self._rings == RINGS or recorder.stopped:
            recorder.stop(HANGS)
            # Again and again, and soon, because a program may catch the exception.
            signal.setitimer(signal.ITIMER_REAL, 0.1, LONGEST / RINGS)
            raise Hangs


_watchdog = Watchdog()


def run_watched(recorder: Recorder, main: Callable[[], None]) -> None:
    """Run a program, and note how it ends and what it leaves behind in this thread.

    This function keeps no reference to the context that it makes for the program. So a loop that
    releases a context too often is noticed at once.
    """
    _warned.clear()
    before = left_behind()
    try:
        _watchdog.watch(recorder)
        contextvars.Context().run(main)
    except BaseException as error:
        if type(error) is KeyboardInterrupt and not error.args:
            raise  # Not from the program: the user pressed Ctrl-C.
        recorder.note("main", ENDS_WITH + describe(error))
    finally:
        _watchdog.leave()
    if left_behind() != before:
        recorder.note("main", "leaves hooks behind")
        sys.set_asyncgen_hooks(*before[0])
        sys.set_coroutine_origin_tracking_depth(before[1])


def reported(recorder: Recorder) -> Schedule:
    """Return the schedule of a run that has ended."""
    # With collection disabled (see `quiet`), all new objects are in the youngest generation.
    gc.collect(0)
    recorder.reports += _warned
    return recorder.schedule()


WARNINGS = ("asynchronous generator", "unclosed event loop")
"""The beginnings of warnings about loops, not about sockets, coroutines or old names."""
_warned: list[str] = []
"""The warnings since the present run began."""


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    _warned.append("warning: " + " ".join(str(message).split()[:2]))


def unasked_loop(close: bool = False) -> Any:
    """Return the loop that asyncio has made for `get_event_loop()`. Close it if asked to.

    Before Python 3.14, tearing down a coroutine may make such a loop.
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
    """Notes what a loop logs while a program runs, such as slow callbacks."""

    def emit(self, record: logging.LogRecord) -> None:  # noqa: D102
        if _watchdog.running is not None:
            # Without reprs, because they have addresses in them.
            args = [x if isinstance(x, float | int) else "..." for x in record.args or ()]
            try:
                text = record.msg % tuple(args)
            except (TypeError, ValueError):  # a message of the program itself
                text = str(record.msg)
            _watchdog.running.note("logged", text)


def depth() -> int:
    """Return how many frames are on the stack."""
    frame: FrameType | None = sys._getframe()
    count = 0
    while frame := frame and frame.f_back:
        count += 1
    return count


@contextlib.contextmanager
def quiet(deepest: int = DEEPEST, watched: bool = True) -> Iterator[None]:
    """In the block, have no log, no warnings, and no garbage collection in the middle of a program.

    Programs of the grammar leave tasks pending and exceptions unretrieved on purpose. If that
    matters, it is in their schedules. Recursion ends `deepest` frames from here. Unless they are
    `watched`, there is no watchdog, whose signal would wake loops that wait in real time.
    """
    executors = logging.getLogger("concurrent.futures")
    was_disabled, executors.disabled = executors.disabled, True
    log = logging.getLogger("asyncio")  # and miniloop's
    had = log.handlers, log.level, log.propagate, log.disabled
    log.handlers, log.level, log.propagate, log.disabled = [LogEvents()], 30, False, False
    # Debug mode keeps stacks, and would look for each file on disk again and again. Only the end of
    # a stack matters, from which at most three frames of the library are removed.
    check, linecache.checkcache = linecache.checkcache, lambda *_: None
    keepers: tuple[Any, Any] = asyncio.constants, debug
    stacks = [module.DEBUG_STACK_DEPTH for module in keepers]
    for module in keepers:
        module.DEBUG_STACK_DEPTH = 5
    # asyncio's C code has no such constant.
    limit = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = 5
    # A function in C, because at the end of a recursion there is no room for a frame.
    hook, sys.unraisablehook = sys.unraisablehook, id
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(depth() + deepest)
    was_enabled = gc.isenabled()
    gc.disable()
    freezes = gc.get_freeze_count() == 0
    if freezes:
        gc.freeze()  # the collections below need not look at older objects
    had_loop = unasked_loop()
    starts = watched and not _watchdog.on
    if starts:
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
                    gc.unfreeze()  # this frees the last loop of earlier runs, too
            if had_loop is None:
                unasked_loop(close=True)  # first, because it holds what programs gave to it
            gc.collect()
    finally:
        if starts:
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
