"""A future, mended: its callbacks stand in the ready queue, and run in the next tick."""

import miniloop


class Future(miniloop.Future):
    def _schedule_waiting(self):
        waiting, self._waiting = self._all_waiting(), None
        for entry in waiting:
            if isinstance(entry, miniloop.Handle):
                entry._args = (self,)
            self._loop._ready.append(entry)
