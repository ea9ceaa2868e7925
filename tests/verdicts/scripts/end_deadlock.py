import asyncio


async def main():
    await asyncio.to_thread(int)
    await asyncio.Event().wait()


asyncio.run(main())
