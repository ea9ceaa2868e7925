"""`await` is `yield from` with better manners: both take the same turns.

Below is one coroutine written twice, with `async def` and as a plain generator. Each walks beside
the same metronome. If one of them took a turn more or less than the other, its steps would fall on
other beats.
"""

import asyncio
import types

# asyncio's own mark for generators went away with Python 3.11. miniloop still has one.
coroutine = getattr(asyncio, "coroutine", types.coroutine)


async def modern(walk, bell):
    walk.append("left")
    await asyncio.sleep(0)
    walk.append("right")
    walk.append(await bell)
    return "home"


@coroutine
def classic(walk, bell):
    walk.append("left")
    yield from asyncio.sleep(0)
    walk.append("right")
    walk.append((yield from bell))
    return "home"


async def metronome(walk, bell):
    for beat in range(1, 6):
        walk.append(f"beat {beat}")
        if beat == 3:
            bell.set_result("ding")
        await asyncio.sleep(0)


async def stroll(walker):
    walk = []
    bell = asyncio.get_running_loop().create_future()
    ticking = asyncio.create_task(metronome(walk, bell))
    walk.append(await walker(walk, bell))
    await ticking
    return walk


async def main():
    new, old = await stroll(modern), await stroll(classic)
    print("async def: ", *new, sep=" | ")
    print("generator: ", *old, sep=" | ")
    print("the same walk" if new == old else "they fell out of step")


asyncio.run(main())
