"""Mended: each part runs in a thread, and the loop runs meanwhile."""

import asyncio
import time


async def compute():
    for part in range(3):
        await asyncio.to_thread(time.sleep, 0.1)
        print("part", part)


async def main():
    try:
        async with asyncio.timeout(0.15):
            await compute()
        print("all parts, and no timeout")
    except TimeoutError:
        print("timeout")


asyncio.run(main())
