"""Work that blocks runs in a thread, work that computes in processes."""

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor


def read_slowly(name):
    time.sleep(0.1)
    return f"the text of {name}"


def count_primes(limit):
    return sum(all(n % d for d in range(2, n)) for n in range(2, limit))


async def main():
    loop = asyncio.get_running_loop()
    print(await asyncio.to_thread(read_slowly, "a.txt"))
    with ProcessPoolExecutor() as processes:
        calls = [
            loop.run_in_executor(processes, count_primes, limit)
            for limit in [100, 1000]
        ]
        print("primes:", await asyncio.gather(*calls))


if __name__ == "__main__":  # a new process imports this file again
    asyncio.run(main())
