"""Mistake: what was checked before an await is taken for true after it."""

import asyncio

seats = 1


async def book(name):
    global seats
    if seats > 0:
        await asyncio.sleep(0.1)  # ask the bank
        seats -= 1
        print(name, "has a seat,", seats, "left")
    else:
        print("no seat for", name)


async def main():
    await asyncio.gather(book("Ann"), book("Bob"))


asyncio.run(main())
