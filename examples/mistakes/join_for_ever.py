"""Mistake: an error skips task_done(), and join() waits for ever."""

import asyncio


async def worker(queue):
    while True:
        job = await queue.get()
        try:
            print(f"10 / {job} = {10 / job:.0f}")
            queue.task_done()
        except ZeroDivisionError:
            print("job", job, "is left out")


async def main():
    queue = asyncio.Queue()
    for job in [5, 0, 2]:
        queue.put_nowait(job)
    task = asyncio.create_task(worker(queue))
    await queue.join()
    print("all jobs are done")
    task.cancel()


asyncio.run(main())
