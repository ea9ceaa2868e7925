"""A loop, mended: a delay of 0 makes a timer like any other."""

import miniloop


class EventLoop(miniloop.EventLoop):
    def call_later(self, delay, callback, *args, context=None):
        return self.call_at(self.time() + delay, callback, *args, context=context)
