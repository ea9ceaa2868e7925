"""A SystemExit of a child leaves the group as itself (95571)."""

import asyncio


async def fail():
    raise SystemExit(3)


async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(fail())
        await asyncio.sleep(0.01)
        print("never")


print("start")
try:
    asyncio.run(main())
except SystemExit as error:
    print("leaves with", error)
