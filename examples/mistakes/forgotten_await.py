"""Mistake: a coroutine is called, and not awaited."""

import asyncio


async def save(name):
    await asyncio.sleep(0.1)
    print(name, "is saved")


async def main():
    save("report")
    print("done")


asyncio.run(main())
