"""Mended: a lock holds check and act together."""

import asyncio

seats = 1
lock = asyncio.Lock()


async def book(name):
    global seats
    async with lock:
        if seats > 0:
            await asyncio.sleep(0.1)  # ask the bank
            seats -= 1
            print(name, "has a seat,", seats, "left")
        else:
            print("no seat for", name)


async def main():
    await asyncio.gather(book("Ann"), book("Bob"))


asyncio.run(main())
