"""A task that awaits itself gets a RuntimeError, and so does who awaits it then."""

import asyncio


async def main():
    async def itself():
        try:
            await asyncio.current_task()
        except RuntimeError:
            print("refused")
        await asyncio.sleep(0.01)
        return 5

    async def other(task):
        try:
            print(await task)
        except RuntimeError:
            print("refused too")

    task = asyncio.create_task(itself())
    await asyncio.gather(task, other(task))


asyncio.run(main())
