"""An async generator makes each value when it is asked for, and tidies up when you leave.

The lighthouse could go on flashing for ever. The ship has seen enough after three flashes, and
leaving the `async with` puts the light out at once, not at some later time.
"""

import asyncio
from contextlib import aclosing


async def lighthouse(name):
    print(f"{name}: the lamp is lit")
    try:
        flash = 0
        while True:
            await asyncio.sleep(0.05)
            flash += 1
            yield flash
    finally:
        await asyncio.sleep(0.05)
        print(f"{name}: the lamp is out")


async def main():
    light = lighthouse("Fastnet")
    print("no lamp burns before somebody looks")
    async with aclosing(light) as flashes:
        async for flash in flashes:
            print(f"  the ship counts {flash}")
            if flash == 3:
                break
    print("the ship is safe in the harbour")


asyncio.run(main())
