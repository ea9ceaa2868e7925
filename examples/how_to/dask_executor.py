"""Dask does the work of a program: here in two threads, or on a cluster."""

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
    here = {"processes": False, "dashboard_address": "127.0.0.1:0"}
    with distributed.Client(**here) as client:  # or Client("tcp://...:8786")
        asyncio.run(main(client))
