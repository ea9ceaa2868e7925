"""asyncio.run() is a convenience: underneath are a loop, a future and callbacks.

No `async` and no `await` stands in this program. A clock strikes by callbacks that call each other
up, and at the third stroke it sets the result of a future, for which the loop was running.
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
