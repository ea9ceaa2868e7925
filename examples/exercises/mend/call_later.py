"""A loop that wants to be helpful: it makes no timer for a delay of 0."""

import miniloop


class EventLoop(miniloop.EventLoop):
    def call_later(self, delay, callback, *args, context=None):
        if delay <= 0:
            return self.call_soon(callback, *args, context=context)
        return self.call_at(self.time() + delay, callback, *args, context=context)
