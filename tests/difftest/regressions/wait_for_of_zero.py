"""wait_for(x, 0) cancels what is not done and takes what is (86296, 107547)."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()
    done, pending = loop.create_future(), loop.create_future()
    done.set_result("done")
    print(await asyncio.wait_for(done, 0))
    for awaitable in (pending, asyncio.sleep(0, "slept")):
        try:
            print(await asyncio.wait_for(awaitable, 0))
        except TimeoutError:
            print("timed out")
    print(pending.cancelled())


asyncio.run(main())
