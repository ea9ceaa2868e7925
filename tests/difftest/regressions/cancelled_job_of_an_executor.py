"""A cancelled executor future cancels the job if it has not started (107505)."""

import asyncio
import concurrent.futures
import types


async def main():
    loop = asyncio.get_running_loop()
    for running in (False, True):
        job = concurrent.futures.Future()
        if running:
            job.set_running_or_notify_cancel()
        executor = types.SimpleNamespace(submit=lambda *call, job=job: job)
        future = loop.run_in_executor(executor, print)
        print(future.cancel(), job.cancelled())
        if running:
            job.set_result(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        print(future.cancelled(), job.cancelled())


asyncio.run(main())
