"""A timer fires no sooner than the clock's resolution before its deadline (127859)."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()
    start = loop.time()
    for delay in (0.01, 0.0101, 0.0109, 0.011):
        loop.call_at(start + delay, print, delay)
    await asyncio.sleep(0.02)


asyncio.run(main())
