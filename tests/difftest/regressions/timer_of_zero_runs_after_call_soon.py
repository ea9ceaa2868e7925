"""call_later(0), then call_soon: the latter runs first; the past is not clamped."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()
    now = loop.time()
    loop.call_later(0, print, "later 0")
    loop.call_soon(print, "soon")
    loop.call_at(now, print, "at now")
    loop.call_at(now - 1, print, "at now - 1")
    loop.call_later(-5, print, "later -5")
    await asyncio.sleep(0.01)


asyncio.run(main())
