"""Mistake: sleep(0) is taken for "until the other task has done it"."""

import asyncio

connection = None


async def connect():
    global connection
    await asyncio.sleep(0)  # look up the name
    await asyncio.sleep(0)  # shake hands
    connection = "open"


async def main():
    task = asyncio.create_task(connect())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    print("connection:", connection)
    await task
    print("connection:", connection)


asyncio.run(main())
