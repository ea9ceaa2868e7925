"""Mistake: nothing holds the task, so the garbage collector may take it."""

import asyncio
import gc


async def notify():
    answer = asyncio.get_running_loop().create_future()
    print("notify waits")
    await answer
    print("notify goes on")


async def main():
    asyncio.create_task(notify())
    await asyncio.sleep(0.1)
    gc.collect()  # Python does this by itself, now and then
    print("main has ended")


asyncio.run(main())
