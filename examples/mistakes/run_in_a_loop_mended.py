"""Mended: what awaits is a coroutine as well, all the way up."""

import asyncio


async def answer():
    await asyncio.sleep(0.1)
    return 42


async def ask():
    return await answer()


async def main():
    print(await ask())


asyncio.run(main())
