"""Debug mode asks for the time around each callback, and shield() adds two (found by a hunt)."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    inner = loop.create_future()

    async def wait():
        await asyncio.shield(inner)
        print("shielded")

    waiter = asyncio.create_task(wait())
    await asyncio.sleep(0)
    before = loop.time()
    inner.set_result(None)
    await waiter
    # On virtual time each call of time() takes 0.1 microseconds.
    print("asked for the time", round((loop.time() - before) * 1e7), "times")


asyncio.run(main())
