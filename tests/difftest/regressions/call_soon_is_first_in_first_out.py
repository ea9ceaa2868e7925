"""Callbacks run in the order of call_soon, new ones a tick later (python/cpython PR 93222)."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()
    for number in range(4):
        loop.call_soon(print, "first wave", number)
    loop.call_soon(lambda: loop.call_soon(print, "second wave"))
    loop.call_soon(print, "first wave", 4)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)


asyncio.run(main())
