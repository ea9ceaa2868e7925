"""Start the processes in which scripts run on record: an interpreter for each, or forks of one.

A process that runs a script takes longest over its imports. Where a script runs many times, a
server imports everything once, and each run is a fork of it.

What runs in such a process is `miniloop.cli.recorded.main()`, and a request is its keywords. A
process leads a group of its own, which is ended with it. What a test compares runs in a fork of the
test's process, which has all objects that the test has made.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import select
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import miniloop

CAN_FORK = hasattr(os, "fork")
"""Whether this system has forks. If not, each run starts an interpreter."""

ROOT = str(Path(miniloop.__file__).parents[1])
IMPORT = f"import json, sys; sys.path[:1] = [{ROOT!r}]; from miniloop.cli.recorded import main; "
RUN = IMPORT + "sys.exit(main(**json.loads(sys.argv[1])))"
SERVE = IMPORT + "from miniloop.difftest.processes import serve; serve(main, *sys.argv[1:])"


def interpreter(program: str, *arguments: str, streams: Sequence[Any], **options: Any) -> Any:
    """Start an interpreter with the options of this one."""
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    into, out, err = streams
    return subprocess.Popen(
        [sys.executable, *flags, "-c", program, *arguments],
        stdin=into,
        stdout=out,
        stderr=err,
        # The order in which sets of strings are iterated depends on it.
        env={**os.environ, "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "0")},
        start_new_session=True,
        **options,
    )


class Process:
    """A run in an interpreter of its own, with files as standard streams."""

    def __init__(self, streams: Sequence[Path], request: Mapping[str, Any]) -> None:
        into, out, err = streams
        with into.open("rb") as given, out.open("wb") as stdout, err.open("wb") as stderr:
            self._process = interpreter(RUN, json.dumps(request), streams=(given, stdout, stderr))

    def has_ended(self) -> bool:
        """Return whether it has ended."""
        return _has_ended(self._process.pid) if WAITS else self._process.poll() is not None

    def end(self) -> int:
        """End it, and all processes that it left running. Return its exit status."""
        _end_group(self._process.pid)
        return int(self._process.wait())


class Forks:
    """A server whose forks run scripts. It imports `modules` for them beforehand."""

    def __init__(self, modules: Iterable[str] = ()) -> None:
        theirs, self._requests = os.pipe()
        self._answers, back = os.pipe()
        self._unread = b""
        self._told: list[list[int]] = []  # of each run: its process id, later its exit status
        self._server = interpreter(
            SERVE,
            *(str(theirs), str(back), *modules),
            streams=[subprocess.DEVNULL] * 3,
            pass_fds=[theirs, back],
        )
        os.close(theirs)
        os.close(back)

    def start(self, streams: Sequence[Path], request: Mapping[str, Any]) -> Forked:
        """Start a run, with files as standard streams."""
        line = json.dumps([[str(one) for one in streams], request])
        os.write(self._requests, line.encode() + b"\n")
        self._told.append([])
        return Forked(self, len(self._told) - 1)

    def told(self, number: int, count: int, patience: float | None = None) -> list[int]:
        """Return what the server has told of a run: its process id, later also its exit status.

        Wait until these are `count` numbers, for at most `patience` seconds. Raises OSError if the
        server has ended.
        """
        known = self._told[number]
        while len(known) < count and select.select([self._answers], [], [], patience)[0]:
            data = os.read(self._answers, 1000)
            if not data:
                raise OSError("the process that starts the runs has ended")
            *lines, self._unread = (self._unread + data).split(b"\n")
            for line in lines:
                of, value = map(int, line.split())
                self._told[of].append(value)
        return known

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._requests)
        os.close(self._answers)
        self._server.wait()


class Forked:
    """A run in a fork of a server."""

    def __init__(self, forks: Forks, number: int) -> None:
        self._forks = forks
        self._number = number
        (self.pid,) = forks.told(number, 1)

    def has_ended(self) -> bool:
        """Return whether it has ended."""
        return len(self._forks.told(self._number, 2, 0)) == 2

    def end(self) -> int:
        """End it, and all processes that it left running. Return its exit status."""
        if not self.has_ended():  # afterwards its number may be another's
            _end_group(self.pid)
        return self._forks.told(self._number, 2)[1]


class Here:
    """Starts runs as forks of this process. `main()` is called there instead."""

    def __init__(self, main: Callable[..., int]) -> None:
        self._main = main

    def start(self, streams: Sequence[Path], request: Mapping[str, Any]) -> Fork:
        """Start a run, with files as standard streams."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # a test may have replaced it by anything
                stream.flush()
        with warnings.catch_warnings():
            # Since 3.12 Python warns where there are threads. No line here takes a lock of theirs.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid:
            return Fork(pid)
        status = 1
        try:
            _lead(streams)
            sys.stdin, sys.stdout, sys.stderr = (
                os.fdopen(number, mode, 1, "utf-8", "backslashreplace", closefd=False)
                for number, mode in enumerate("rww")
            )
            status = self._main(**request)
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(BaseException):
                sys.stderr.flush()
            os._exit(status)  # nothing of what this process has planned for its end


