"""Dask's distributed executor: work leaves the process, and could leave the machine.

Its own event loop is the real asyncio, in a thread of its own.
"""

import asyncio
import operator
import os
import threading
import time
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import miniloop

pytestmark = [
    pytest.mark.wants("ecosystem", "distributed"),
    pytest.mark.filterwarnings("default"),  # what it warns of is not ours to mend
]


@pytest.fixture(scope="module", params=[False, True], ids=["threads", "processes"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Give a client of a cluster on this machine: a scheduler and a worker."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        import distributed

    cluster = distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=request.param,
        host="127.0.0.1",
        protocol="tcp://",
        scheduler_port=0,
        dashboard_address="127.0.0.1:0",  # by itself it insists on port 8787
        worker_dashboard_address="127.0.0.1:0",
    )
    with cluster, distributed.Client(cluster) as client:
        client.in_this_process = not request.param
        yield client


def test_results_and_errors_come_back(aio: ModuleType, run: Any, client: Any) -> None:
    async def main() -> None:
        loop = aio.get_running_loop()
        executor = client.get_executor(pure=False)
        calls = [loop.run_in_executor(executor, operator.pow, 2, number) for number in range(20)]
        assert await aio.gather(*calls) == [2**number for number in range(20)]
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(executor, operator.truediv, 1, 0)
        worker = await loop.run_in_executor(executor, os.getpid)
        assert (worker == os.getpid()) is client.in_this_process

    run(main())


def test_the_loop_goes_on_while_the_cluster_works(client: Any) -> None:
    async def main() -> None:
        loop = miniloop.get_running_loop()
        call = loop.run_in_executor(client.get_executor(pure=False), time.sleep, 0.2)
        ticks = 0
        while not call.done():
            await miniloop.sleep(0.001)
            ticks += 1
        assert ticks > 1

    miniloop.run(main())


def test_results_arrive_in_the_thread_of_the_loop(client: Any) -> None:
    async def main() -> None:
        loop = miniloop.get_running_loop()
        loop.set_debug(True)  # complains about calls from other threads
        loop.slow_callback_duration = 60
        threads = []
        call = loop.run_in_executor(client.get_executor(pure=False), abs, -1)
        call.add_done_callback(lambda call: threads.append(threading.current_thread()))
        assert await call == 1
        await miniloop.sleep(0)
        assert threads == [threading.current_thread()]

    miniloop.run(main())


def test_a_wait_that_was_cancelled_and_a_timeout(run: Any, aio: ModuleType, client: Any) -> None:
    async def main() -> None:
        loop = aio.get_running_loop()
        executor = client.get_executor(pure=False)
        with pytest.raises(TimeoutError):
            await aio.wait_for(loop.run_in_executor(executor, time.sleep, 0.5), 0.01)
        assert await loop.run_in_executor(executor, abs, -2) == 2

    run(main())


def test_its_own_loop_stays_the_real_asyncio(client: Any) -> None:
    assert isinstance(client.loop.asyncio_loop, asyncio.AbstractEventLoop)
    assert not isinstance(client.loop.asyncio_loop, miniloop.EventLoop)
