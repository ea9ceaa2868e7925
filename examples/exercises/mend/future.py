"""A future that calls its callbacks at once, in the middle of whoever ends it."""

import miniloop


class Future(miniloop.Future):
    def _schedule_waiting(self):
        waiting, self._waiting = self._all_waiting(), None
        for entry in waiting:
            if isinstance(entry, miniloop.Handle):
                entry._args = (self,)
                entry._run()
            else:
                self._loop._ready.append(entry)
