"""A test for pytest: this program has the same schedule on asyncio and on miniloop."""

import asyncio


async def nap(seconds):
    await asyncio.sleep(seconds)
    print("awake after", seconds)


async def main():
    await asyncio.gather(*(nap(number % 3) for number in range(9)))


def test_it_runs_alike(same_schedule):
    same_schedule(main)
