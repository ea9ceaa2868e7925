"""Mistake: what a new task does is needed before it has begun."""

import asyncio

config = {}


async def load():
    config["color"] = "blue"
    await asyncio.sleep(0.1)
    config["size"] = 7


async def main():
    task = asyncio.create_task(load())
    print("right after create_task():", config)
    await asyncio.sleep(0)
    print("after one tick:", config)
    await task


asyncio.run(main())
