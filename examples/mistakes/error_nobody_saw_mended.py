"""Mended: the error of a task of the group ends the block."""

import asyncio


async def poll():
    raise ConnectionError("the server is gone")


async def watch():
    for minute in range(3):
        await asyncio.sleep(0.1)
        print("minute", minute, "- all is well")


async def main():
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(poll())
            group.create_task(watch())
    except* ConnectionError as errors:
        print("stopped:", *errors.exceptions)


asyncio.run(main())
