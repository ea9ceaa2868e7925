import asyncio
import threading
import time


async def main():
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    done = asyncio.Event()
    for seconds in (3, 1, 2):
        threading.Timer(seconds, lambda n: print("timer", n), (seconds,)).start()
    threading.Timer(4, loop.call_soon_threadsafe, (done.set,)).start()
    while not done.is_set():
        await asyncio.sleep(0.5)
        print(round(time.monotonic() - began, 1))


asyncio.run(main())
