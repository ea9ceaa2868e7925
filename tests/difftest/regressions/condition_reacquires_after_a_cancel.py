"""A cancelled Condition.wait() holds the lock again when it raises (112202, 111693, 77022)."""

import asyncio


async def main():
    condition = asyncio.Condition()

    async def waiter():
        try:
            async with condition:
                await condition.wait()
        except asyncio.CancelledError as error:
            print("cancelled", error.args, condition.locked())

    task = asyncio.create_task(waiter())
    await asyncio.sleep(0)
    async with condition:
        task.cancel("first")
        await asyncio.sleep(0.01)
        print("not yet", task.done())
        task.cancel("second")
    await task


asyncio.run(main())
