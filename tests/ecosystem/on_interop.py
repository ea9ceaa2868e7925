"""Runs a coroutine on the interop loop, and says whose loop and task that is."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from miniloop import interop

_T = TypeVar("_T")

SECONDS = 30  # far more than any of these tests needs


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run as asyncio.run() does, on miniloop's scheduling."""

    async def bounded() -> _T:
        async with asyncio.timeout(SECONDS):
            assert_on_miniloop()
            return await main

    with asyncio.Runner(loop_factory=interop.EventLoop) as runner:
        return runner.run(bounded())


def assert_on_miniloop() -> None:
    """Fail unless a task of miniloop runs on a loop of miniloop."""
    assert type(asyncio.get_running_loop()) is interop.EventLoop
    assert type(asyncio.current_task()) is interop.Task
