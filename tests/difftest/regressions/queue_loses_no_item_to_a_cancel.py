"""A getter that is woken and cancelled leaves the item to the next (92824)."""

import asyncio


async def main():
    queue = asyncio.Queue()

    async def getter(name):
        print(name, await queue.get())

    first, second = asyncio.create_task(getter("first")), asyncio.create_task(getter("second"))
    await asyncio.sleep(0)
    queue.put_nowait("item")
    first.cancel()
    await asyncio.wait([first, second], timeout=0.01)
    print(first.cancelled(), second.done(), queue.qsize())
    second.cancel()


asyncio.run(main())
