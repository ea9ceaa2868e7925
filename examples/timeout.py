"""A timeout is a cancellation with a date: inside it is CancelledError, outside TimeoutError.

Cancelling never stops code in its tracks. It raises CancelledError at the `await` where the task
stands, and what the task does about it is its own affair: here, it saves its work.
"""

import asyncio


async def write_novel(author):
    print(f"{author} sits down to write")
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print(f"{author} is interrupted, but the manuscript is safe")
        raise
    print(f"{author} has written a novel")


async def main():
    try:
        async with asyncio.timeout(0.1):
            await write_novel("Jane")
    except TimeoutError:
        print("the publisher: the deadline has passed")

    novel = asyncio.create_task(write_novel("Marcel"))
    await asyncio.sleep(0)  # let him begin: a task cancelled before that never runs at all
    novel.cancel()
    try:
        await novel
    except asyncio.CancelledError:
        print("the publisher: the contract is cancelled")


asyncio.run(main())
