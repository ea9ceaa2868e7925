"""Run a file or a module as the main program, as Python does it, with its asyncio redirected.

One thing cannot be hidden from the script: the functions that started it stand below it on the
stack. `traceback.print_stack()` shows them, and "created at" in debug mode may show them, too.
"""

import asyncio
import atexit
import builtins
import os
import runpy
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import BuiltinImporter, SourceFileLoader
from itertools import pairwise
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from miniloop.cli import BadInput, children, program, redirect
from miniloop.cli.stand_in import what_is_missing


def run_script(script: str, args: Sequence[str], *, redirected: bool = True) -> int:
    """Run `script` (`script.py` or `-m module`) as `__main__`, with `args`; return 0 at its end.

    Unless `redirected`, the script gets the real asyncio.

    An exception of the script passes through, so that Python itself reports it and chooses the exit
    status. Raises BadInput if there is nothing to run, or if the script needs something that
    asyncio has and miniloop has not.
    """
    module = program.module_of(script)
    source = b"" if module else _read(script)
    beside = redirect.Beside(program.folder_of(script))
    if redirected:
        redirect.install(beside)
        children.follow("core", beside.folder)
    sys.argv[:] = ["-m" if module else script, *args]
    if not sys.flags.safe_path:
        sys.path[0] = os.getcwd() if module else str(beside.folder)
    try:
        if module:
            _run_module(module)
        else:
            compiled = redirect.compile_redirected if redirected else _compiled
            _run_file(compiled, source, program.file_of(script))
    except SystemExit:
        raise
    except BaseException as error:
        if not module:
            atexit.register(_forget_file, sys.modules["__main__"])
        _cut_our_frames(error)
        missing = redirected and what_is_missing(error)
        if missing:
            raise BadInput(
                f"{_place(error, beside)}: miniloop has no {missing}; "
                f"`run --interop {script}` takes it from asyncio"
            ) from None
        _report_as_it_is_now(error, beside)
        raise
    return 0


def _read(script: str) -> bytes:
    if script.endswith(".ipynb"):
        raise BadInput(
            f"{script!r} is a notebook: `jupyter nbconvert --to script {script}` makes a script of "
            "it; in the notebook itself, call miniloop.run() instead of asyncio.run()"
        )
    try:
        source = Path(script).read_bytes()
    except IsADirectoryError:
        raise BadInput(f"{script!r} is a folder; name the script in it") from None
    except OSError as error:
        raise BadInput(f"can't open {script!r}: {error.strerror}") from None
    if b"\0" in source:
        raise BadInput(f"{script!r} is not Python source; name a .py file")
    return source


def _compiled(source: bytes, path: str) -> CodeType:
    return compile(source, path, "exec", dont_inherit=True)


def _fresh_main() -> ModuleType:
    """Make `__main__` as it is before Python runs anything in it."""
    main = ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    sys.modules["__main__"] = main
    if "__mp_main__" in sys.modules:
        sys.modules["__mp_main__"] = main  # where multiprocessing looks for it
    return main


def _run_file(compiled: Callable[[bytes, str], CodeType], source: bytes, path: str) -> None:
    main = _fresh_main()
    main.__loader__ = SourceFileLoader("__main__", path)
    main.__file__ = path
    if sys.version_info < (3, 15):
        main.__dict__["__cached__"] = None
    exec(compiled(source, path), main.__dict__)
    _forget_file(main)


def _forget_file(main: ModuleType) -> None:
    """Remove from `__main__` the names that Python removes when the script has ended."""
    main.__dict__.pop("__file__", None)
    main.__dict__.pop("__cached__", None)


def _run_module(name: str) -> None:
    main = _fresh_main()
    main.__loader__ = BuiltinImporter
    # Python itself calls this function for -m. It fills the `__main__` that it finds.
    vars(runpy)["_run_module_as_main"](name)


def _cut_our_frames(error: BaseException) -> None:
    """Remove the frames of this package from the tracebacks of `error` and of its causes."""
    errors = [error]
    for one in errors:  # grows on the way
        kept = [entry for entry in _entries(one.__traceback__) if not _is_ours(entry)]
        for entry, following in pairwise(kept):
            entry.tb_next = following
        if kept:
            kept[-1].tb_next = None
        one.__traceback__ = kept[0] if kept else None
        led_to_it = [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            led_to_it += one.exceptions
        for other in led_to_it:
            if other is not None and not any(other is known for known in errors):
                errors.append(other)


def _entries(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace:
        yield trace
        trace = trace.tb_next


def _is_ours(entry: TracebackType) -> bool:
    return Path(entry.tb_frame.f_code.co_filename).parent == Path(__file__).parent


def _report_as_it_is_now(error: BaseException, beside: redirect.Beside) -> None:
    """Let Python report `error` at the top of the stack, with the traceback that it has now.

    The error must pass through to the top, because only there Python does everything that it does
    for a script, such as dying of SIGINT after a KeyboardInterrupt. But on its way the traceback
    gathers the frames that started the script.
    """
    report, trace = sys.excepthook, error.__traceback__
    if isinstance(error, KeyboardInterrupt) and report is sys.__excepthook__:
        line = f"KeyboardInterrupt: stopped at {_place(error, beside)}"
        sys.excepthook = lambda *_: print(line, file=sys.stderr)
    else:
        sys.excepthook = lambda kind, error, _: report(kind, error.with_traceback(trace), trace)


def _place(error: BaseException, beside: redirect.Beside) -> str:
    """Return the line of the script, or of a module beside it, that ran when `error` was raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    # asyncio.run() cancels the main task and then raises a KeyboardInterrupt of its own: the
    # CancelledError in its context knows where that task was.
    cancelled = error.__context__
    if isinstance(error, KeyboardInterrupt) and isinstance(cancelled, asyncio.CancelledError):
        error = cancelled
    own = [
        f"{frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename in beside
    ]
    return own[-1] if own else str(beside.folder)
