import asyncio
import random
import time


def job(number):
    time.sleep(random.random())
    return number


async def main():
    jobs = [asyncio.to_thread(job, number) for number in range(40)]
    print([await one for one in asyncio.as_completed(jobs)])


asyncio.run(main())
