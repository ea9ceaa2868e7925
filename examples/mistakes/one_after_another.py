"""Mistake: each await of the loop waits for the one before."""

import asyncio


async def fetch(page):
    print("ask for", page)
    await asyncio.sleep(0.1)
    print("got", page)


async def main():
    for page in ["a", "b", "c"]:
        await fetch(page)


asyncio.run(main())
