"""Crossing between threads.

A loop and all that belongs to it live in one thread. Another thread has one way in:
``call_soon_threadsafe()``. This file builds on that: it lets a Future end when a
``concurrent.futures.Future`` ends, and the other way round.

CPython's counterparts are ``asyncio/threads.py``, ``_chain_future`` and ``wrap_future`` in
``asyncio/futures.py``, and ``run_coroutine_threadsafe`` in ``asyncio/tasks.py``.
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

    ``func`` runs in a copy of the caller's contextvars context. Cancelling does not stop it.
    """
    loop = get_running_loop()
    call = functools.partial(copy_context().run, func, *args, **kwargs)
    return await loop.run_in_executor(None, call)


def run_coroutine_threadsafe(
    coro: Coroutine[Any, Any, _T] | Generator[Any, Any, _T], loop: EventLoop
) -> concurrent.futures.Future[_T]:
    """Start *coro* in *loop* from another thread; return a future that blocks that thread.

    That is a ``concurrent.futures.Future``: call its ``result(timeout)``, in seconds. Raises
    TypeError if *coro* is no coroutine, RuntimeError if the loop is closed.
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
            raise  # the loop reports it as well

    loop.call_soon_threadsafe(start)
    return future


def wrap_future(
    future: concurrent.futures.Future[_T] | Future[_T], *, loop: EventLoop | None = None
) -> Future[_T]:
    """Return a Future of *loop* that ends as the ``concurrent.futures.Future`` ends.

    *loop* is by default that of ``get_event_loop()``. If one of the two futures is cancelled, so is
    its partner. If *future* is a Future of a loop already, return it as it is.
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

    Each belongs to a loop, or to none (``concurrent.futures.Future``). A loop that runs in another
    thread gets its part of the work through ``call_soon_threadsafe()``.
    """
    source_loop = _loop_of(source, "source")
    dest_loop = _loop_of(destination, "destination")

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


def _loop_of(future: _AnyFuture, name: str) -> Any:
    """Return a future's loop, None if it has none. Raises TypeError if it is no future."""
    if isfuture(future):
        return _get_loop(future)
    if not isinstance(future, concurrent.futures.Future):
        raise TypeError(f"A future is required for {name} argument")
    return None


def _copy_future_state(source: _AnyFuture, destination: Future[Any]) -> None:
    """End a Future as *source* has ended, unless the Future was cancelled meanwhile."""
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
    """Return asyncio's exception in place of one of the same name in ``concurrent.futures``."""
    if type(exc) is concurrent.futures.CancelledError:
        return CancelledError(*exc.args).with_traceback(exc.__traceback__)
    if type(exc) is concurrent.futures.InvalidStateError:
        return InvalidStateError(*exc.args).with_traceback(exc.__traceback__)
    return exc
