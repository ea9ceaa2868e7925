"""Dask does the work of a program on miniloop: here in two processes, or on a cluster."""

import asyncio

import distributed


def square(number):
    return number * number


async def main(client):
    loop = asyncio.get_running_loop()
    executor = client.get_executor(pure=False)
    calls = [loop.run_in_executor(executor, square, number) for number in range(5)]
    print(await asyncio.gather(*calls))


if __name__ == "__main__":
    options = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        asyncio.run(main(client))
