import asyncio
import threading
import time

ready = threading.Event()


def later():
    time.sleep(2)
    ready.set()


async def main():
    threading.Thread(target=later).start()
    while not ready.is_set():
        await asyncio.sleep(0)
    print("ready after", round(time.monotonic()) - round(began), "s")


began = time.monotonic()
asyncio.run(main())
