"""A sleep() whose timer goes on when the task that sleeps is cancelled."""

import miniloop


async def sleep(delay, result=None):
    if not delay > 0:
        return await miniloop.sleep(delay, result)
    loop = miniloop.get_running_loop()
    future = loop.create_future()

    def wake_up():
        if not future.done():
            future.set_result(result)

    loop.call_later(delay, wake_up)
    return await future
