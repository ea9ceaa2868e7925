"""After a KeyboardInterrupt the rest of the batch is still queued and the stop flag is clear."""

import asyncio

loop = asyncio.new_event_loop()


def interrupt():
    raise KeyboardInterrupt(1)


loop.call_soon(loop.stop)
loop.call_soon(interrupt)
loop.call_soon(print, "the rest")
try:
    loop.run_forever()
except KeyboardInterrupt:
    print("interrupted")
loop.call_later(0.01, loop.stop)
loop.run_forever()
print("ended")
