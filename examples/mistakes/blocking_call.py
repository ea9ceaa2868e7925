"""Mistake: a call blocks, and with it the whole loop."""

import asyncio
import time


async def heartbeat():
    for beat in range(3):
        print("beat", beat)
        await asyncio.sleep(0.1)


async def report():
    print("report begins")
    time.sleep(0.5)
    print("report ends")


async def main():
    await asyncio.gather(heartbeat(), report())


asyncio.run(main())
