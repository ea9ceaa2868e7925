"""as_completed() hands out results in the order in which they come in.

Three pigeons leave with a letter each. The reader at the window opens the letters as they arrive,
and leaves after the second one, without waiting for the third pigeon.
"""

import asyncio


async def pigeon(city, seconds):
    await asyncio.sleep(seconds)
    return f"greetings from {city}"


async def main():
    flights = [
        asyncio.create_task(pigeon("Reykjavik", 0.3)),
        asyncio.create_task(pigeon("Ghent", 0.1)),
        asyncio.create_task(pigeon("Porto", 0.2)),
    ]
    for count, letter in enumerate(asyncio.as_completed(flights), start=1):
        print(await letter)
        if count == 2:
            break
    print("still in the air:", sum(not flight.done() for flight in flights))


asyncio.run(main())
