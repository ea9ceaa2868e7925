"""A timeout cancels at a set time: the block sees CancelledError, and the caller TimeoutError.

Cancelling never stops code in its tracks. It raises CancelledError at the `await` where the task
waits, and the task decides what to do. Here, it saves its work.
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
    await asyncio.sleep(0)  # let him begin, because a task that is cancelled before that never runs
    novel.cancel()
    try:
        await novel
    except asyncio.CancelledError:
        print("the publisher: the contract is cancelled")


asyncio.run(main())
