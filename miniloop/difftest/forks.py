"""Processes that begin as copies of one that has imported everything.

A process that runs a script on record takes longest over its imports. Where the same script runs a
hundred times, they are done once, in a server, and each run is a fork of it. Where the system has
no fork, `available()` is false, and each run starts an interpreter.

The server gets a line of JSON for each run: the files for the three standard streams, and the
arguments. It answers with the process id, and again when that process has ended, with its status.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import miniloop

START = (
    "import sys; sys.path[:1] = [{root!r}]; from miniloop.cli.{module} import main; "
    "from miniloop.difftest.forks import serve; sys.exit(main(*serve({requests}, {answers})))"
)
"""What the server runs. It returns from `serve()` in each fork."""


def available() -> bool:
    """Return whether this system can do it."""
    return hasattr(os, "fork") and hasattr(os, "waitid")


class Forks:
    """A server whose forks run `miniloop.cli.{module}`. Close it when all runs are over."""

    def __init__(self, module: str, environment: dict[str, str]) -> None:
        self._module = module
        theirs, self._requests = os.pipe()
        self._answers, back = os.pipe()
        self._rest = b""
        root = str(Path(miniloop.__file__).parents[1])
        start = START.format(root=root, module=module, requests=theirs, answers=back)
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        self._server = subprocess.Popen(
            [sys.executable, *flags, "-c", start],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            pass_fds=[theirs, back],
            start_new_session=True,
        )
        os.close(theirs)
        os.close(back)

    def start(self, module: str, streams: Sequence[Path], arguments: Sequence[str]) -> Forked:
        """Start a run, whose standard streams are these files."""
        assert module == self._module
        request = json.dumps([[str(one) for one in streams], list(arguments)])
        os.write(self._requests, request.encode() + b"\n")
        return Forked(self, int(self.answer()))

    def answered(self) -> bool:
        """Return whether there is an answer, without waiting."""
        return bool(self._rest or select.select([self._answers], [], [], 0)[0])

    def answer(self) -> str:
        """Return the next answer. Raises OSError if the server has ended."""
        while b"\n" not in self._rest:
            data = os.read(self._answers, 1000)
            if not data:
                raise OSError("the process that starts the runs has ended")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def close(self) -> None:
        """End the server."""
        os.close(self._requests)
        os.close(self._answers)
        self._server.wait()


class Forked:
    """One run: as much of `subprocess.Popen` as `run_side()` uses."""

    def __init__(self, forks: Forks, pid: int) -> None:
        self._forks = forks
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal, or None if the run has not ended."""
        return self.wait() if self._status is not None or self._forks.answered() else None

    def wait(self) -> int:
        """Wait for the end, and return the exit status."""
        if self._status is None:
            self._status = int(self._forks.answer())
        return self._status


def serve(requests: int, answers: int) -> list[str]:
    """Fork for each request; return in the fork, with the arguments of its run.

    The server itself leaves through `os._exit` when its parent closes the pipe of requests.
    """
    gc.collect()
    gc.freeze()  # the runs need not look at what was imported
    with os.fdopen(os.dup(requests), "rb") as lines:
        for line in lines:
            streams, arguments = json.loads(line)
            pid = os.fork()
            if pid == 0:
                os.setsid()
                for number, (path, flags) in enumerate(zip(streams, FLAGS, strict=True)):
                    opened = os.open(path, flags, 0o600)
                    os.dup2(opened, number)
                    os.close(opened)
                os.close(requests)
                os.close(answers)
                return arguments  # type: ignore[no-any-return]
            os.write(answers, b"%d\n" % pid)
            # Its number is reserved until it is waited for, and that of its group with it.
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            _end_group(pid)
            _, status = os.waitpid(pid, 0)
            os.write(answers, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


FLAGS = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
"""How the standard streams are opened."""


def _end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
