"""Putters of a full queue are served in order (83055)."""

import asyncio


async def main():
    queue = asyncio.Queue(1)

    async def putter(number):
        await queue.put(number)
        print("put", number)

    tasks = [asyncio.create_task(putter(number)) for number in range(4)]
    await asyncio.sleep(0)
    for _ in range(4):
        print("got", await queue.get())
    await asyncio.wait(tasks)


asyncio.run(main())
