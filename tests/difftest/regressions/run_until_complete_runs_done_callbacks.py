"""run_until_complete runs the future's done-callbacks before it returns, not what they schedule."""

import asyncio

loop = asyncio.new_event_loop()


async def main():
    return 5


task = loop.create_task(main())
task.add_done_callback(lambda task: (print("callback"), loop.call_soon(print, "its callback")))
print(loop.run_until_complete(task))
loop.call_later(0.01, loop.stop)
loop.run_forever()
