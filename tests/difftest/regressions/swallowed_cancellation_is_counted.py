"""A task that swallows a cancellation still counts it (95289, 116720, 155433, 155418)."""

import asyncio


async def main():
    async def body():
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            print("swallowed", asyncio.current_task().cancelling())
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(1)
        except BaseException as error:
            print(type(error).__name__)
        return "done"

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel()
    print(await task, task.cancelling())


asyncio.run(main())
