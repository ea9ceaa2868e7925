"""Runs a file as the main program, the way `python SCRIPT` does, with its asyncio redirected."""

import asyncio
import builtins
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, TracebackType
from typing import NoReturn

from miniloop.cli import redirect
from miniloop.cli.bad_input import BadInput
from miniloop.cli.stand_in import what_is_missing


def run_script(script: str, args: Sequence[str]) -> int:
    """Run the file `script` as `__main__`, with `args` for its arguments; returns 0 at its end.

    What the script raises goes on its way up, so that Python itself reports it and gives the exit
    status. Raises BadInput where there is nothing to run, or where the script wants something that
    asyncio has and miniloop has not.
    """
    source = _read(script)
    # `python SCRIPT` makes the path absolute in just this way: "./x.py" keeps its dot.
    path = os.path.join(os.getcwd(), script)  # noqa: PTH109, PTH118
    beside = redirect.Beside(Path(script).resolve().parent)
    redirect.install(beside)
    sys.argv[:] = [script, *args]
    if not sys.flags.safe_path:
        sys.path[0] = str(beside.folder)
    module = _fresh_main(path)
    sys.modules["__main__"] = module
    try:
        code = redirect.compile_redirected(source, path)
    except Exception as error:
        _raise_as_scripts_own(error, None)
    try:
        exec(code, module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        trace = error.__traceback__.tb_next if error.__traceback__ else None  # less our own frame
        missing = what_is_missing(error.with_traceback(trace))
        if missing:
            raise BadInput(
                f"{_place(error, beside)}: miniloop has no {missing}; "
                f"`python {script}` runs it on asyncio"
            ) from None
        if isinstance(error, KeyboardInterrupt) and sys.excepthook is sys.__excepthook__:
            line = f"KeyboardInterrupt: stopped at {_place(error, beside)}"
            sys.excepthook = lambda *_: print(line, file=sys.stderr)
            raise
        _raise_as_scripts_own(error, trace)
    return 0


def _read(script: str) -> bytes:
    try:
        source = Path(script).read_bytes()
    except IsADirectoryError:
        raise BadInput(f"{script!r} is a folder; name the script in it") from None
    except OSError as error:
        raise BadInput(f"can't open {script!r}: {error.strerror}") from None
    if b"\0" in source:
        raise BadInput(f"{script!r} is not Python source; name a .py file")
    return source


def _fresh_main(path: str) -> ModuleType:
    module = ModuleType("__main__")
    module.__loader__ = SourceFileLoader("__main__", path)
    module.__annotations__ = {}
    module.__dict__["__builtins__"] = builtins
    module.__file__ = path
    module.__dict__["__cached__"] = None
    return module


def _raise_as_scripts_own(error: BaseException, trace: TracebackType | None) -> NoReturn:
    """Raise on, and let Python report the error with `trace`, in which no frame is ours.

    The frames between here and the top are added while the error rises, so they are cut off again
    in the last moment. It has to rise: only then does Python act as it does for its own script, up
    to dying of SIGINT after a KeyboardInterrupt.
    """
    report = sys.excepthook
    sys.excepthook = lambda kind, error, _: report(kind, error.with_traceback(trace), trace)
    raise error


def _place(error: BaseException, beside: redirect.Beside) -> str:
    """The line of the script, or of a module beside it, that was running when `error` came up."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    # asyncio.run() cancels the main task and then raises a KeyboardInterrupt of its own: the
    # CancelledError in its context knows where that task was.
    if isinstance(error.__context__, asyncio.CancelledError):
        error = error.__context__
    own = [
        f"{frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename in beside
    ]
    return own[-1] if own else str(beside.folder)
