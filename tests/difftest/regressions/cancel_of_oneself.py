"""A task that cancels itself sees it at its next await, or ends cancelled (74234)."""

import asyncio


async def main():
    async def awaits():
        asyncio.current_task().cancel()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            print("at the await")

    async def returns():
        asyncio.current_task().cancel()
        return 5

    await asyncio.create_task(awaits())
    task = asyncio.create_task(returns())
    await asyncio.wait([task])
    print(task.cancelled())


asyncio.run(main())
