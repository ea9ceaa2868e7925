"""Loops broken on purpose, to show that the suite notices."""

import signal
import time
from collections import deque
from selectors import BaseSelector

import miniloop


class Stack(deque):  # type: ignore[type-arg]
    popleft = deque.pop


class LastInFirstOut(miniloop.EventLoop):
    """What was made ready last runs first."""

    def __init__(self, selector: BaseSelector | None = None) -> None:
        super().__init__(selector)
        self._ready = Stack()


class Hanging(miniloop.EventLoop):
    """Never comes back from a tick."""

    def _run_once(self) -> None:
        while True:
            time.sleep(0.01)


class Deaf(Hanging):
    """Nor can it be interrupted."""

    def _run_once(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        super()._run_once()
