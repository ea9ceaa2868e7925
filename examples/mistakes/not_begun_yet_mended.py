"""Mended: whoever needs the result awaits the task."""

import asyncio

config = {}


async def load():
    config["color"] = "blue"
    await asyncio.sleep(0.1)
    config["size"] = 7


async def main():
    task = asyncio.create_task(load())
    print("what does not need the result stands here")
    await task
    print("after the task:", config)


asyncio.run(main())
