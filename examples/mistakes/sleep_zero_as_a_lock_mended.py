"""Mended: an Event says when it is done."""

import asyncio

connection = None
connected = asyncio.Event()


async def connect():
    global connection
    await asyncio.sleep(0)  # look up the name
    await asyncio.sleep(0)  # shake hands
    connection = "open"
    connected.set()


async def main():
    task = asyncio.create_task(connect())
    await connected.wait()
    print("connection:", connection)
    await task


asyncio.run(main())
