"""Mistake: one child of gather() fails, and the others go on unseen."""

import asyncio


async def transfer(to, seconds):
    await asyncio.sleep(seconds)
    if to == "Bob":
        raise ValueError("no account of Bob")
    print("paid to", to)


async def main():
    try:
        await asyncio.gather(transfer("Bob", 0.1), transfer("Eve", 0.2))
    except ValueError as error:
        print("nothing was paid, because there is", error)
    await asyncio.sleep(0.2)


asyncio.run(main())
