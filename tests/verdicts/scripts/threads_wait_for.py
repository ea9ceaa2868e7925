import asyncio
import time


async def main():
    try:
        await asyncio.wait_for(asyncio.to_thread(time.sleep, 3), 1)
    except TimeoutError:
        print("timeout")
    done, pending = await asyncio.wait(
        [asyncio.create_task(asyncio.to_thread(time.sleep, n)) for n in range(4)], timeout=1.5
    )
    print(len(done), len(pending))


asyncio.run(main())
