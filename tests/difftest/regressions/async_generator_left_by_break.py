"""An async generator that is left is closed by a task of its own, in later ticks."""

import asyncio


async def main():
    async def numbers():
        try:
            for number in range(5):
                yield number
        finally:
            print("closing")
            await asyncio.sleep(0)
            print("closed")

    async for number in numbers():
        print(number)
        break
    for tick in range(4):
        print("tick", tick)
        await asyncio.sleep(0)


asyncio.run(main())
