"""Turning debug mode on or off loses no task that waits for its first step."""

import asyncio


async def nothing():
    pass


async def turn(enabled):
    asyncio.get_running_loop().set_debug(enabled)
    print(enabled, len(asyncio.all_tasks()))


async def main():
    for enabled in (True, False):
        tasks = [asyncio.create_task(coro) for coro in (turn(enabled), nothing(), nothing())]
        for task in tasks:
            await task


asyncio.run(main())
