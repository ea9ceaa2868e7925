"""sleep(0) gives each other task one turn (python/cpython 90155, 84977)."""

import asyncio


async def main():
    async def worker(name):
        for turn in range(3):
            print(name, turn)
            await asyncio.sleep(0)

    await asyncio.gather(worker("a"), worker("b"), worker("c"))


asyncio.run(main())
