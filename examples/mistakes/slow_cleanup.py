"""Mistake: a timeout is taken for the longest time that a call can take."""

import asyncio


async def query():
    try:
        await asyncio.sleep(3600)
    finally:
        print("close the connection")
        await asyncio.sleep(0.5)
        print("closed")


async def main():
    asyncio.get_running_loop().call_later(0.3, print, "0.3 s are over")
    try:
        await asyncio.wait_for(query(), timeout=0.1)
    except TimeoutError:
        print("timeout, which was set to 0.1 s")


asyncio.run(main())
