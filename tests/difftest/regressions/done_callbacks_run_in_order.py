"""Done-callbacks run in the order they were added, a tick after the future is done (75218)."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    for number in range(3):
        future.add_done_callback(lambda future, number=number: print("callback", number))
    loop.call_soon(print, "before")
    future.set_result(None)
    loop.call_soon(print, "after")
    future.add_done_callback(lambda future: print("added when done"))
    await future
    print("awaited")
    await asyncio.sleep(0)


asyncio.run(main())
