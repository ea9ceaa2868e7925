import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor


def work(number):
    time.sleep(1 + number % 3)
    print("worked", number)
    return number


async def main():
    with ThreadPoolExecutor(3) as pool:
        print(list(pool.map(work, range(7))))  # blocks the loop
    event = threading.Event()
    threading.Thread(target=lambda: (time.sleep(1), event.set())).start()
    print(event.wait(5), event.is_set(), threading.Event().wait(2))
    await asyncio.sleep(1)


began = time.monotonic()
asyncio.run(main())
print(round(time.monotonic() - began), "s")
