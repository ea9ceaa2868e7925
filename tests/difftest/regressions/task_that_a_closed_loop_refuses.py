"""A task made by hand on a closed loop is destroyed while it is pending, and that is reported."""

import asyncio


async def never():
    pass


loop = asyncio.new_event_loop()
loop.run_until_complete(asyncio.sleep(0))
loop.close()
coro = never()
try:
    asyncio.Task(coro, loop=loop)
except RuntimeError as error:
    print(*error.args)
coro.close()
