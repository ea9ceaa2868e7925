import asyncio
import threading
import time

lock = threading.Lock()


def hold(name, seconds):
    with lock:
        time.sleep(seconds)
        print(name, "has held it")


async def main():
    first = asyncio.create_task(asyncio.to_thread(hold, "first", 1))
    await asyncio.sleep(0.1)
    await asyncio.gather(first, asyncio.to_thread(hold, "second", 2), asyncio.sleep(5))
    print("both")


asyncio.run(main())
