"""Debug mode: more checks, more reports, and a note of where everything was made.

A loop starts in debug mode under ``python -X dev`` or with ``PYTHONASYNCIODEBUG=1``, and
``loop.set_debug()`` turns it on and off. In debug mode

* the loop refuses calls from the wrong thread, and callbacks that cannot be called,
* it reports callbacks and steps that take longer than ``slow_callback_duration``,
* handles, futures and tasks note the stack in which they were made (``_source_traceback``), and
  show its last line in their ``repr()``,
* Python notes where coroutines are made, for its warning that one "was never awaited".

The core tests ``if self._debug`` and calls into this file only then. Outside debug mode a program
pays for that test and nothing more.

CPython's counterparts are the lines under ``self._debug`` all over ``asyncio/base_events.py``,
``events.py`` and ``futures.py``, and ``extract_stack`` in ``asyncio/format_helpers.py``.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from contextvars import Context
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from .coroutines import _iscoroutinefunction, iscoroutine
from .current import _register_task

if TYPE_CHECKING:
    from ..core.handles import Handle
    from ..core.loop import BaseEventLoop
    from ..core.tasks import Task

Loop = Any  # means BaseEventLoop, but mypy accepts no subclass as the type of `self`

logger = logging.getLogger("asyncio")  # asyncio's own, so that one setting serves both

DEBUG_STACK_DEPTH = 10  # frames that a noted stack has at most; the number is asyncio's


def _is_debug_mode() -> bool:
    """Return True if new loops start in debug mode."""
    return sys.flags.dev_mode or (
        not sys.flags.ignore_environment and bool(os.environ.get("PYTHONASYNCIODEBUG"))
    )


class DebugMode:
    """What an event loop does in debug mode."""

    __slots__ = ()

    _debug: bool
    _current_handle: Handle | Task[Any] | None = None  # what is running, in debug mode
    _origin_tracking_depth: int | None = None  # of coroutines, before this loop changed it

    slow_callback_duration = 0.1
    """Debug mode reports callbacks and steps that take longer than this many seconds."""

    def get_debug(self) -> bool:
        """Return True in debug mode."""
        return self._debug

    def set_debug(self: Loop, enabled: bool) -> None:
        """Turn debug mode on or off: more checks, more reports, slower."""
        # Only the loop's own thread may touch the queue.
        if self._debug != enabled and self._thread_id in (None, threading.get_ident()):
            self._note_mode_of_steps()
        self._debug = enabled
        if self.is_running():  # perhaps in another thread, and Python keeps this for each thread
            self.call_soon_threadsafe(self._set_coroutine_origin_tracking, enabled)

    def _note_mode_of_steps(self: Loop) -> None:
        """Wrap each task in the ready queue in a handle that remembers the present mode.

        If a step fails, what the report says depends on the mode in which it was scheduled. A
        handle tells that mode by its stack; a bare task in the queue cannot tell it.
        """
        from ..core.handles import Handle

        for n, entry in enumerate(list(self._ready)):  # a finalizer may append to the queue
            if not isinstance(entry, Handle):
                _register_task(entry)  # all_tasks() does not see it in a handle
                step = entry._run_scheduled
                self._ready[n] = Handle(step, (self._debug,), self, Context())

    def _set_coroutine_origin_tracking(self: Loop, enabled: bool) -> None:
        """Turn Python's notes of where coroutines are made on or off, in this thread."""
        if enabled and self._origin_tracking_depth is None:
            self._origin_tracking_depth = sys.get_coroutine_origin_tracking_depth()
            sys.set_coroutine_origin_tracking_depth(DEBUG_STACK_DEPTH)
        elif not enabled and self._origin_tracking_depth is not None:
            sys.set_coroutine_origin_tracking_depth(self._origin_tracking_depth)
            self._origin_tracking_depth = None

    # -- checks --------------------------------------------------------------------------------

    def _check_call(self: Loop, callback: object, method: str) -> None:
        """Check that the loop is open, and in debug mode the thread and the callback."""
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, method)

    def _check_thread(self: Loop) -> None:
        """Raise RuntimeError if this is not the loop's own thread."""
        if self._thread_id is not None and self._thread_id != threading.get_ident():
            raise RuntimeError(
                "Non-thread-safe operation invoked on an event loop other than the current one"
            )

    def _check_callback(self, callback: object, method: str) -> None:
        """Raise TypeError if *callback* returns a coroutine, is one, or cannot be called."""
        if iscoroutine(callback) or _iscoroutinefunction(callback):
            raise TypeError(f"coroutines cannot be used with {method}()")
        if not callable(callback):
            raise TypeError(f"a callable object was expected by {method}(), got {callback!r}")

    # -- slow callbacks ------------------------------------------------------------------------

    def _run_timed(self: Loop, entry: Handle | Task[Any]) -> None:
        """Run an entry of the ready queue, and log it if it takes ``slow_callback_duration``."""
        if getattr(entry, "_cancelled", False):
            return
        self._current_handle = entry
        try:
            started = self.time()
            entry._run()
            duration = self.time() - started
            if duration >= self.slow_callback_duration:
                logger.warning("Executing %s took %.3f seconds", _format_entry(entry), duration)
        finally:
            self._current_handle = None
            entry = None  # type: ignore[assignment]  # a cycle


def _format_entry(entry: Handle | Task[Any]) -> str:
    """Return the repr of an entry; if it is a handle that steps a task, that of the task."""
    owner = getattr(getattr(entry, "_callback", None), "__self__", None)
    return repr(owner if hasattr(owner, "get_coro") else entry)


def check_waking(loop: BaseEventLoop, waiting: Any) -> None:
    """Check the loop and the thread when a future ends; note the stack in its waiting handles."""
    loop._check_closed()
    loop._check_thread()
    for entry in waiting if isinstance(waiting, list) else [waiting]:
        if hasattr(entry, "_callback"):  # a handle, not a task
            entry._source_traceback = stack_of_maker()


# -- where things were made --------------------------------------------------------------------

_CORE = Path(__file__).parent.parent / "core"
# A noted stack leaves out its last frames if they are in these files: they only make the object.
_MAKERS = {__file__, *(str(_CORE / f"{name}.py") for name in ("loop", "handles", "futures"))}
# Of these files, only if they are in these functions.
_MAKING = {(str(_CORE / "tasks.py"), name) for name in ("__init__", "_init_task")}
_MAKING |= {
    (str(_CORE.parent / "io/descriptors.py"), name) for name in ("__init__", "call_soon_threadsafe")
}


def note_maker(handle: Handle) -> None:
    """Note in a handle, if its loop is in debug mode, the stack that ends where it was made."""
    if handle._loop.get_debug():
        handle._source_traceback = stack_of_maker()


def keep_repr(handle: Handle) -> None:
    """Keep the repr of a handle that is about to forget its callback, if its loop is in debug mode.

    A report that a callback took too long needs it.
    """
    if handle._loop.get_debug():
        handle._repr = repr(handle)


def stack_of_maker() -> traceback.StackSummary:
    """Return the stack that ends in the line that called the library to make something."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (
        frame.f_code.co_filename in _MAKERS
        or (frame.f_code.co_filename, frame.f_code.co_name) in _MAKING
    ):
        frame = frame.f_back
    stack = traceback.StackSummary.extract(
        traceback.walk_stack(frame), limit=DEBUG_STACK_DEPTH, lookup_lines=False
    )
    stack.reverse()
    return stack
