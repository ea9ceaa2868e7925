"""Mended: main() awaits what must not be lost."""

import asyncio


async def save():
    print("saving")
    await asyncio.sleep(0.1)
    print("saved")


async def main():
    task = asyncio.create_task(save())
    await asyncio.sleep(0)
    await task
    print("main ends, the task is", "done" if task.done() else "not done")


asyncio.run(main())
