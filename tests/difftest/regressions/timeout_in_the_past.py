"""timeout(-1) cancels at the next await, not sooner (95051)."""

import asyncio


async def main():
    for delay in (-1, 0):
        try:
            async with asyncio.timeout(delay) as scope:
                print("entered", scope.expired())
                await asyncio.sleep(0)
                print("one tick later")
                await asyncio.sleep(0)
                print("two ticks later")
                await asyncio.sleep(1)
        except TimeoutError:
            print("timed out", scope.expired())


asyncio.run(main())
