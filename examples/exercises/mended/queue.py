"""A queue, mended: a consumer that finds the item gone waits again, at the end of the line."""

import miniloop


class Queue(miniloop.Queue):
    async def get(self):
        while self.empty():
            if self._is_shutdown:
                raise miniloop.QueueShutDown
            getter = self._get_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except BaseException:
                self._leave_line(self._getters, getter, self.empty)
                raise
        return self.get_nowait()
