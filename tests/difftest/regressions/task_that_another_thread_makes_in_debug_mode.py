"""In debug mode a loop refuses a task of another thread: one more that was destroyed pending."""

import asyncio
import threading


async def never():
    pass


def refused():
    try:
        task = loop.create_task(never())
        print(task)
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
