"""What a script prints, its tracebacks and its exit status are as under `python SCRIPT`."""

import os
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.cli.both_ways import on_miniloop, on_python, without_library_frames

SHOW_MAIN = """\
import asyncio, atexit, builtins, sys
def show():
    others = "__builtins__", "__loader__", "__annotate__"
    names = sorted({name for name in globals() if name[:2] == "__"}.difference(others))
    print([(name, str(globals()[name])) for name in names])
show()
atexit.register(show)
"""

# Each of these ends the same way to the letter: no frame of the event loop is in its tracebacks.
TO_THE_LETTER = {
    "arguments": """
        import asyncio, sys
        print(sys.argv, sys.path[0])
    """,
    "main module": SHOW_MAIN
    + """\
print(type(__loader__).__name__, __builtins__ is builtins)
print(sys.modules["__main__"].__dict__ is globals(), "__annotations__" in globals())
number: int = 1
print(sys.modules["__main__"].__annotations__)
""",
    "main module of a script that fails": SHOW_MAIN + "1 / 0",
    "main module without annotations": "import asyncio; print(sorted(globals()))",
    "no asyncio": "print('hello')",
    "empty": "",
    "guard": """
        import asyncio
        if __name__ == "__main__":
            asyncio.run(asyncio.sleep(0, print("main")))
    """,
    "exit without status": "import asyncio, sys; sys.exit()",
    "exit 0": "import asyncio, sys; sys.exit(0)",
    "exit 3": "import asyncio, sys; sys.exit(3)",
    "exit 300": "import asyncio, sys; sys.exit(300)",
    "exit True": "import asyncio, sys; sys.exit(True)",
    "exit with a message": "import asyncio, sys; sys.exit('that was all')",
    "exit with a tuple": "import asyncio, sys; sys.exit((1, 2))",
    "exit from a task": """
        import asyncio, sys
        async def leave():
            sys.exit(7)
        async def main():
            await asyncio.create_task(leave())
        asyncio.run(main())
    """,
    "exit from under": "import asyncio, os; print('gone', flush=True); os._exit(9)",
    "uncaught": """
        import asyncio

        def deeper(x):
            return 1 / x

        deeper(0)
    """,
    "several lines": """
        import asyncio
        raise ValueError(
            1 +
            len(
                None
            )
        )
    """,
    "cause": """
        import asyncio
        try:
            {}["key"]
        except KeyError as error:
            raise LookupError("no key") from error
    """,
    "context": """
        import asyncio
        try:
            {}["key"]
        except KeyError:
            1 / 0
    """,
    "context suppressed": """
        import asyncio
        try:
            {}["key"]
        except KeyError:
            raise LookupError("no key") from None
    """,
    "group and notes": """
        import asyncio
        error = ExceptionGroup("several", [ValueError(1), ExceptionGroup("in", [KeyError(2)])])
        error.add_note("noted")
        raise error
    """,
    "did you mean": "import asyncio\nprnit(1)",
    "syntax error": "import asyncio\nprint(1\n",
    "syntax error found late": "import asyncio\nreturn 1\n",
    "syntax error without asyncio": "x = = 1\n",
    "indentation": "import asyncio\nif 1:\n\tx = 1\n        y = 2\n",
    "syntax error in eval": "import asyncio\neval('1 +')\n",
    "error in exec": "import asyncio\nexec('def f(): 1 / 0')\nf()\n",
    "syntax warning": "import asyncio\nprint('\\d', 1 is 1)\n",
    "deprecation in main": """
        import asyncio, warnings
        warnings.warn("old", DeprecationWarning)
    """,
    "module not found": "import asyncio\nimport no_such_module\n",
    "module not found, printed": """
        import asyncio, traceback
        try:
            from no_such_module import something
        except ImportError:
            traceback.print_exc()
    """,
    "name not in a submodule": "import asyncio.locks\nasyncio.locks.no_such_thing\n",
    "attribute of an object": """
        import asyncio
        class Thing: pass
        Thing().no_such_thing
    """,
    "coding and carriage returns": b"# coding: latin-1\r\nimport asyncio\r\nprint('\xe9')\r\n1/0",
    "byte order mark": b"\xef\xbb\xbfimport asyncio\nprint('\xc3\xa9')\n1/0\n",
    "no newline at the end": "import asyncio\n1/0",
    "future annotations": """
        '''A docstring.'''
        from __future__ import annotations
        import asyncio
        def f(x: asyncio.NotThere): pass
        print(f.__annotations__, __doc__)
    """,
    "excepthook": """
        import asyncio, sys, traceback
        def hook(kind, error, trace):
            print("mine:", kind.__name__, error, len(traceback.extract_tb(trace)))
            print(error.__traceback__ is trace)
        sys.excepthook = hook
        def f(): raise ValueError("x")
        f()
    """,
    "excepthook that exits": """
        import asyncio, sys
        sys.excepthook = lambda *_: sys.exit(4)
        1/0
    """,
    "KeyboardInterrupt to an excepthook": """
        import asyncio, sys
        sys.excepthook = lambda kind, error, trace: print("mine:", kind.__name__)
        raise KeyboardInterrupt
    """,
    "thread": """
        import asyncio, threading
        threading.excepthook = lambda args: print(args.exc_type, args.exc_traceback.tb_lineno)
        def f(): 1/0
        thread = threading.Thread(target=f)
        thread.start()
        thread.join()
    """,
    "after the end": """
        import asyncio, atexit, threading, time
        class Late:
            def __del__(self): print("deleted", __name__)
        late = Late()
        atexit.register(print, "atexit")
        def slow():
            time.sleep(0.1)
            print("thread")
        threading.Thread(target=slow).start()
        print("end of main")
    """,
    "source": """
        import asyncio, inspect
        def twice(x):
            import asyncio
            return 2 * x  # comment
        print(inspect.getsource(twice), inspect.getsourcefile(twice))
    """,
    "pickle": """
        import asyncio, pickle
        class Thing:
            def __init__(self, x): self.x = x
        print(pickle.loads(pickle.dumps(Thing(5))).x, pickle.loads(pickle.dumps(Thing)))
    """,
    "processes": """
        import asyncio, multiprocessing, sys
        from concurrent.futures import ProcessPoolExecutor
        def square(x):
            return x * x
        async def main(method):
            loop = asyncio.get_running_loop()
            context = multiprocessing.get_context(method)
            with ProcessPoolExecutor(1, context) as pool:
                print(method, await loop.run_in_executor(pool, square, 12))
        if __name__ == "__main__":
            asyncio.run(main("spawn"))
    """,
    "what the standard library gets": """
        import asyncio, sys, unittest.async_case
        print(unittest.async_case.asyncio.__name__, sys.modules["asyncio"].__name__)
    """,
}


