"""stop() runs out the current batch, not what it adds; before run_forever() it runs one batch."""

import asyncio

loop = asyncio.new_event_loop()


def stopping():
    print("stopping")
    loop.stop()
    loop.call_soon(print, "added by the batch")


loop.call_soon(stopping)
loop.call_soon(print, "same batch")
loop.run_forever()
print("between")
loop.stop()
loop.run_forever()
print("stopped before it ran")
