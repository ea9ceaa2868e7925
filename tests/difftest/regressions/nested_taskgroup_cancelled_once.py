"""An inner group's error cancels the outer group's body once (128550)."""

import asyncio


async def main():
    async def fail(delay):
        await asyncio.sleep(delay)
        raise ValueError(1)

    try:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(fail(0.01))
            try:
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(fail(0.01))
                    await asyncio.sleep(1)
            except* ValueError as group:
                print("inner", len(group.exceptions))
            await asyncio.sleep(0)
            print("after the inner group")
    except* ValueError as group:
        print("outer", len(group.exceptions))
    print(asyncio.current_task().cancelling())


asyncio.run(main())
