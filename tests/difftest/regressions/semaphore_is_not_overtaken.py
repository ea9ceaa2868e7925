"""A semaphore's newcomer does not take the place of one that was woken (90155)."""

import asyncio


async def main():
    semaphore = asyncio.Semaphore(1)

    async def worker(name):
        async with semaphore:
            print(name, semaphore.locked())
            await asyncio.sleep(0)

    await semaphore.acquire()
    waiting = asyncio.create_task(worker("waiting"))
    await asyncio.sleep(0)
    semaphore.release()
    newcomer = asyncio.create_task(worker("newcomer"))
    print(semaphore.locked())
    await asyncio.wait([waiting, newcomer])


asyncio.run(main())
