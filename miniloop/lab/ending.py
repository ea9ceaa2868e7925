"""The end: what runs when the program has returned."""

# ruff: noqa: D101, D102, D106

from __future__ import annotations

from typing import Any

import miniloop
from miniloop.core.loop import BaseEventLoop

from .broken import BrokenLoop, rewired


def remembered(future: Any, loop: Any) -> Any:
    """Return the future of what a loop is to run, which the loop remembers."""
    loop._main = miniloop.ensure_future(future, loop=loop)
    return loop._main


class StopsWithMain(BrokenLoop, rule="one-more-tick"):
    class EventLoop(miniloop.EventLoop):
        _main: Any = None

        run_until_complete = rewired(
            BaseEventLoop.run_until_complete,
            ensure_future=remembered,
            _run_until_complete_cb=lambda main: None,
        )

        def _run_once(self) -> None:
            super()._run_once()
            if self._main is not None and self._main.done():
                self._main = None
                self._stopping = True


class CleansUpLater(BrokenLoop, rule="clean-up-takes-ticks"):
    class EventLoop(miniloop.EventLoop):
        async def shutdown_asyncgens(self) -> None:
            await miniloop.sleep(0)
            await super().shutdown_asyncgens()
