"""Mended: the coroutine is awaited."""

import asyncio


async def save(name):
    await asyncio.sleep(0.1)
    print(name, "is saved")


async def main():
    await save("report")
    print("done")


asyncio.run(main())
