"""In debug mode a loop refuses a task of another thread, and the task was destroyed while pending."""

import asyncio
import threading


async def never():
    pass


def refused():
    try:
        loop.create_task(never())
    except RuntimeError as error:
        print(*error.args)


async def main():
    thread = threading.Thread(target=refused)
    thread.start()
    thread.join()
    await asyncio.sleep(0)


loop = asyncio.new_event_loop()
loop.set_debug(True)
loop.run_until_complete(main())
