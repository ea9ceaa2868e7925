import asyncio


async def main():
    print(asyncio.sleep.__module__)  # this is the very thing that differs


asyncio.run(main())
