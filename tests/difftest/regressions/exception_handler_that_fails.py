"""What an exception handler raises is caught, and the loop goes on."""

import asyncio

loop = asyncio.new_event_loop()


def handler(loop, context):
    print("handler", repr(context.get("exception")))
    raise ValueError(2)


def fail():
    raise ValueError(1)


loop.set_exception_handler(handler)
loop.call_soon(fail)
loop.call_soon(print, "next")
loop.call_later(0.01, loop.stop)
loop.run_forever()
