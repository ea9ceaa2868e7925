"""Debug mode notes where a done-callback was scheduled, which is where the future ended."""

import asyncio

loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda loop, context: print(*sorted(context)))
for before, after in ((False, True), (True, False), (True, True), (False, False)):
    future = loop.create_future()
    loop.set_debug(before)
    future.add_done_callback(lambda future: 1 / 0)
    loop.set_debug(after)
    future.cancel()
    loop.call_soon(loop.stop)
    loop.run_forever()
loop.close()
