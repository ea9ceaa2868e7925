"""A released lock goes to the first waiter, not to a newcomer (python/asyncio 486, 1031)."""

import asyncio


async def main():
    lock = asyncio.Lock()

    async def worker(name):
        async with lock:
            print(name)
            await asyncio.sleep(0)

    await lock.acquire()
    tasks = [asyncio.create_task(worker(name)) for name in "abc"]
    await asyncio.sleep(0)
    tasks[0].cancel()
    lock.release()
    tasks.append(asyncio.create_task(worker("d")))
    print("free" if not lock.locked() else "taken")
    await asyncio.wait(tasks)


asyncio.run(main())
