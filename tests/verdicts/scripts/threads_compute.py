import asyncio


def compute(number):
    return sum(one * one for one in range(number))


async def beat():
    for _ in range(5):
        await asyncio.sleep(0.01)
        print("beat")


async def main():
    beating = asyncio.create_task(beat())
    for number in (100_000, 200_000, 50_000):
        print(await asyncio.to_thread(compute, number))
    await beating


asyncio.run(main())
