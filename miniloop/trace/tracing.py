"""Recorders that watch: the schedule is recorded as `compare` does it, and each cause with it."""

from __future__ import annotations

import contextlib
import functools
import io
import sys
from pathlib import Path
from types import CoroutineType
from typing import Any

import miniloop

from .clock import Stuck
from .document import Document, assemble
from .places import cut
from .recorder import Recorder, Steps, describe, on_virtual_time, suspended_at
from .scripts import ScriptRecorder, without_own_names
from .watch import MOST_STEPS, Watch


@functools.cache
def watched(steps_class: Any) -> Any:
    """Return a class of steps that tell the recorder's watch when they begin and end."""

    class Watched(steps_class):  # type: ignore[misc]
        __slots__ = ("trace_number",)

        def send(self, value: Any) -> Any:
            watch: Watch = self._recorder.watch
            watch.enter(self.trace_number, None)
            try:
                yielded = super().send(value)
            except BaseException as error:
                watch.left(self.trace_number, None, None, error)
                raise
            watch.left(self.trace_number, self.inner, yielded, None)
            return yielded

        def throw(self, *error: Any) -> Any:
            watch: Watch = self._recorder.watch
            watch.enter(self.trace_number, error[0])
            try:
                yielded = super().throw(*error)
            except BaseException as raised:
                watch.left(self.trace_number, None, None, raised)
                raise
            watch.left(self.trace_number, self.inner, yielded, None)
            return yielded

    return Watched


def note_holders(module: Any, watch: Watch) -> list[tuple[Any, str, Any]]:
    """Make the locks and semaphores of a library note which tasks hold them.

    Returns what was replaced: class, name, and what stood there.
    """
    replaced: list[tuple[Any, str, Any]] = []
    for kind in (module.Lock, module.Semaphore):
        acquire, release = kind.acquire, kind.release
        replaced += [(kind, "acquire", acquire), (kind, "release", release)]
        kind.acquire, kind.release = _acquiring(acquire, watch), _releasing(release, watch)
    return replaced


def _acquiring(acquire: Any, watch: Watch) -> Any:
    @functools.wraps(acquire)
    async def acquire_and_note(self: Any) -> Any:
        result = await acquire(self)
        if watch.task is not None:
            vars(self).setdefault("_trace_holders", []).append(watch.task)
        return result

    return acquire_and_note


def _releasing(release: Any, watch: Watch) -> Any:
    @functools.wraps(release)
    def release_and_note(self: Any) -> Any:
        holders = vars(self).get("_trace_holders")
        if holders:
            holders.remove(watch.task if watch.task in holders else holders[0])
        return release(self)

    return release_and_note


def note_cancels(task_class: Any, watch: Watch) -> list[tuple[Any, str, Any]]:
    """Make the tasks of a class note that a CancelledError is on its way to them.

    Mostly `cancel()` ends what the task waits for, and that puts the task into the ready queue. But
    a task that is ready or running has only a mark for its next step.
    Returns what was replaced, as `note_holders()` does.
    """
    cancel = task_class.cancel

    @functools.wraps(cancel)
    def cancel_and_note(self: Any, *args: Any, **options: Any) -> Any:
        done = cancel(self, *args, **options)
        if getattr(self, "_must_cancel", False):
            watch.marked(self, sys._getframe(1))
        return done

    task_class.cancel = cancel_and_note
    return [(task_class, "cancel", cancel)]


ENDS_WITH = "ends with "
"""How the note begins that the main program has ended with an exception."""

NO_STEPS = {"print", "handler", "logged", "main"}
"""Who has made an event of the schedule, if it was no step of a task."""


def place_seen(watch: Watch, program: str, coro: Any) -> str:
    """Return what `suspended_at()` does, and tell the watch where the coroutine stands."""
    watch.stood = watch.files.standing(coro)
    stood, _ = watch.stood
    if stood.in_schedule:
        return stood.in_schedule
    place = suspended_at(coro, program)
    if stood.codes and stood.codes[0].co_filename == program:
        stood.in_schedule = place
    return place


class Tracing:
    """Makes a `Recorder` one that watches. It stands before the recorder among the bases."""

    watch: Watch
    ending = "finished", "The program has ended."
    """How the run ends, unless something stops it."""

    def steps(self, coro: Any, steps_class: Any) -> Steps:
        """Wrap a coroutine in one whose steps are recorded and watched."""
        steps: Any = super().steps(coro, watched(steps_class))  # type: ignore[misc]
        name = getattr(steps.inner, "__name__", type(steps.inner).__name__)
        steps.trace_number = self.watch.made(steps.inner, name, sys._getframe(1))
        return steps  # type: ignore[no-any-return]

    def note(self, who: str, what: str) -> None:
        """Note an event of the schedule, and tell the watch of it if it is not a step."""
        if who in NO_STEPS:
            self._show(who, what)
        super().note(who, what)  # type: ignore[misc]

    def _show(self, who: str, what: str) -> None:
        if who == "print":
            self.watch.printed(what, sys._getframe(2))
        elif who in ("handler", "logged"):
            self.watch.reported(what)
        elif who == "main" and what.startswith(ENDS_WITH):
            how, error = what.removeprefix(ENDS_WITH), sys.exception()
            if type(error) is RuntimeError:  # `compare` leaves out how a library goes on
                how = f"RuntimeError({cut(str(error), 200)})"
            self.ending = "exception", f"The program has ended with {how}."


