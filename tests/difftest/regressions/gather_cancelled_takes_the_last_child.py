"""A cancelled gather(return_exceptions=True) raises the error of its last child by position."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()
    for message in ("first", "last"):
        first, last = loop.create_future(), loop.create_future()

        async def body(message, first, last):
            (first if message == "first" else last).cancel(message)
            asyncio.current_task().cancel()
            await asyncio.gather(first, last, return_exceptions=True)

        try:
            await asyncio.create_task(body(message, first, last))
        except asyncio.CancelledError as error:
            print(message, error.args)


asyncio.run(main())
