"""Mended: aclosing() closes the generator where the block ends."""

import asyncio
from contextlib import aclosing


async def rows():
    print("open the database")
    try:
        for row in range(100):
            yield row
            await asyncio.sleep(0.01)
    finally:
        print("close the database")


async def main():
    async with aclosing(rows()) as table:
        async for row in table:
            if row == 2:
                print("found row", row)
                break
    print("main goes on, and wants to open it again")


asyncio.run(main())
