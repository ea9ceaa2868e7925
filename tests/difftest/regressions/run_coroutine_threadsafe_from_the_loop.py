"""run_coroutine_threadsafe starts its task two ticks later and passes results on (105836)."""

import asyncio


async def main():
    async def child(fail):
        print("child")
        if fail:
            raise ValueError(1)
        return 5

    loop = asyncio.get_running_loop()
    jobs = [asyncio.run_coroutine_threadsafe(child(fail), loop) for fail in (False, True)]
    for job in jobs:
        job.add_done_callback(lambda job: print("done", repr(job.exception())))
    for tick in range(5):
        print("tick", tick)
        await asyncio.sleep(0)


asyncio.run(main())
