"""A semaphore that loses a slot when a task is woken and then cancelled before its next step."""

from collections import deque

import miniloop


class Semaphore(miniloop.Semaphore):
    async def acquire(self):
        if not self.locked():
            self._value -= 1
            return True
        if self._waiters is None:
            self._waiters = deque()
        future = self._get_loop().create_future()
        self._waiters.append(future)
        try:
            await future
        finally:
            self._waiters.remove(future)
        return True
