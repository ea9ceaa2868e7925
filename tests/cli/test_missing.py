"""A script that asks for what asyncio has and miniloop has not gets one line, and status 2."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.cli.both_ways import Ended, on_miniloop, on_python

# What asks, in which line of the script, and the name that the message must bear.
UNCAUGHT = {
    "attribute": ("import asyncio\nasyncio.create_subprocess_exec", 2, "create_subprocess_exec"),
    "attribute of a submodule": (
        "import asyncio.events\nasyncio.events.AbstractServer",
        2,
        "events.AbstractServer",
    ),
    "from": ("from asyncio import run, create_subprocess_exec", 1, "create_subprocess_exec"),
    "from a submodule": ("from asyncio.events import AbstractServer", 1, "events.AbstractServer"),
    "through a submodule": (
        "import asyncio.tasks as t\nt.events.AbstractServer",
        2,
        "events.AbstractServer",
    ),
    "from a submodule of which there is nothing": (
        "from asyncio.protocols import Protocol",
        1,
        "protocols.Protocol",
    ),
    "of a submodule of which there are constants": (
        "import asyncio.subprocess\nasyncio.subprocess.PIPE\nasyncio.subprocess.Process",
        3,
        "subprocess.Process",
    ),
    "import_module": (
        "from importlib import import_module\nimport_module('asyncio.subprocess').Process",
        2,
        "subprocess.Process",
    ),
    "to be patched": (
        "from unittest import mock\nmock.patch('asyncio.create_subprocess_exec').start()",
        2,
        "create_subprocess_exec",
    ),
    "star": (
        "from asyncio import *\nasync def main():\n    create_subprocess_exec\nrun(main())",
        3,
        "create_subprocess_exec",
    ),
    "in a task": (
        """
        import asyncio
        async def inner():
            await asyncio.sleep(0)
            await asyncio.create_subprocess_exec("true")
        async def main():
            await asyncio.gather(inner())
        asyncio.run(main())
        """,
        4,
        "create_subprocess_exec",
    ),
    "in a group": (
        """
        import asyncio
        async def inner():
            await asyncio.create_subprocess_exec("true")
        async def main():
            async with asyncio.TaskGroup() as group:
                group.create_task(inner())
        asyncio.run(main())
        """,
        3,
        "create_subprocess_exec",
    ),
    "in the course of a cancellation": (
        """
        import asyncio
        async def inner():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                asyncio.create_subprocess_exec
        async def main():
            task = asyncio.create_task(inner())
            await asyncio.sleep(0)
            task.cancel()
            await task
        asyncio.run(main())
        """,
        6,
        "create_subprocess_exec",
    ),
    "in the course of another": (
        """
        import asyncio
        try:
            1 / 0
        except ZeroDivisionError:
            asyncio.create_subprocess_exec
        """,
        5,
        "create_subprocess_exec",
    ),
}


@pytest.mark.parametrize("name", UNCAUGHT)
def test_one_line(name: str, tmp_path: Path) -> None:
    text, line, asked = UNCAUGHT[name]
    script = tmp_path / "script.py"
    script.write_text(dedent(text).lstrip("\n"))
    ended = on_miniloop(tmp_path, "script.py")
    assert (ended.stdout, ended.status) == ("", 2)
    assert ended.stderr.startswith(f"miniloop run: {script}:{line}, in ")
    assert ended.stderr.endswith(
        f": miniloop has no asyncio.{asked}; `run --interop script.py` takes it from asyncio\n"
    )
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("method", ["subprocess_exec", "create_datagram_endpoint", "sendfile"])
def test_a_method_of_the_loop(method: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        dedent(f"""
            import asyncio
            async def main():
                await asyncio.get_running_loop().{method}(None)
            asyncio.run(main())
        """)
    )
    ended = on_miniloop(tmp_path, "script.py")
    assert ended.stderr.endswith(
        f"script.py:4, in main: miniloop has no EventLoop.{method}; "
        "`run --interop script.py` takes it from asyncio\n"
    )
    assert (ended.stderr.count("\n"), ended.status) == (1, 2)


TLS = {
    "open_connection": "await asyncio.open_connection('127.0.0.1', 1, ssl=True)",
    "start_server": "await asyncio.start_server(print, '127.0.0.1', 0, ssl=ssl.SSLContext())",
    "start_tls": "await asyncio.StreamWriter.start_tls(None, ssl.SSLContext())",
    "in a task": "await asyncio.create_task(asyncio.open_connection('127.0.0.1', 1, ssl=True))",
    "while it cleans up": """try: 1 / 0
    finally: await asyncio.open_connection("127.0.0.1", 1, ssl=True)""",
}


@pytest.mark.parametrize("name", TLS)
def test_tls(name: str, tmp_path: Path) -> None:
    text = f"import asyncio, ssl\nasync def main():\n    {TLS[name]}\nasyncio.run(main())\n"
    (tmp_path / "script.py").write_text(text)
    ended = on_miniloop(tmp_path, "script.py", options=["-W", "ignore"])
    assert ended.stderr.startswith(f"miniloop run: {tmp_path / 'script.py'}:")
    assert ended.stderr.endswith(
        ", in main: miniloop has no TLS; `run --interop script.py` takes it from asyncio\n"
    )
    assert (ended.stderr.count("\n"), ended.status) == (1, 2)


def test_happy_eyeballs(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import asyncio\n"
        "asyncio.run(asyncio.open_connection('127.0.0.1', 1, happy_eyeballs_delay=1))\n"
    )
    ended = on_miniloop(tmp_path, "script.py")
    assert 'script.py:2, in <module>: miniloop has no "happy eyeballs"; ' in ended.stderr
    assert (ended.stderr.count("\n"), ended.status) == (1, 2)


def test_what_the_script_does_not_implement_itself(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import asyncio\nraise NotImplementedError('no TLS')\n")
    assert on_miniloop(tmp_path, "script.py") == on_python(tmp_path, "script.py")


def test_in_a_module_beside(tmp_path: Path) -> None:
    beside = tmp_path / "beside.py"
    beside.write_text("from asyncio.subprocess import Process\n")
    (tmp_path / "script.py").write_text("import beside\n")
    ended = on_miniloop(tmp_path, "script.py")
    assert ended.stderr.startswith(f"miniloop run: {beside}:1, in <module>: miniloop has no ")
    assert (ended.stderr.count("\n"), ended.status) == (1, 2)


def test_a_script_can_do_without(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        dedent("""
            import asyncio
            print(hasattr(asyncio, "create_subprocess_exec"), hasattr(asyncio, "subprocess"))
            print(hasattr(asyncio.subprocess, "Process"))
            print(getattr(asyncio, "create_subprocess_exec", "none"))
            try:
                asyncio.create_subprocess_exec
            except AttributeError as error:
                print(error.name, error.obj is asyncio, error)
            try:
                from asyncio import create_subprocess_exec
            except ImportError as error:
                print(error)
            try:
                from asyncio.subprocess import Process
            except ImportError as error:
                print(error)
        """)
    )
    sorry = "; `run --interop SCRIPT` takes it from asyncio"
    expected = f"""\
