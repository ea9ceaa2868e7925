"""A tick that is broken: a program that never waits keeps all timers and sockets waiting."""

import heapq

import miniloop


class EventLoop(miniloop.EventLoop):
    def _run_once(self):
        if self._scheduled:
            self._drop_cancelled_timers()

        timeout = None
        if self._ready or self._stopping:
            timeout = 0
        elif self._scheduled:
            timeout = max(0, min(self._scheduled[0] - self.time(), 24 * 3600))
        self._process_events(self._selector.select(timeout))

        end_time = self.time() + self._clock_resolution
        while self._scheduled and self._scheduled[0] < end_time:
            timer = heapq.heappop(self._scheduled).timer
            timer._scheduled = False
            self._ready.append(timer)

        while self._ready:
            entry = self._ready.popleft()
            if self._debug:
                self._run_timed(entry)
            else:
                entry._run()
