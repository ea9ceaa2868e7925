"""Crossing between threads.

A loop and all that belongs to it live in one thread. There is one bridge into it from another:
``call_soon_threadsafe()``. This file is what can be built on that: a Future that ends when a
``concurrent.futures.Future`` ends, and the other way round.

CPython's counterparts are ``asyncio/threads.py``, and ``_chain_future`` and ``wrap_future`` in
``asyncio/futures.py``, ``run_coroutine_threadsafe`` in ``asyncio/tasks.py``.
"""

from __future__ import annotations

import concurrent.futures
import functools
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ..core.exceptions import CancelledError, InvalidStateError
from ..core.futures import Future, isfuture
from ..core.tasks import ensure_future
from ..details.coroutines import _can_be_driven
from ..details.current import _get_loop, _get_running_loop, get_event_loop, get_running_loop

if TYPE_CHECKING:
    from .event_loop import EventLoop

__all__ = ["run_coroutine_threadsafe", "to_thread", "wrap_future"]

_T = TypeVar("_T")
_P = ParamSpec("_P")


async def to_thread(func: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call ``func(*args, **kwargs)`` in a thread of the default executor; return its result.

    It sees the caller's context variables. Cancelling the wait does not stop the thread.
    """
    loop = get_running_loop()
    call = functools.partial(copy_context().run, func, *args, **kwargs)
    return await loop.run_in_executor(None, call)


def run_coroutine_threadsafe(
    coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], loop: EventLoop
) -> concurrent.futures.Future[_T]:
    """Start *coro* in *loop* from another thread; return a future that thread can wait for.

    Raises TypeError for what is no coroutine.
    """
    if not _can_be_driven(coro):
        raise TypeError("A coroutine object is required")
    future: concurrent.futures.Future[_T] = concurrent.futures.Future()

    def start() -> None:
        try:
            _chain_future(ensure_future(coro, loop=loop), future)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            if future.set_running_or_notify_cancel():
                future.set_exception(exc)
            raise

    loop.call_soon_threadsafe(start)
    return future


def wrap_future(
    future: concurrent.futures.Future[_T] | Future[_T], *, loop: EventLoop | None = None
) -> Future[_T]:
    """Return a Future of *loop* that ends as the ``concurrent.futures.Future`` ends.

    Cancelling one cancels the other. A Future is returned as it is.
    """
    if isfuture(future):
        return future  # type: ignore[return-value]
    assert isinstance(future, concurrent.futures.Future), (
        f"concurrent.futures.Future is expected, got {future!r}"
    )
    if loop is None:
        loop = get_event_loop()
    new_future = loop.create_future()
    _chain_future(future, new_future)
    return new_future


# A future of either kind: the two have the same methods for all that is needed here.
_AnyFuture = Any


def _chain_future(source: _AnyFuture, destination: _AnyFuture) -> None:
    """End *destination* as *source* ends, and cancel *source* if *destination* is cancelled.

    Each may belong to a loop, or to none (``concurrent.futures.Future``). Whatever must be done in
    a loop that runs in another thread is handed over with ``call_soon_threadsafe``.
    """
    for future, name in (source, "source"), (destination, "destination"):
        if not isfuture(future) and not isinstance(future, concurrent.futures.Future):
            raise TypeError(f"A future is required for {name} argument")
    source_loop = _get_loop(source) if isfuture(source) else None
    dest_loop = _get_loop(destination) if isfuture(destination) else None

    def on_destination_done(destination: _AnyFuture) -> None:
        if destination.cancelled():
            if source_loop is None or source_loop is _get_running_loop():
                source.cancel()
            else:
                source_loop.call_soon_threadsafe(source.cancel)

    def on_source_done(source: _AnyFuture) -> None:
        if destination.cancelled() and dest_loop is not None and dest_loop.is_closed():
            return
        if dest_loop is None or dest_loop is _get_running_loop():
            copy_state(source, destination)
        elif not dest_loop.is_closed():
            dest_loop.call_soon_threadsafe(copy_state, source, destination)

    copy_state = _copy_future_state if isfuture(destination) else _set_concurrent_future_state
    destination.add_done_callback(on_destination_done)
    source.add_done_callback(on_source_done)


def _copy_future_state(source: _AnyFuture, destination: Future[Any]) -> None:
    """End a Future as *source* has ended, unless it was cancelled meanwhile."""
    assert source.done()
    if destination.cancelled():
        return
    assert not destination.done()
    if source.cancelled():
        destination.cancel()
    elif (exception := source.exception()) is not None:
        destination.set_exception(_convert_future_exc(exception))
    else:
        destination.set_result(source.result())


def _set_concurrent_future_state(
    source: _AnyFuture, destination: concurrent.futures.Future[Any]
) -> None:
    """End a ``concurrent.futures.Future`` as *source* has ended."""
    assert source.done()
    if source.cancelled():
        destination.cancel()
    if not destination.set_running_or_notify_cancel():
        return
    exception = source.exception()
    if exception is not None:
        destination.set_exception(_convert_future_exc(exception))
    else:
        destination.set_result(source.result())


def _convert_future_exc(exc: BaseException) -> BaseException:
    """Return our exception for one of ``concurrent.futures`` that means the same."""
    if type(exc) is concurrent.futures.CancelledError:
        return CancelledError(*exc.args).with_traceback(exc.__traceback__)
    if type(exc) is concurrent.futures.InvalidStateError:
        return InvalidStateError(*exc.args).with_traceback(exc.__traceback__)
    return exc
