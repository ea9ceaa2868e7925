"""What is shielded goes on, and its late failure is reported once (86802, 79306)."""

import asyncio


async def main():
    async def inner():
        await asyncio.sleep(0.02)
        raise ValueError(1)

    task = asyncio.create_task(inner())

    async def waiter():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            print("the waiter is cancelled", task.done())

    outer = asyncio.create_task(waiter())
    await asyncio.sleep(0.01)
    outer.cancel()
    await asyncio.sleep(0.03)
    print(task.done())


asyncio.run(main())
