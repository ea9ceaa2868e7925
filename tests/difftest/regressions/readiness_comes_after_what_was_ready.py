"""A descriptor that is ready is handled after the callbacks that were queued before."""

import asyncio
import socket

loop = asyncio.new_event_loop()
r0, w0 = socket.socketpair()


def readable():
    print("readable", len(r0.recv(9)))
    loop.call_soon(print, "after reading")


loop.add_reader(r0, readable)
loop.call_soon(w0.send, b"1")
loop.call_soon(print, "same batch")
loop.call_soon(loop.call_soon, print, "next batch")
loop.call_later(0.01, loop.stop)
loop.run_forever()
print(loop.remove_reader(r0), loop.remove_reader(r0))
r0.close()
w0.close()
