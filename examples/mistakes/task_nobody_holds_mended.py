"""Mended: a group holds its tasks, and waits for them."""

import asyncio
import gc


async def notify(answer):
    print("notify waits")
    await answer
    print("notify goes on")


async def main():
    answer = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(notify(answer))
        await asyncio.sleep(0.1)
        gc.collect()
        answer.set_result(None)
    print("main has ended")


asyncio.run(main())
