"""Mistake: asyncio.run() is called where a loop is running."""

import asyncio


async def answer():
    await asyncio.sleep(0.1)
    return 42


def ask():
    return asyncio.run(answer())


async def main():
    print(ask())


asyncio.run(main())
