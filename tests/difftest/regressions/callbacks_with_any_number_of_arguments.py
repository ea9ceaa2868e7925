"""A handle with exactly one argument is cancelled like any other (rloop 0.5.0 ran it)."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()
    for arguments in ((), (1,), (1, 2), (1, 2, 3)):
        loop.call_soon(print, "cancelled", *arguments).cancel()
        loop.call_soon(print, "runs", *arguments)
        loop.call_later(0.01, print, "cancelled", *arguments).cancel()
        loop.call_later(0.01, print, "timer", *arguments)
    await asyncio.sleep(0.02)


asyncio.run(main())
