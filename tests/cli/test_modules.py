"""`run -m` runs a module or a package as `python -m` does."""

import os
from pathlib import Path
from textwrap import dedent

import pytest

from miniloop.cli.program import installed_library
from tests.cli.both_ways import ROOT, Ended, on_miniloop, on_python

FILES = {
    "package/__init__.py": """
        import sys
        print("package", sys.argv, sorted(vars(sys.modules["__main__"])))
    """,
    "package/__main__.py": """
        '''A docstring.'''
        import asyncio, sys
        from . import helper
        from .inner import task
        names = {**globals(), "__loader__": "", "__spec__": __spec__.name, "__annotate__": ""}
        print(sorted((name, str(value)) for name, value in names.items() if name[:2] == "__" and
            name != "__builtins__"))
        print(sys.argv, sys.path[0], sys.modules["__main__"].__dict__ is globals())
        print(helper.asyncio is asyncio, task.asyncio is asyncio)
        asyncio.run(task.main(helper.end))
    """,
    "package/helper.py": """
        import asyncio, sys
        def end():
            match sys.argv[1:]:
                case ["fail"]: raise ValueError("failed")
                case ["exit"]: sys.exit(3)
    """,
    "package/inner/__init__.py": "",
    "package/inner/task.py": """
        import asyncio
        async def main(end):
            await asyncio.sleep(0)
            end()
        if __name__ == "__main__":
            print(__package__, __spec__.name)
            asyncio.run(main(print))
    """,
    "broken/__init__.py": "import no_such_module",
    "broken/__main__.py": "",
    "module.py": """
        import asyncio, concurrent.futures, multiprocessing
        class Box:
            pass
        async def main():
            context = multiprocessing.get_context("spawn")
            with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
                box = await asyncio.get_running_loop().run_in_executor(pool, Box)
                print(type(box) is Box, __package__ == "", __spec__.name)
        if __name__ == "__main__":
            asyncio.run(main())
    """,
    "wrong.py": "import asyncio\nprint(1\n",
    "whose.py": "import asyncio\nprint(asyncio.Queue.__module__)\n",
    "src/elsewhere/__init__.py": "import asyncio\nprint(asyncio.Queue.__module__)\n",
    "src/elsewhere/__main__.py": "import asyncio\nprint(asyncio.Queue.__module__)\n",
    "site-packages/installed/__init__.py": "",
    "site-packages/installed/__main__.py": """
        import asyncio, whose
        print(asyncio.Queue.__module__)
    """,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(dedent(text).lstrip("\n"))
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        *("package", "package fail", "package exit", "package -m -- --interop", "package.__main__"),
        *("package.inner.task", "module", "broken", "wrong"),
        *("no_such_module", "package.no_such_module", "package.inner", "module.of", ".package"),
        *("this", "calendar 2000 2"),
    ],
)
def test_as_python_does_it(command: str, folder: Path) -> None:
    args = command.split()
    ours, theirs = on_miniloop(folder, "-m", *args), on_python(folder, "-m", *args)
    if command != "package fail":  # the loop's own frames stand in its traceback
        assert ours == theirs
    assert (ours.stdout, ours.status) == (theirs.stdout, theirs.status)
    assert ours.stderr.splitlines()[-1:] == theirs.stderr.splitlines()[-1:]
    assert "miniloop/cli" not in ours.stderr.replace(os.sep, "/")


def test_whose_asyncio_it_gets(folder: Path) -> None:
    """Its modules are those in the present folder, and those beside it where it is found."""
    assert on_miniloop(folder, "-m", "whose").stdout == "miniloop.core.queues\n"
    assert on_miniloop(folder, "--interop", "-m", "whose").stdout == "asyncio.queues\n"
    command = ["-m", "miniloop", "run", "--core", "-m"]
    path = f"{folder / 'src'}{os.pathsep}{ROOT}"
    for place in folder, folder / "package":
        ended = on_python(place, *command, "elsewhere", PYTHONPATH=path)
        assert ended == Ended("miniloop.core.queues\n" * 2, "", 0)
    path = f"{folder / 'site-packages'}{os.pathsep}{ROOT}"
    ended = on_python(folder, *command, "installed", PYTHONPATH=path)
    assert ended == Ended("miniloop.core.queues\nasyncio.queues\n", "", 0)


def test_what_it_imports_decides_the_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "package" / "uses.py").write_text("from . import helper, other")
    (folder / "package" / "other.py").write_text("import anyio.abc")
    assert installed_library("-m package") is None
    assert installed_library("-m package.uses") == "anyio"
    assert installed_library("-m anyio") == "anyio"
    assert installed_library("-m unittest") is None
    assert installed_library("-m no_such_module") is None
    (folder / "package" / "__init__.py").write_text("import package.uses")
    assert installed_library("-m package") == "anyio"


def test_compare_a_module(folder: Path) -> None:
    compare = ["-m", "miniloop", "compare", "-m"]
    ended = on_python(folder, *compare, "package.inner.task", "an argument", "--all")
    assert ended.stdout.startswith("asyncio and miniloop agree: ")
    assert "  main         waits in    3  " in ended.stdout
    line = "miniloop compare: no module named 'package.inner' that could be run\n"
    assert on_python(folder, *compare, "package.inner") == Ended("", line, 2)


def test_what_is_missing(folder: Path) -> None:
    file = folder / "wants.py"
    file.write_text("import asyncio\nasyncio.Protocol\n")
    line = f"miniloop run: {file}:2, in <module>: miniloop has no asyncio.Protocol; "
    line += "`run --interop -m wants` takes it from asyncio\n"
    assert on_miniloop(folder, "-m", "wants") == Ended("", line, 2)
