"""Mended: both sets that wait() returns are looked at."""

import asyncio


async def job(name, seconds):
    await asyncio.sleep(seconds)
    if name == "b":
        raise ValueError(name)
    print("job", name, "is done")


async def main():
    jobs = {
        asyncio.create_task(job("a", 0.1)): "a",
        asyncio.create_task(job("b", 0.1)): "b",
        asyncio.create_task(job("c", 0.3)): "c",
    }
    _, pending = await asyncio.wait(jobs, timeout=0.2)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task, name in jobs.items():
        if task in pending:
            print("job", name, "took too long")
        elif task.exception():
            print("job", name, "failed:", repr(task.exception()))


asyncio.run(main())
