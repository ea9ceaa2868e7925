"""FastAPI on uvicorn on miniloop, asked by httpx on miniloop."""

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from tests.ecosystem import web_app
from tests.ecosystem.on_interop import assert_on_miniloop, run

ROOT = Path(__file__).parents[2]

ON_MINILOOP = ["miniloop.interop.EventLoop", "miniloop.interop.Task"]


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[httpx.AsyncClient]:
    """Serve the application in a task of this loop, and give a client of it."""
    web_app.events.clear()
    # `lifespan="on"`: it must work, by default uvicorn would go on without.
    config = uvicorn.Config(web_app.app, port=0, log_level="warning", lifespan="on", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            yield client
    finally:
        server.should_exit = True
        await task
    assert web_app.events[0] == "up"
    assert web_app.events[-1] == "down"


def test_both_ends_are_on_miniloop() -> None:
    async def main() -> None:
        async with serving() as client:
            assert_on_miniloop()
            assert (await client.get("/loop")).json() == ON_MINILOOP
            assert (await client.get("/thread")).json() == "no loop here"
            assert (await client.get("/nothing")).status_code == 404

    run(main())


def test_concurrent_requests() -> None:
    async def main() -> None:
        async with serving() as client:  # nobody is answered before all 20 are there
            answers = await asyncio.gather(*[client.get(f"/meet/{n}") for n in range(20)])
            assert [answer.json() for answer in answers] == [n * n for n in range(20)]

    run(main())


def test_a_streaming_response() -> None:
    async def main() -> None:
        async with serving() as client, client.stream("GET", "/stream") as response:
            assert response.headers["transfer-encoding"] == "chunked"
            lines = [int(line) async for line in response.aiter_lines()]
        assert lines == list(range(1000))

    run(main())


def test_a_background_task_runs_after_the_answer() -> None:
    async def main() -> None:
        async with serving() as client:
            answer = await client.post("/later", json={"name": "x"})
            assert answer.json() == "accepted"
        assert web_app.events == ["up", "background x", "down"]

    run(main())


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")
def test_uvicorns_own_command_and_a_graceful_shutdown() -> None:
    """SIGTERM while a request is under way: it is answered, then the lifespan ends."""
    command = [sys.executable, "-m", "uvicorn", "tests.ecosystem.web_app:app", "--port=0"]
    command += ["--loop=miniloop.interop:EventLoop", "--lifespan=on", "--ws=none"]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        assert server.stdout is not None
        killer = threading.Timer(30, server.kill)
        killer.start()
        try:
            output = ""
            while not (found := re.search(r"running on (http://[\d.:]+)", output)):
                line = server.stdout.readline()
                assert line, output
                output += line
            with httpx.Client(base_url=found[1], timeout=20) as client:
                assert client.get("/loop").json() == ON_MINILOOP
                answers = []
                asking = threading.Thread(target=lambda: answers.append(client.get("/slow")))
                asking.start()
                while "slow has begun" not in output:
                    output += server.stdout.readline()
                server.send_signal(signal.SIGTERM)
                asking.join()
            output += server.stdout.read()
        finally:
            killer.cancel()
            server.kill()
    assert answers[0].json() == "done in spite of the shutdown"
    assert "lifespan ended" in output
    assert "Finished server process" in output
    assert "Traceback" not in output
    assert server.returncode in (0, -signal.SIGTERM)  # uvicorn raises the signal again at its end
