import asyncio


async def main():
    for number in range(50):
        print(number)
        await asyncio.sleep(0)
    while True:
        pass


asyncio.run(main())
