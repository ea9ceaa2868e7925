"""Tornado on miniloop, and Dask's client, which stands on it."""

import asyncio
from datetime import timedelta
from typing import Any

import dask
import distributed
import pytest
from tornado import gen, httpclient, httpserver, netutil, web
from tornado.ioloop import IOLoop

from miniloop.cli import main
from miniloop.difftest import exhaust
from tests.ecosystem.on_interop import assert_on_miniloop, run


def test_tornado() -> None:
    class Handler(web.RequestHandler):
        async def get(self) -> None:
            assert_on_miniloop()
            await gen.sleep(0.001)
            self.write(self.request.path)

    async def program() -> None:
        loop = IOLoop.current()
        assert await loop.run_in_executor(None, pow, 2, 5) == 32
        # It takes nothing but what is an asyncio.Future.
        added = asyncio.Event()
        task = asyncio.create_task(asyncio.sleep(0, "result"))
        loop.add_future(task, lambda future: added.set())
        await added.wait()
        assert (
            await gen.with_timeout(timedelta(seconds=20), asyncio.sleep(0, "in time")) == "in time"
        )

        server = httpserver.HTTPServer(web.Application([("/.*", Handler)]))
        sockets = netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        client = httpclient.AsyncHTTPClient()
        answers = await asyncio.gather(*[client.fetch(f"{address}/{n}") for n in range(20)])
        assert [answer.body.decode() for answer in answers] == [f"/{n}" for n in range(20)]
        client.close()
        server.stop()
        await server.close_all_connections()

    run(program())


def square(number: int) -> int:
    return number * number


def test_dask() -> None:
    async def program() -> None:
        options: dict[str, Any] = {"processes": False, "dashboard_address": "127.0.0.1:0"}
        async with distributed.Client(asynchronous=True, **options) as client:
            assert await client.submit(square, 6) == 36
            assert await client.gather(client.map(square, range(5))) == [0, 1, 4, 9, 16]

    run(program())


def test_programs_are_spread_over_dask(capsys: pytest.CaptureFixture[str]) -> None:
    options: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options)
    with cluster:
        address = cluster.scheduler_address
        assert exhaust.main(["tasks", "--size", "3", "--dask", address]) == 0
    total = exhaust.SUB_GRAMMARS["tasks"].count(3)
    assert f"{total:,} of {total:,} programs compared, 0 differ" in capsys.readouterr().out


def test_a_hunt_is_spread_over_dask(capsys: pytest.CaptureFixture[str]) -> None:
    options: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options)
    hunted = ["fuzz", "--examples", "40", "--loop", "tests.lab.strangers:Stacked"]
    with cluster:
        assert main([*hunted, "--dask", cluster.scheduler_address]) == 1
    shown = capsys.readouterr().out
    assert "40 programs compared " in shown
    assert "\n1. last-in-first-out: The ready queue is first in, first out.\n" in shown


def test_a_cluster_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with dask.config.set({"distributed.comm.timeouts.connect": "0.5s"}):
        assert main(["fuzz", "--examples", "1", "--dask", "127.0.0.1:1"]) == 2
    assert capsys.readouterr().err.startswith("miniloop fuzz: --dask 127.0.0.1:1: ")
