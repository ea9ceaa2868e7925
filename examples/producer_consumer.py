"""A full queue makes the producer wait, so it is never further ahead than the queue is long.

The baker is quick and the shelf holds two loaves. After those the baker can put down a loaf only
when a customer has taken one away.
"""

import asyncio


async def baker(shelf):
    for loaf in range(1, 6):
        await shelf.put(loaf)
        print(f"baker: loaf {loaf} on the shelf, which now holds {shelf.qsize()}")


async def customer(shelf):
    while True:
        await asyncio.sleep(0.05)
        loaf = await shelf.get()
        print(f"    customer: takes loaf {loaf}")
        shelf.task_done()


async def main():
    shelf = asyncio.Queue(maxsize=2)
    buying = asyncio.create_task(customer(shelf))
    await baker(shelf)
    print("baker: the oven is cold")
    await shelf.join()
    print("baker: sold out")
    buying.cancel()


asyncio.run(main())
