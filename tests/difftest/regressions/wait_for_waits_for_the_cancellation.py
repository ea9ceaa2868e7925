"""After its timeout wait_for waits until the task has really ended (84849, 86057, 96764)."""

import asyncio


async def main():
    async def stubborn():
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            print("cancelled")
            await asyncio.sleep(0.03)
            print("cleaned up")
            raise

    try:
        await asyncio.wait_for(asyncio.create_task(stubborn()), 0.01)
    except TimeoutError:
        print("timed out")


asyncio.run(main())
