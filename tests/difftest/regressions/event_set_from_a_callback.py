"""event.set() from a callback of the loop wakes the waiters in order, a tick later (122938)."""

import asyncio


async def main():
    event = asyncio.Event()

    async def waiter(name):
        await event.wait()
        print(name)

    tasks = [asyncio.create_task(waiter(name)) for name in "abc"]
    await asyncio.sleep(0)
    tasks[1].cancel()
    asyncio.get_running_loop().call_soon_threadsafe(event.set)
    asyncio.get_running_loop().call_soon(print, "next callback")
    await asyncio.wait(tasks)


asyncio.run(main())
