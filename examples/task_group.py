"""A TaskGroup leaves no task behind: when one task fails, it cancels the others.

Two climbers are on one rope. Ada slips, so Ben, who could have gone on for an hour, comes down too.
The block ends when both are off the wall. Ada's error comes in a group of exceptions, because
several climbers could have slipped at once.
"""

import asyncio


async def ada():
    await asyncio.sleep(0.1)
    raise ValueError("a loose stone")


async def ben():
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print("Ben: rope went tight, coming down")
        raise
    finally:
        await asyncio.sleep(0.1)
        print("Ben: safe on the ground")


async def main():
    try:
        async with asyncio.TaskGroup() as rope:
            rope.create_task(ada())
            rope.create_task(ben())
            print("both climbing")
    except* ValueError as group:
        print("the expedition ends:", *group.exceptions)


asyncio.run(main())
