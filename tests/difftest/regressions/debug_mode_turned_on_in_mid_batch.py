"""Debug mode asks the clock around every callback that comes after the one that turned it on."""

import asyncio

loop = asyncio.new_event_loop()


def turn_on() -> None:
    loop.set_debug(True)
    print("on")


def late(name: str) -> None:
    print(name, round(loop.time() * 1e7))


loop.call_soon(turn_on)
loop.call_soon(late, "first")
loop.call_soon(late, "second")
loop.call_soon(loop.stop)
loop.run_forever()
loop.set_debug(False)
loop.close()
