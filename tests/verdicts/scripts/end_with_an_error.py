import asyncio


async def fails(number):
    await asyncio.sleep(number)
    raise ValueError(number)


async def main():
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(fails(number))


asyncio.run(main())
