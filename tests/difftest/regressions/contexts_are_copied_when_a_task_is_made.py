"""A task's context is a copy made at create_task; callbacks get a copy made when they are added."""

import asyncio
import contextvars


async def main():
    variable = contextvars.ContextVar("variable", default=0)

    async def child():
        print("child sees", variable.get())
        variable.set("child's")

    loop = asyncio.get_running_loop()
    variable.set(1)
    task = asyncio.create_task(child())
    task.add_done_callback(lambda task: print("callback sees", variable.get()))
    loop.call_soon(lambda: print("call_soon sees", variable.get()))
    loop.call_later(0.01, lambda: print("timer sees", variable.get()))
    variable.set(2)
    await task
    await asyncio.sleep(0.02)
    print("main sees", variable.get())


asyncio.run(main())
