"""Two tasks take the same two locks, in opposite order."""

import asyncio

knife, fork = asyncio.Lock(), asyncio.Lock()


async def eat(name, first, second):
    async with first:
        print(name, "has one")
        await asyncio.sleep(0.1)
        async with second:
            print(name, "eats")


async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(eat("Ann", knife, fork), name="Ann")
        group.create_task(eat("Bob", fork, knife), name="Bob")


asyncio.run(main())
