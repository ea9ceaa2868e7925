"""Mistake: a queue outlives the loop on which it was first used."""

import asyncio

jobs = asyncio.Queue()


async def main(name):
    worker = asyncio.create_task(jobs.get())
    await asyncio.sleep(0.1)
    jobs.put_nowait(name)
    print("done:", await worker)


asyncio.run(main("first"))
asyncio.run(main("second"))
