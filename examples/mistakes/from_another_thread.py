"""Mistake: another thread sets a result, and the loop does not notice."""

import asyncio
import threading
import time


def measure(result):
    time.sleep(0.1)
    result.set_result(21.5)


async def main():
    loop = asyncio.get_running_loop()
    start = loop.time()
    loop.call_later(0.4, str)  # some timer of the program
    result = loop.create_future()
    threading.Thread(target=measure, args=[result]).start()
    measured = await result
    print(f"measured {measured} after {loop.time() - start:.1f} s")


asyncio.run(main())
