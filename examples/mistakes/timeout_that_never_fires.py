"""Mistake: a timeout around code that never lets the loop run."""

import asyncio
import time


async def compute():
    for part in range(3):
        time.sleep(0.1)  # stands for work that needs the processor
        print("part", part)


async def main():
    try:
        async with asyncio.timeout(0.15):
            await compute()
        print("all parts, and no timeout")
    except TimeoutError:
        print("timeout")


asyncio.run(main())
