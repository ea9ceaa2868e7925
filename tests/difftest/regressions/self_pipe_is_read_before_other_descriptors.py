"""Of descriptors that are ready at once the self-pipe is first, whenever it was registered."""

import asyncio
import contextlib
import socket

loop = asyncio.new_event_loop()
here, there = socket.socketpair()
here.setblocking(False)


def from_a_thread():
    loop.call_soon_threadsafe(print, "called")


def interrupt():
    print(here.recv(1))
    raise KeyboardInterrupt


async def main():
    loop.call_soon(from_a_thread)
    await asyncio.sleep(0)
    there.send(b"1")
    await asyncio.sleep(0.005)


loop.add_reader(here, interrupt)
with contextlib.suppress(KeyboardInterrupt):
    loop.run_until_complete(main())
loop.call_later(0.01, loop.stop)
loop.run_forever()
loop.close()
here.close()
there.close()