class TracingRecorder(Tracing, Recorder):
    """Records a program in this process, with causes; `facts` is for `document.assemble()`."""

    def __init__(self, *args: Any, most_steps: int = MOST_STEPS) -> None:
        Recorder.__init__(self, *args)
        self.watch = Watch(self.clock, self.program, most_steps)
        self.place = functools.partial(place_seen, self.watch, self.program)
        self.facts = self.watch.facts

    def stop(self, reason: str = "") -> None:
        """Record no more, neither events nor causes."""
        if reason:
            self.watch.end("cut", reason)
        else:
            self.watch.end(*self.ending)
        super().stop(reason)


def record(
    main: CoroutineType[Any, Any, object],
    loop_class: Any = miniloop.EventLoop,
    *,
    most_steps: int = MOST_STEPS,
    most_ticks: int = 100_000,
) -> Document:
    """Run a coroutine on a new loop, on virtual time, and return its trace.

    *loop_class* is ``miniloop.EventLoop``, for a coroutine that uses miniloop, or
    ``asyncio.SelectorEventLoop``. What the coroutine prints goes into the trace. If it raises, or
    waits for ever, the trace says so, and this function returns it all the same. Only
    KeyboardInterrupt passes through.
    """
    recorder = run_watched(main, loop_class, most_steps=most_steps, most_ticks=most_ticks)
    library = loop_class.__module__.partition(".")[0]
    return assemble(recorder.facts, Path(recorder.program).name, library)


def run_watched(
    main: CoroutineType[Any, Any, object],
    loop_class: Any = miniloop.EventLoop,
    *,
    most_steps: int = MOST_STEPS,
    most_ticks: int = 100_000,
) -> TracingRecorder:
    """Run a coroutine as `record()` does, and return the recorder with what was seen."""
    library: Any = sys.modules[loop_class.__module__.partition(".")[0]]
    recorder = TracingRecorder(main.cr_code.co_filename, most_ticks, most_steps=most_steps)
    watch = recorder.watch
    loop = on_virtual_time(loop_class)(recorder)
    loop.set_task_factory(recorder.task_factory(library.Task))
    watch.attach(loop)
    replaced = note_holders(library, watch)
    if library is miniloop:  # asyncio's class is in C, and takes no other method
        replaced += note_cancels(library.Task, watch)
    try:
        with contextlib.redirect_stdout(Lines(watch)):
            loop.run_until_complete(main)
    except Stuck as stuck:
        watch.end("deadlock" if stuck.for_ever else "endless", str(stuck))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        watch.end("exception", f"The program has ended with {describe(error)}.")
    finally:
        recorder.stop()
        for owner, name, value in replaced:
            setattr(owner, name, value)
        loop.close()
    return recorder


class Lines(io.TextIOBase):
    """A standard output that tells a watch each line."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._rest = ""

    def write(self, text: str) -> int:
        """Tell the lines that are complete by now."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._watch.printed(line, sys._getframe(1))
        return len(text)


class TracingScriptRecorder(Tracing, ScriptRecorder):
    """Records a script, with causes. The lines of its watch stand in the same file."""

    def __init__(
        self,
        out: Any,
        program: str,
        tick_limit: int,
        real_time: bool,
        most_steps: int = MOST_STEPS,
    ) -> None:
        ScriptRecorder.__init__(self, out, program, tick_limit, real_time)
        self.watch = Watch(
            self.clock,
            program,
            most_steps,
            lambda facts: self.write("t", *facts),
            self.give_up,
        )
        seen = functools.partial(place_seen, self.watch, program)
        self.place = lambda coro: without_own_names(seen(coro))

    def install(self, module: Any, *args: Any, **options: Any) -> None:
        """Replace the loops of the library `module` by ones that are recorded and watched."""
        super().install(module, *args, **options)
        note_holders(module, self.watch)
        note_cancels(module.Task, self.watch)

    def loop_made(self, loop: Any) -> None:
        """Watch a loop that was made."""
        self.watch.attach(loop)

    def give_up(self, kind: str, text: str) -> None:
        """End the process, and the trace with it."""
        self.watch.end(kind, text)
        super().give_up(kind, text)

    def finish(self) -> None:
        """End the trace with the process."""
        sys.stdout.flush()
        self.watch.end(*self.ending)
        super().finish()
