"""Mended: the cleanup has a time limit of its own."""

import asyncio


async def query():
    try:
        await asyncio.sleep(3600)
    finally:
        print("close the connection")
        try:
            async with asyncio.timeout(0.1):
                await asyncio.sleep(0.5)
                print("closed")
        except TimeoutError:
            print("dropped")


async def main():
    asyncio.get_running_loop().call_later(0.3, print, "0.3 s are over")
    try:
        await asyncio.wait_for(query(), timeout=0.1)
    except TimeoutError:
        print("timeout, which was set to 0.1 s")
    await asyncio.sleep(0.2)


asyncio.run(main())
