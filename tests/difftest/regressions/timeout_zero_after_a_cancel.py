"""timeout(0) and a cancellation that came before it (134471)."""

import asyncio


async def main():
    async def body():
        asyncio.current_task().cancel("before")
        try:
            async with asyncio.timeout(0):
                await asyncio.sleep(0.01)
        except BaseException as error:
            print(type(error).__name__, asyncio.current_task().cancelling())
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            print("cancelled later")

    await asyncio.wait([asyncio.create_task(body())])


asyncio.run(main())
