"""Mistake: a generator is left early, and its cleanup comes whenever it comes."""

import asyncio


async def rows():
    print("open the database")
    try:
        for row in range(100):
            yield row
            await asyncio.sleep(0.01)
    finally:
        print("close the database")


table = rows()


async def main():
    async for row in table:
        if row == 2:
            print("found row", row)
            break
    print("main goes on, and wants to open it again")


asyncio.run(main())
