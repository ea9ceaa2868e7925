"""Mended: the queue is made inside main(), and there is one run."""

import asyncio


async def job(jobs, name):
    worker = asyncio.create_task(jobs.get())
    await asyncio.sleep(0.1)
    jobs.put_nowait(name)
    print("done:", await worker)


async def main():
    jobs = asyncio.Queue()
    await job(jobs, "first")
    await job(jobs, "second")


asyncio.run(main())
