"""Cancelled timers are swept by asyncio's thresholds, and the order of the others with them."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()
    when = loop.time() + 0.01
    handles = [loop.call_at(when, print, number) for number in range(150)]
    for number, handle in enumerate(handles):
        if number % 4:
            handle.cancel()
    await asyncio.sleep(0.02)


asyncio.run(main())
