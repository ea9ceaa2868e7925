"""A task that is cancelled before its first step never runs its body (98275)."""

import asyncio


async def main():
    async def body():
        print("never")

    task = asyncio.create_task(body())
    print(task.cancel("m"), task.cancelling(), task.done())
    try:
        await task
    except asyncio.CancelledError as error:
        print("cancelled", error.args)


asyncio.run(main())
