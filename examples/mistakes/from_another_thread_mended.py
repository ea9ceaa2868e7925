"""Mended: the thread asks the loop to set the result."""

import asyncio
import threading
import time


def measure(loop, result):
    time.sleep(0.1)
    loop.call_soon_threadsafe(result.set_result, 21.5)


async def main():
    loop = asyncio.get_running_loop()
    start = loop.time()
    loop.call_later(0.4, str)  # some timer of the program
    result = loop.create_future()
    threading.Thread(target=measure, args=[loop, result]).start()
    measured = await result
    print(f"measured {measured} after {loop.time() - start:.1f} s")


asyncio.run(main())
