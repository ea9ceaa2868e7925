import asyncio
import time

from tornado import gen, queues


async def worker(queue, name):
    async for seconds in queue:
        await gen.sleep(seconds)
        print(name, seconds)
        queue.task_done()


async def main():
    queue = queues.Queue()
    workers = [asyncio.create_task(worker(queue, name)) for name in "ab"]
    for seconds in (0.3, 0.1, 0.2):
        await queue.put(seconds)
    await queue.join()
    print(await asyncio.get_running_loop().run_in_executor(None, time.sleep, 1))
    for one in workers:
        one.cancel()


asyncio.run(main())
