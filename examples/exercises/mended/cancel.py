"""A task, mended: to cancel it while it waits is to cancel what it waits for."""

import miniloop


class Task(miniloop.Task):
    def cancel(self, msg=None):
        if self.done():
            return super().cancel(msg)
        self._num_cancels_requested += 1
        if self._fut_waiter is not None and self._fut_waiter.cancel(msg=msg):
            return True
        self._must_cancel = True
        self._cancel_message = msg
        return True
