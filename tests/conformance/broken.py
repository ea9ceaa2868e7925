"""Loops broken on purpose, to show that the suite notices."""

import multiprocessing
import signal
import time
from collections import deque
from selectors import BaseSelector
from typing import Any

import miniloop
import miniloop.interop


class Stack(deque):  # type: ignore[type-arg]
    popleft = deque.pop


class LastInFirstOut(miniloop.EventLoop):
    """What was made ready last runs first."""

    def __init__(self, selector: BaseSelector | None = None) -> None:
        super().__init__(selector)
        self._ready = Stack()


class InteropLastInFirstOut(miniloop.interop.EventLoop):
    """The same in asyncio's clothes."""

    def __init__(self, selector: BaseSelector | None = None) -> None:
        super().__init__(selector)
        self._ready = Stack()


class WrongWhenSpawned(miniloop.interop.EventLoop):
    """Gives a wrong result in a process that multiprocessing has made."""

    def run_until_complete(self, future: Any) -> Any:
        result = super().run_until_complete(future)
        return result if multiprocessing.parent_process() is None else "wrong"


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
