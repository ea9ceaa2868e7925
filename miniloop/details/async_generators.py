"""Async generators that a program leaves in the middle.

A program may leave ``async for`` by ``break``. The generator then stays in the middle of its code,
and the rest of it (its ``finally`` clauses, its ``async with`` blocks) may have to await something.
No task drives the generator any more, so Python hands it to the loop, by two hooks:

* Python calls ``firstiter`` when a generator begins. The loop remembers the generator, weakly.
* Python calls ``finalizer`` before it destroys a generator that has not ended. The loop makes a
  task that closes it.

At the end of a program, ``shutdown_asyncgens()`` closes the generators that are still alive.

CPython's counterparts are the methods of the same names in ``asyncio/base_events.py``.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import AsyncGenerator
from typing import Any

Loop = Any  # means BaseEventLoop, but mypy accepts no subclass as the type of `self`


class AsyncGenerators:
    """What an event loop does about async generators."""

    __slots__ = ()

    _asyncgens: weakref.WeakSet[AsyncGenerator[Any, Any]]
    _asyncgens_shutdown_called = False
    _old_agen_hooks: Any = None

    def _watch_async_generators(self: Loop) -> None:
        """Set the hooks of this thread."""
        self._old_agen_hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(
            firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook
        )

    def _unwatch_async_generators(self: Loop) -> None:
        """Put back the hooks that were there before."""
        if self._old_agen_hooks is not None:
            sys.set_asyncgen_hooks(*self._old_agen_hooks)
            self._old_agen_hooks = None

    def _asyncgen_firstiter_hook(self: Loop, agen: AsyncGenerator[Any, Any]) -> None:
        if self._asyncgens_shutdown_called:
            warnings.warn(
                f"asynchronous generator {agen!r} was scheduled after "
                "loop.shutdown_asyncgens() call",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
        self._asyncgens.add(agen)

    def _asyncgen_finalizer_hook(self: Loop, agen: AsyncGenerator[Any, Any]) -> None:
        self._asyncgens.discard(agen)
        if not self.is_closed():
            # Thread-safe, because the garbage collector may run in any thread.
            self.call_soon_threadsafe(self.create_task, agen.aclose())

    async def shutdown_asyncgens(self: Loop) -> None:
        """Close all async generators that have begun and not ended; report their errors."""
        from ..core.combinators import gather  # here, because core/loop.py imports this file

        self._asyncgens_shutdown_called = True
        closing = list(self._asyncgens)
        if not closing:
            return
        self._asyncgens.clear()
        results = await gather(*[agen.aclose() for agen in closing], return_exceptions=True)
        for agen, result in zip(closing, results, strict=True):
            if isinstance(result, Exception):
                self.call_exception_handler(
                    {
                        "message": "an error occurred during closing of "
                        f"asynchronous generator {agen!r}",
                        "exception": result,
                        "asyncgen": agen,
                    }
                )
