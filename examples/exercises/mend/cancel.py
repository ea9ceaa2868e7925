"""A task that forgets to wake up when it is cancelled while it waits."""

import miniloop


class Task(miniloop.Task):
    def cancel(self, msg=None):
        if self.done():
            return super().cancel(msg)
        self._num_cancels_requested += 1
        self._must_cancel = True
        self._cancel_message = msg
        return True
