"""A barrier lets parties through together, breaks on abort, and serves again after reset."""

import asyncio


async def main():
    barrier = asyncio.Barrier(2)

    async def party(name):
        try:
            print(name, await barrier.wait())
        except asyncio.BrokenBarrierError:
            print(name, "broken")

    await asyncio.gather(party("a"), party("b"))
    task = asyncio.create_task(party("c"))
    await asyncio.sleep(0)
    await barrier.abort()
    await task
    await barrier.reset()
    await asyncio.gather(party("d"), party("e"))


asyncio.run(main())
