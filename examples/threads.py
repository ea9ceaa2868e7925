"""Run work that blocks in a thread, so that the loop goes on ticking.

The diver blocks until the rope is pulled, and only the loop can pull it. Called directly, the dive
would stop the loop, and nobody would ever pull. In a thread it does no harm.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor


def dive(rope):
    rope.wait()  # this blocks its whole thread
    return "a pearl"


def weigh(thing):
    return f"{thing} of {len(thing)} carats"


async def main():
    rope = threading.Event()
    dive_task = asyncio.create_task(asyncio.to_thread(dive, rope))
    for wave in range(1, 4):
        await asyncio.sleep(0.05)
        print(f"wave {wave} goes by")
    print("diver still down:", not dive_task.done())

    rope.set()
    find = await dive_task
    print("up comes the diver with", find)

    # The older way names the executor. It can be any concurrent.futures.Executor.
    with ThreadPoolExecutor(max_workers=1) as jeweller:
        loop = asyncio.get_running_loop()
        print("the jeweller says:", await loop.run_in_executor(jeweller, weigh, find))


asyncio.run(main())
