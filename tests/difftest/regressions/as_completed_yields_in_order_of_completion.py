"""as_completed yields in the order in which futures are done; its timeout counts from the start."""

import asyncio


async def main():
    async def worker(delay):
        await asyncio.sleep(delay)
        return delay

    tasks = [asyncio.create_task(worker(delay)) for delay in (0.03, 0.01, 0.02, 1)]
    try:
        for future in asyncio.as_completed(tasks, timeout=0.1):
            print(await future)
    except TimeoutError:
        print("timed out")


asyncio.run(main())