def write(folder: Path, text: str | bytes, name: str = "script.py") -> str:
    content = text if isinstance(text, bytes) else dedent(text).lstrip("\n").encode()
    (folder / name).write_bytes(content)
    return name


@pytest.mark.parametrize("name", TO_THE_LETTER)
def test_to_the_letter(name: str, tmp_path: Path) -> None:
    script = write(tmp_path, TO_THE_LETTER[name])
    assert on_miniloop(tmp_path, script, "x") == on_python(tmp_path, script, "x")


# In these tracebacks frames of the library stand between the script's.
THROUGH_THE_LIBRARY = {
    "name not in asyncio, in the course of another": """
        import asyncio
        try:
            {}["key"]
        except KeyError:
            asyncio.nothing_of_the_kind
    """,
    "name not in asyncio": "import asyncio\nasyncio.no_such_thing\n",
    "after a name not in asyncio": """
        import asyncio
        def f():
            try:
                asyncio.no_such_thing
            except AttributeError as error:
                raise ValueError("x") from error
        try:
            f()
        except ValueError as error:
            kept = error
        raise ExceptionGroup("several", [kept])
    """,
    "main fails": """
        import asyncio
        async def inner():
            raise ValueError("inside")
        async def main():
            await inner()
        asyncio.run(main())
    """,
    "task fails": """
        import asyncio
        async def inner():
            await asyncio.sleep(0)
            raise ValueError("inside")
        async def main():
            await asyncio.gather(inner(), asyncio.sleep(0.01))
        asyncio.run(main())
    """,
    "cause in a task": """
        import asyncio
        async def inner():
            try:
                {}[1]
            except KeyError as error:
                raise ValueError("inside") from error
        async def main():
            task = asyncio.create_task(inner())
            try:
                await task
            finally:
                print("on its way")
        asyncio.run(main())
    """,
    "group": """
        import asyncio
        async def fails(x):
            await asyncio.sleep(0)
            raise ValueError(x)
        async def main():
            async with asyncio.TaskGroup() as group:
                group.create_task(fails(1))
                group.create_task(fails(2))
        asyncio.run(main())
    """,
    "timeout": """
        import asyncio
        async def main():
            async with asyncio.timeout(0.01):
                await asyncio.sleep(10)
        asyncio.run(main())
    """,
    "never retrieved": """
        import asyncio
        async def fails():
            raise ValueError("nobody looks")
        async def main():
            task = asyncio.create_task(fails(), name="lost")
            await asyncio.sleep(0)
            del task
        asyncio.run(main())
    """,
    "never awaited": """
        import asyncio
        async def forgotten(): pass
        forgotten()
        asyncio.run(asyncio.sleep(0))
    """,
    "nested run": """
        import asyncio
        async def main():
            waiting = asyncio.sleep(0)
            try:
                asyncio.run(waiting)
            finally:
                waiting.close()
        asyncio.run(main())
    """,
}


