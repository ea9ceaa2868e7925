"""Mended: after cancel(), the task is awaited."""

import asyncio

port_is_free = True


async def serve():
    global port_is_free
    port_is_free = False
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0.1)
        port_is_free = True


async def main():
    server = asyncio.create_task(serve())
    await asyncio.sleep(0.1)
    server.cancel()
    await asyncio.wait([server])
    print("port is free:", port_is_free)


asyncio.run(main())
