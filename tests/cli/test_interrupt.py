"""Ctrl-C: one line that says where the script was, and the end that `python SCRIPT` comes to."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.cli.both_ways import ROOT

# "ready" is said in the line that waits, so that this is the line whenever the signal comes.
SCRIPTS = {
    "in the loop": """
        import asyncio
        async def main():
            print("ready", flush=True); [await asyncio.sleep(0.05) for _ in SHORT]
        asyncio.run(main())
    """,
    "in a callback": """
        import asyncio, time
        def block():
            print("ready", flush=True); any(map(time.sleep, SHORT))
        loop = asyncio.new_event_loop()
        loop.call_soon(block)
        try:
            loop.run_forever()
        finally:
            loop.close()
            print("closed")
    """,
    "outside": """
        import asyncio, atexit, time
        atexit.register(print, "atexit")
        print("ready", flush=True); any(map(time.sleep, SHORT))
    """,
    "cancelled, tidied up": """
        import asyncio
        async def main():
            try:
                print("ready", flush=True); [await asyncio.sleep(0.05) for _ in SHORT]
            except asyncio.CancelledError:
                print("tidied up")
                raise
        asyncio.run(main())
    """,
    "cancelled, swallowed": """
        import asyncio, sys
        async def main():
            try:
                print("ready", flush=True); [await asyncio.sleep(0.05) for _ in SHORT]
            except asyncio.CancelledError:
                print("swallowed")
        asyncio.run(main())
        sys.exit(5)
    """,
    "caught": """
        import asyncio, sys
        async def main():
            print("ready", flush=True); [await asyncio.sleep(0.05) for _ in SHORT]
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("bye")
            sys.exit(6)
    """,
    "reported by the script itself": """
        import asyncio, sys
        sys.excepthook = lambda kind, error, trace: print("mine:", kind.__name__, trace.tb_lineno)
        async def main():
            print("ready", flush=True); [await asyncio.sleep(0.05) for _ in SHORT]
        asyncio.run(main())
    """,
}

# A shell starts what runs in its background with SIGINT ignored, and the tests with it.
# Python 3.15 may begin a blocking call with a signal pending that came just before: it is heard
# when the call ends, and so calls must be short, also those to select().
HEAR = """\
import signal; signal.signal(signal.SIGINT, signal.default_int_handler)
SHORT = [0.05] * 1200
"""


def interrupted(command: list[str], folder: Path) -> tuple[str, str, int]:
    """Start a command, send it SIGINT once it has said "ready"; what it says then, and its end."""
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=30)
        finally:
            process.kill()
    return stdout, stderr, process.returncode


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT can be sent to a child there")
@pytest.mark.parametrize("name", SCRIPTS)
def test_interrupt(name: str, tmp_path: Path) -> None:
    text = HEAR + dedent(SCRIPTS[name]).lstrip("\n")
    script = tmp_path / "script.py"
    script.write_text(text)
    stdout, stderr, status = interrupted(["-m", "miniloop", "run", "script.py"], tmp_path)
    theirs = interrupted(["script.py"], tmp_path)
    assert (stdout, status) == (theirs[0], theirs[2])
    if theirs[1]:  # a traceback that ends in KeyboardInterrupt
        [line] = [n for n, code in enumerate(text.splitlines(), 1) if '"ready"' in code]
        assert re.fullmatch(
            rf"KeyboardInterrupt: stopped at {re.escape(str(script))}:{line}, in [<>\w]+\n", stderr
        )
    else:
        assert stderr == ""
