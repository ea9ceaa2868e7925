"""A future of nobody's: it speaks asyncio's await protocol, and shares no code with anyone."""

import asyncio
from collections.abc import Generator
from typing import Any


class ForeignFuture:
    """What `_asyncio_future_blocking` asks of a class, and no more."""

    _asyncio_future_blocking = False
    _cancel_message = None

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._state = "pending"
        self._outcome: Any = None
        self._waiting: list[tuple[Any, Any]] = []

    def get_loop(self) -> Any:
        return self._loop

    def done(self) -> bool:
        return self._state != "pending"

    def cancelled(self) -> bool:
        return self._state == "cancelled"

    def result(self) -> Any:
        if self._state == "result":
            return self._outcome
        raise self._outcome if self._state == "exception" else self._make_cancelled_error()

    def exception(self) -> Any:
        if self._state == "cancelled":
            raise self._make_cancelled_error()
        return self._outcome if self._state == "exception" else None

    def _make_cancelled_error(self) -> BaseException:
        return asyncio.CancelledError("foreign")

    def set_result(self, result: Any) -> None:
        self._end("result", result)

    def set_exception(self, exception: BaseException) -> None:
        self._end("exception", exception)

    def cancel(self, msg: Any = None) -> bool:
        return not self.done() and self._end("cancelled", None)

    def _end(self, state: str, outcome: Any) -> bool:
        self._state, self._outcome = state, outcome
        waiting, self._waiting = self._waiting, []
        for fn, context in waiting:
            self._loop.call_soon(fn, self, context=context)
        return True

    def add_done_callback(self, fn: Any, *, context: Any = None) -> None:
        if self.done():
            self._loop.call_soon(fn, self, context=context)
        else:
            self._waiting.append((fn, context))

    def remove_done_callback(self, fn: Any) -> int:
        before = len(self._waiting)
        self._waiting = [entry for entry in self._waiting if entry[0] != fn]
        return before - len(self._waiting)

    def __await__(self) -> Generator[Any, None, Any]:
        if not self.done():
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    __iter__ = __await__
