"""asyncio.run() is a convenience. Beneath it are a loop, a future and callbacks.

This program has no `async` and no `await`. A clock strikes by a callback that schedules itself. At
the third stroke it sets the result of the future for which the loop is running.
"""

import asyncio


def strike(loop, hour, future):
    print("bong" + "!" * hour)
    if hour < 3:
        loop.call_later(0.05, strike, loop, hour + 1, future)
    else:
        loop.call_soon(print, "(said by a callback that was still in the queue)")
        future.set_result(f"it is {hour} o'clock")


loop = asyncio.new_event_loop()
try:
    future = loop.create_future()
    loop.call_soon(strike, loop, 1, future)
    print("nothing strikes before the loop runs")
    print(loop.run_until_complete(future))
finally:
    loop.close()
print("closed:", loop.is_closed())
