"""gather() returns results in the order of its arguments, even if another order was quicker.

The hare wins the race. The tortoise comes in last, and her medal still stands first in the list,
for she was the first to be named. That she also starts first is not promised: asyncio may start
the three in any order (the rule ``gather-start`` of ``miniloop explore``).
"""

import asyncio


async def race(runner, seconds):
    print(f"{runner} starts")
    await asyncio.sleep(seconds)
    print(f"{runner} is home")
    return f"a medal for the {runner}"


async def main():
    medals = await asyncio.gather(
        race("tortoise", 0.3),
        race("hare", 0.1),
        race("hedgehog", 0.2),
    )
    print("Handed out:", *medals, sep="\n  ")


asyncio.run(main())
