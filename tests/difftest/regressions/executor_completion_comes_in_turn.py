"""A job that ends is one more callback from a thread, in turn with the others (144506)."""

import asyncio
import concurrent.futures


async def main():
    loop = asyncio.get_running_loop()
    job = concurrent.futures.Future()
    future = asyncio.wrap_future(job)
    future.add_done_callback(lambda future: print("done", future.result()))
    loop.call_soon_threadsafe(print, "first")
    job.set_result(5)
    loop.call_soon_threadsafe(print, "second")
    print("awaited", await future)


asyncio.run(main())
