import asyncio

import async_timeout


async def main():
    try:
        async with async_timeout.timeout(0.1):
            await asyncio.sleep(1)
    except TimeoutError:
        print("timeout")


asyncio.run(main())
