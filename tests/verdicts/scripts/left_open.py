import asyncio


async def generator(number):
    try:
        while True:
            yield number
            await asyncio.sleep(0.1)
    finally:
        await asyncio.sleep(0.1)
        print("closed", number)


class Ring:
    def __init__(self):
        self.me = self

    def __del__(self):
        print("freed")


async def main():
    opened = [generator(number) for number in range(20)]
    for one in opened:
        async for _ in one:
            break
    opened.append(opened)
    for _ in range(2000):
        Ring.count = Ring() and 0
    asyncio.sleep(1)  # never awaited
    for number in range(5):
        asyncio.create_task(asyncio.sleep(100 * number))  # noqa: RUF006
    await asyncio.sleep(0.1)


asyncio.run(main())
