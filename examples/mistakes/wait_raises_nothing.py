"""Mistake: wait() is taken for something that raises."""

import asyncio


async def job(name, seconds):
    await asyncio.sleep(seconds)
    if name == "b":
        raise ValueError(name)
    print("job", name, "is done")


async def main():
    jobs = [
        asyncio.create_task(job("a", 0.1)),
        asyncio.create_task(job("b", 0.1)),
        asyncio.create_task(job("c", 0.3)),
    ]
    await asyncio.wait(jobs, timeout=0.2)
    print("all jobs are done")
    await asyncio.sleep(0.2)


asyncio.run(main())
