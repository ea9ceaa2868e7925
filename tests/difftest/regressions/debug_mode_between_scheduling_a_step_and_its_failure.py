"""A report of a step that fails tells where it was scheduled, if debug mode was on just then."""

import asyncio
import itertools


class Stubborn(asyncio.Future):
    def cancel(self, msg=None):
        raise ValueError("not me")


async def fails(during, waits):
    for _ in range(waits):
        await asyncio.sleep(0)
    asyncio.current_task().cancel()
    loop.set_debug(during)
    await Stubborn()  # what is raised leaves through the step: the task has yielded already


tasks = []  # they stay pending: none must be destroyed in mid-run
loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda loop, context: print(*sorted(context)))
for waits in (0, 2):
    for before, between, during in itertools.product((False, True), repeat=3):
        print(waits, before, between, during)
        loop.set_debug(before)
        tasks.append(loop.create_task(fails(during, waits)))
        for _ in range(waits):
            loop.call_soon(loop.stop)
            loop.run_forever()
        loop.set_debug(between)
        loop.call_soon(loop.stop)
        loop.run_forever()
loop.close()
