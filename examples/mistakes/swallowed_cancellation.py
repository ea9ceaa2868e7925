"""Mistake: a task that goes on after every error goes on when it is cancelled, too."""

import asyncio


async def poll():
    for number in range(1, 4):
        try:
            await asyncio.sleep(0.1)
            print("polled", number)
        except BaseException as error:
            print("poll goes on after", repr(error))


async def main():
    task = asyncio.create_task(poll())
    await asyncio.sleep(0.15)
    task.cancel()
    await task
    print("cancelled:", task.cancelled())


asyncio.run(main())
