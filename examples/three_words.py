"""Three coroutines wait at the same time, and the shortest wait ends first."""

import asyncio


async def say(word, seconds):
    await asyncio.sleep(seconds)
    print(word)


async def main():
    words = say("late", 0.3), say("very", 0.2), say("not", 0.1)
    await asyncio.gather(*words)


asyncio.run(main())
