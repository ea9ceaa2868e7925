import asyncio
import threading


def thread(loop, number):
    loop.call_soon_threadsafe(print, "in the loop", number)
    print("in the thread", number)


async def main():
    loop = asyncio.get_running_loop()
    threads = [threading.Thread(target=thread, args=(loop, number)) for number in range(5)]
    for one in threads:
        one.start()
    await asyncio.sleep(0.1)
    for one in threads:
        one.join()


asyncio.run(main())
