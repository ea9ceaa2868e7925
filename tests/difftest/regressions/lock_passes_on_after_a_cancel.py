"""A waiter that is woken and cancelled in one tick passes the lock on."""

import asyncio


async def main():
    lock = asyncio.Lock()

    async def worker(name):
        async with lock:
            print(name)

    await lock.acquire()
    first, second = asyncio.create_task(worker("first")), asyncio.create_task(worker("second"))
    await asyncio.sleep(0)
    lock.release()
    first.cancel()
    await asyncio.wait([first, second])
    print(lock.locked())


asyncio.run(main())
