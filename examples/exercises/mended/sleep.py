"""sleep(), mended: whoever cancels it cancels its timer as well."""

import miniloop


async def sleep(delay, result=None):
    if not delay > 0:
        return await miniloop.sleep(delay, result)
    loop = miniloop.get_running_loop()
    future = loop.create_future()

    def wake_up():
        if not future.done():
            future.set_result(result)

    timer = loop.call_later(delay, wake_up)
    try:
        return await future
    finally:
        timer.cancel()
