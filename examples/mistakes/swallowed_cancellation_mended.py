"""Mended: only errors are caught, and CancelledError is none."""

import asyncio


async def poll():
    for number in range(1, 4):
        try:
            await asyncio.sleep(0.1)
            print("polled", number)
        except Exception as error:
            print("poll goes on after", repr(error))


async def main():
    task = asyncio.create_task(poll())
    await asyncio.sleep(0.15)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled:", task.cancelled())


asyncio.run(main())
