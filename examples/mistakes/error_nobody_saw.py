"""Mistake: a task fails, and nobody asks it how it ended."""

import asyncio


async def poll():
    raise ConnectionError("the server is gone")


async def main():
    task = asyncio.create_task(poll())
    for minute in range(3):
        await asyncio.sleep(0.1)
        print("minute", minute, "- all is well")


asyncio.run(main())
