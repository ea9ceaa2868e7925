import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor


async def main():
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        for number in range(4):
            print(await loop.run_in_executor(pool, pow, number, 3))


asyncio.run(main())
