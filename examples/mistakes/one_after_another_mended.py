"""Mended: all are tasks before the first of them is awaited."""

import asyncio


async def fetch(page):
    print("ask for", page)
    await asyncio.sleep(0.1)
    print("got", page)


async def main():
    async with asyncio.TaskGroup() as group:
        for page in ["a", "b", "c"]:
            group.create_task(fetch(page))


asyncio.run(main())
