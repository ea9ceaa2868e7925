import asyncio


async def answer(number):
    await asyncio.sleep(0.1 * number)
    return number * number


def ask(loop, number):
    return asyncio.run_coroutine_threadsafe(answer(number), loop).result(timeout=10)


async def main():
    loop = asyncio.get_running_loop()
    print(await asyncio.gather(*(asyncio.to_thread(ask, loop, number) for number in range(6))))


asyncio.run(main())
