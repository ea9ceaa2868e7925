"""After a failure gather's other children go on (75633, 76865)."""

import asyncio


async def main():
    async def fail():
        raise ValueError(1)

    async def slow():
        try:
            await asyncio.sleep(0.01)
            print("slow went on")
        except asyncio.CancelledError:
            print("slow cancelled")

    try:
        await asyncio.gather(slow(), fail())
    except ValueError:
        print("failed")
    await asyncio.sleep(0.02)


asyncio.run(main())