False True
False
none
create_subprocess_exec True miniloop has no asyncio.create_subprocess_exec{sorry}
miniloop has no asyncio.create_subprocess_exec{sorry}
miniloop has no asyncio.subprocess.Process{sorry}
"""
    assert on_miniloop(tmp_path, "script.py") == Ended(expected, "", 0)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ("from asyncio import nothing", "ImportError: cannot import name 'nothing' from "),
        ("import asyncio.nothing", "ModuleNotFoundError: No module named "),
        ("import asyncio\nasyncio.Queue().nothing", "AttributeError: 'Queue' object has no "),
        ("create_subprocess_exec", "NameError: name 'create_subprocess_exec' is not defined"),
    ],
)
def test_what_asyncio_has_not_either(statements: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(statements)
    ended = on_miniloop(tmp_path, "script.py")
    assert ended.stderr.startswith("Traceback (most recent call last):\n")
    assert ended.stderr.splitlines()[-1].startswith(message)
    assert "miniloop/cli/" not in ended.stderr
    assert ended.status == 1


def test_a_script_that_dies_of_several_things(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        dedent("""
            import asyncio
            try:
                asyncio.create_subprocess_exec
            except AttributeError as error:
                raise ExceptionGroup("both", [error, ValueError("more")])
        """)
    )
    ended = on_miniloop(tmp_path, "script.py")
    assert ended.status == 1
    assert "ValueError: more" in ended.stderr
    assert "AttributeError: miniloop has no asyncio.create_subprocess_exec" in ended.stderr
