"""Mended: a group cancels the others, and waits until they have ended."""

import asyncio


async def transfer(to, seconds):
    await asyncio.sleep(seconds)
    if to == "Bob":
        raise ValueError("no account of Bob")
    print("paid to", to)


async def main():
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(transfer("Bob", 0.1))
            group.create_task(transfer("Eve", 0.2))
    except* ValueError as errors:
        print("nothing was paid, because there is", *errors.exceptions)
    await asyncio.sleep(0.2)


asyncio.run(main())
