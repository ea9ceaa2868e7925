import asyncio
import queue
import threading
import time


def work(name, jobs, loop, results):
    while (job := jobs.get()) is not None:
        time.sleep(job / 10)
        loop.call_soon_threadsafe(results.put_nowait, (name, job))
    print("leaves:", name)


async def main():
    jobs, results = queue.Queue(), asyncio.Queue()
    loop = asyncio.get_running_loop()
    workers = [threading.Thread(target=work, args=(name, jobs, loop, results)) for name in "abcd"]
    for worker in workers:
        worker.start()
    for job in (3, 1, 2, 5, 4, 1, 1, 1, 2, 2):
        jobs.put(job)
    for _ in range(10):
        print(await results.get())
    for _ in workers:
        jobs.put(None)
    for worker in workers:
        worker.join()


asyncio.run(main())