@pytest.mark.parametrize("name", THROUGH_THE_LIBRARY)
def test_through_the_library(name: str, tmp_path: Path) -> None:
    if name == "timeout" and sys.version_info < (3, 11, 3):
        pytest.skip("this asyncio says otherwise what a TimeoutError comes from")
    script = write(tmp_path, THROUGH_THE_LIBRARY[name])
    ours, theirs = on_miniloop(tmp_path, script), on_python(tmp_path, script)
    assert "miniloop/cli" not in ours.stderr.replace(os.sep, "/")
    for ended in (ours, theirs):
        assert ended.stderr
        ended.stderr = without_library_frames(ended.stderr, tmp_path)
    assert ours == theirs


MODULES = {
    "fails.py": "import asyncio\ndef f():\n    1 / 0\nf()\n",
    "broken.py": "import asyncio\nx = (\n",
    "broken_late.py": "import asyncio\nawait x\n",
    "wants_more.py": "import asyncio\nimport no_such_module\n",
    "calls.py": "import asyncio\ndef call(f):\n    return f()\n",
    "old.py": "import asyncio, warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\n",
}


@pytest.mark.parametrize(
    "statements",
    [
        "import fails",
        "import broken",
        "import broken_late",
        "import wants_more",
        "import calls\ncalls.call(lambda: 1 / 0)",
        "import old",
        "import importlib\nimportlib.import_module('fails')",
        "import importlib\nimportlib.import_module('no_such_module')",
        "import traceback\ntry: import wants_more\nexcept ImportError: traceback.print_exc()",
        "import calls, inspect\nprint(inspect.getsource(calls), calls.__spec__.origin)",
        "import calls, importlib\nprint(importlib.reload(calls) is calls)",
        "import runpy\nrunpy.run_module('fails')",
    ],
)
def test_modules_beside(statements: str, tmp_path: Path) -> None:
    for name, text in MODULES.items():
        write(tmp_path, text, name)
    script = write(tmp_path, f"import asyncio\n{statements}\n")
    ours, theirs = on_miniloop(tmp_path, script), on_python(tmp_path, script)
    assert ours == theirs
    assert ours.stdout + ours.stderr


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--help"],
        ["-h", "--version", "-x=1"],
        ["--", "a", "--", "b"],
        ["run", "other.py", ""],
        ["a b", "*", "-"],
    ],
    ids=str,
)
def test_arguments_are_the_scripts(args: list[str], tmp_path: Path) -> None:
    script = write(tmp_path, "import sys; print(sys.argv)")
    ours = on_miniloop(tmp_path, script, *args)
    assert ours == on_python(tmp_path, script, *args)
    assert ours.stdout == f"{[script, *args]}\n"


@pytest.mark.parametrize("path", ["./a/b/script.py", "a/../a/b/script.py", "link.py", "absolute"])
def test_paths(path: str, tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    write(
        inner,
        """
        import asyncio, sys
        import beside
        print(sys.argv, __file__, sys.path[0], beside.asyncio is asyncio)
        1 / 0
        """,
    )
    write(inner, "import asyncio", "beside.py")
    (tmp_path / "link.py").symlink_to(inner / "script.py")
    if path == "absolute":
        path = str(inner / "script.py")
    ours = on_miniloop(tmp_path, path)
    assert ours == on_python(tmp_path, path)
    assert ours.status == 1
    assert ours.stdout


@pytest.mark.parametrize("options", ["-O", "-OO", "-W error", "-P", "-X dev"])
def test_interpreter_options(options: str, tmp_path: Path) -> None:
    script = write(
        tmp_path,
        """
        '''A docstring.'''
        import asyncio, sys, warnings
        loop = asyncio.new_event_loop()
        loop.close()
        print(__doc__, sys.path[0], sys.flags.dev_mode, loop.get_debug())
        assert False, "asserted"
        warnings.warn("old", DeprecationWarning)
        """,
    )
    ours = on_miniloop(tmp_path, script, options=options.split())
    assert ours == on_python(tmp_path, script, options=options.split())
    assert ours.stdout
