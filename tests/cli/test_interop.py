"""Which of the two ways `run` takes, and that the interop way works."""

from pathlib import Path
from textwrap import dedent

import pytest

from miniloop.cli.program import installed_library
from tests.cli.both_ways import Ended, on_miniloop, on_python

# `anyio` is installed with the tests. What the script imports, and what is found.
IMPORTS = {
    "import": ("import anyio", "anyio"),
    "submodule": ("import os, anyio.abc as abc", "anyio"),
    "from": ("from anyio.abc import TaskGroup", "anyio"),
    "in a function": ("async def main():\n    import anyio", "anyio"),
    "for types only": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import anyio",
        "anyio",
    ),
    "import_module": ("import importlib\nimportlib.import_module('anyio.abc')", "anyio"),
    "standard library": ("import asyncio, os.path, xml.sax, _thread, sys, __main__", None),
    "miniloop": ("import miniloop.difftest", None),
    "not there": ("try:\n    import no_such_module\nexcept ImportError:\n    pass", None),
    "beside": ("import beside", None),
    "beside, in a folder": ("import package.inner, folder.module", None),
    "in a module beside": ("import imports_it", "anyio"),
    "in a package beside": ("from package import imports_it", "anyio"),
    "relatively": ("import package.relative", "anyio"),
    "in a ring": ("import ring", None),
    "a folder of that name beside": ("import hypothesis", "hypothesis"),
    "a module of that name beside": ("import distributed", None),
    "a module of the standard library's name beside": ("import queue", "anyio"),
    "a file that is not Python": ("import broken", None),
    "not Python itself": ("import (", None),
    "nothing": ("", None),
}

BESIDE = {
    "beside.py": "import asyncio",
    "imports_it.py": "import anyio",
    "package/__init__.py": "",
    "package/inner.py": "from . import sibling",
    "package/sibling.py": "from .... import too_high",
    "package/imports_it.py": "import anyio",
    "package/relative.py": "from .imports_it import x",
    "folder/module.py": "import asyncio",
    "hypothesis/data.txt": "",
    "distributed.py": "import asyncio",
    "queue.py": "import anyio",
    "ring.py": "import ring2",
    "ring2.py": "import ring",
    "broken.py": "def (",
}


@pytest.mark.parametrize("name", IMPORTS)
def test_what_is_found(name: str, tmp_path: Path) -> None:
    for file, text in BESIDE.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    script, found = IMPORTS[name]
    (tmp_path / "script.py").write_text(script)
    assert installed_library(str(tmp_path / "script.py")) == found


def test_a_script_that_is_not_there_imports_nothing(tmp_path: Path) -> None:
    assert installed_library(str(tmp_path / "no.py")) is None
    assert installed_library(str(tmp_path)) is None


WHICH = """
import asyncio
async def main():
    print(type(asyncio.get_running_loop()).__module__, asyncio.Queue.__module__)
asyncio.run(main())
"""
CORE = "miniloop.io.event_loop miniloop.core.queues\n"
INTEROP = "miniloop.interop asyncio.queues\n"


@pytest.mark.parametrize(
    ("line", "options", "expected"),
    [
        ("import json", [], CORE),
        ("import anyio", [], INTEROP),
        ("import json", ["--interop"], INTEROP),
        ("import anyio", ["--core"], CORE),
    ],
)
def test_which_way(line: str, options: list[str], expected: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(line + WHICH)
    assert on_miniloop(tmp_path, *options, "script.py") == Ended(expected, "", 0)


def test_options_behind_the_script_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import sys\nprint(sys.argv)" + WHICH)
    ended = on_miniloop(tmp_path, "script.py", "--interop", "--", "-x")
    assert ended == Ended(f"['script.py', '--interop', '--', '-x']\n{CORE}", "", 0)


def test_not_both_ways(tmp_path: Path) -> None:
    ended = on_miniloop(tmp_path, "--core", "--interop", "script.py")
    assert ended.status == 2
    assert "not allowed with argument --core" in ended.stderr


def interop(folder: Path, text: str, *options: str) -> str:
    """Run a script of which every loop must be the interop loop; return what else it prints."""
    (folder / "script.py").write_text(dedent(text))
    ended = on_miniloop(folder, *options, "script.py")
    assert (ended.stderr, ended.status) == ("", 0)
    first, _, rest = ended.stdout.partition("\n")
    assert first == "miniloop.interop"
    return rest


def test_anyio_makes_its_loop(tmp_path: Path) -> None:
    text = """
        import anyio, asyncio
        async def main():
            print(type(asyncio.get_running_loop()).__module__)
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep, 0)
            print(await anyio.to_thread.run_sync(lambda: "from a thread"))
        anyio.run(main)
    """
    assert interop(tmp_path, text) == "from a thread\n"


@pytest.mark.wants("ecosystem", "aiohttp", "httpx")
def test_aiohttp_and_httpx_in_one_script(tmp_path: Path) -> None:
    text = """
        import asyncio, httpx
        from aiohttp import web
        async def main():
            print(type(asyncio.get_running_loop()).__module__)
            app = web.Application()
            async def hello(request):
                return web.Response(text="hello")
            app.router.add_get("/", hello)
            runner = web.AppRunner(app)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            async with httpx.AsyncClient() as client:
                print((await client.get(f"http://127.0.0.1:{runner.addresses[0][1]}")).text)
            await runner.cleanup()
        asyncio.run(main())
    """
    assert interop(tmp_path, text) == "hello\n"


@pytest.mark.wants("ecosystem", "uvicorn")
def test_uvicorn_by_its_own_run(tmp_path: Path) -> None:
    """It asks for asyncio.SelectorEventLoop by name."""
    text = """
        import asyncio, uvicorn
        async def app(scope, receive, send):
            pass
        class Server(uvicorn.Server):
            async def main_loop(self):
                print(type(asyncio.get_running_loop()).__module__)
        config = uvicorn.Config(app, port=0, log_level="error", loop="asyncio", lifespan="off")
        Server(config).run()
    """
    assert interop(tmp_path, text) == ""


def test_a_subprocess_and_older_ways_to_a_loop(tmp_path: Path) -> None:
    text = """
        import asyncio, sys
        loop = asyncio.new_event_loop()
        print(type(loop).__module__)
        async def main():
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "print(42)", stdout=asyncio.subprocess.PIPE
            )
            return (await process.communicate())[0]
        print(loop.run_until_complete(main()).split())
        loop.close()
        with asyncio.Runner() as runner:
            print(type(runner.get_loop()).__module__)
    """
    assert interop(tmp_path, text, "--interop") == "[b'42']\nminiloop.interop\n"


@pytest.mark.parametrize("end", ["1 / 0", "sys.exit(3)", "raise KeyboardInterrupt"])
def test_it_ends_as_on_python(end: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(f"import sys, anyio\nprint('here', sys.argv)\n{end}\n")
    on_interop, plain = on_miniloop(tmp_path, "script.py"), on_python(tmp_path, "script.py")
    assert (on_interop.stdout, on_interop.status) == (plain.stdout, plain.status)
    if end != "raise KeyboardInterrupt":
        assert on_interop.stderr == plain.stderr


def test_a_name_error(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("nothing\n")
    assert on_miniloop(tmp_path, "--interop", "script.py") == on_python(tmp_path, "script.py")
