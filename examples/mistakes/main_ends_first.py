"""Mistake: main() ends before the task that it started."""

import asyncio


async def save():
    print("saving")
    await asyncio.sleep(0.1)
    print("saved")


async def main():
    task = asyncio.create_task(save())
    await asyncio.sleep(0)
    print("main ends, the task is", "done" if task.done() else "not done")


asyncio.run(main())
