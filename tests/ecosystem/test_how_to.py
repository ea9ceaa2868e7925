"""The programs in examples/how_to that want libraries do what the how-to pages say."""

import re
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
WEB = (ROOT / "docs" / "how-to" / "web.rst").read_text(encoding="utf-8")
EXECUTORS = (ROOT / "docs" / "how-to" / "executors.rst").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "name"), [(WEB, "aiohttp_server.py"), (EXECUTORS, "dask_executor.py")]
)
def test_the_command_prints_what_the_page_shows(page: str, name: str) -> None:
    shown = re.findall(
        rf"^   \$ python3 (-m miniloop run .*{name})\n((?:   .*\n)+)", page, re.MULTILINE
    )
    ((command, output),) = shown
    done = subprocess.run(
        [sys.executable, *command.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [line.strip() for line in output.splitlines()]


def test_uvicorn_serves_the_application_on_miniloop() -> None:
    (command,) = re.findall(r"^   \$ python3 (-m uvicorn .*)$", WEB, re.MULTILINE)
    with subprocess.Popen(
        [sys.executable, *command.split(), "--port=0"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as server:
        assert server.stdout is not None
        killer = threading.Timer(60, server.kill)
        killer.start()
        try:
            output = ""
            while not (found := re.search(r"running on (http://[\d.:]+)", output)):
                line = server.stdout.readline()
                assert line, output
                output += line
            with httpx.Client(base_url=found[1], timeout=20, trust_env=False) as client:
                assert client.get("/").json() == {"served by": "miniloop.interop"}
        finally:
            killer.cancel()
            server.terminate()
