"""set_result, then cancel of the waiter: the result is lost (82429)."""

import asyncio


async def main():
    loop = asyncio.get_running_loop()

    async def body(future):
        try:
            print("result", await future)
        except asyncio.CancelledError:
            print("cancelled", future.done(), future.cancelled())

    for order in ("result first", "cancel first"):
        future = loop.create_future()
        task = asyncio.create_task(body(future))
        await asyncio.sleep(0)
        if order == "result first":
            future.set_result(1)
            print(task.cancel())
        else:
            print(task.cancel())
            print(future.done())
        await asyncio.wait([task])


asyncio.run(main())