class Fork:
    """A run in a fork of this process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def has_ended(self) -> bool:
        """Return whether it has ended."""
        if WAITS:
            return _has_ended(self.pid)
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def end(self) -> int:
        """End it, and all processes that it left running. Return its exit status."""
        _end_group(self.pid)
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)  # if it leads no group yet
            _, self._status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(self._status)


def start(
    streams: Sequence[Path], request: Mapping[str, Any], forks: Forks | Here | None = None
) -> Process | Forked | Fork:
    """Start a run, with files as standard streams: a fork, or an interpreter."""
    return Process(streams, request) if forks is None else forks.start(streams, request)


def serve(main: Callable[..., int], requests: str, answers: str, *modules: str) -> None:
    """Fork for each request, and call `main()` in the fork.

    Between the server and a run stands a process that waits for the run, so runs may overlap. These
    processes, and the server when its parent closes the pipe of requests, leave by `os._exit`.
    """
    for module in modules:
        __import__(module)
    gc.collect()
    gc.freeze()  # the runs need not look at what was imported
    usual = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those between
    into, out, number = int(requests), int(answers), 0
    with os.fdopen(into, "rb") as lines:
        while line := lines.readline():
            if os.fork() == 0:
                break
            number += 1
        else:
            os._exit(0)
    signal.signal(signal.SIGCHLD, usual)
    streams, request = json.loads(line)
    try:
        pid = os.fork()
    except OSError:
        os.killpg(0, signal.SIGKILL)  # the server as well, so that its parent is told
        raise
    if pid == 0:
        _lead(streams)
        os.close(out)
        call_and_leave(lambda: main(**request))
        return
    os.write(out, b"%d %d\n" % (number, pid))
    if WAITS:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        _end_group(pid)
    _, status = os.waitpid(pid, 0)
    if not WAITS:
        _end_group(pid)
    os.write(out, b"%d %d\n" % (number, os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _lead(streams: Sequence[Any]) -> None:
    """Begin a process: let it lead a group, with files as standard streams."""
    os.setsid()
    for descriptor, (path, flags) in enumerate(zip(streams, FLAGS, strict=True)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)


def call_and_leave(main: Callable[[], int]) -> None:
    """Call a function, and let Python end the process after it, but not take everything apart.

    That takes longer than most runs.
    """
    status: int | None = None

    def leave() -> None:
        if status is not None:
            with contextlib.suppress(Exception):  # the script may have closed it
                sys.stderr.flush()
            os._exit(status)

    atexit.register(leave)  # as the last handler
    try:
        status = main()
    except SystemExit as error:
        code = error.code or 0
        status = code & 0xFF if isinstance(code, int) else 1
        raise
    except Exception:
        status = 1
        raise


FLAGS = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
"""How the standard streams are opened."""

WAITS = hasattr(os, "waitid")
"""Whether this system can tell that a process has ended, and keep its number reserved. The number
is also that of the process group that it leads, which is ended next."""


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
