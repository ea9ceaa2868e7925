"""Timers with one deadline come out in heap order: 0, 2, 1, 3."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()
    when = loop.time() + 0.01
    for number in range(4):
        loop.call_at(when, print, number)
    await asyncio.sleep(0.02)
    when = loop.time() + 0.01
    for number in range(7):
        loop.call_at(when, print, number)
    await asyncio.sleep(0.02)


asyncio.run(main())
