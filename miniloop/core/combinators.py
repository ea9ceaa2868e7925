"""Waiting for time to pass, for several futures at once, and behind a shield.

You could write all of these yourself: they put callbacks on futures, and make futures of their own.
They decide *when* a task runs again, in ticks after the end of what it awaits (1 tick: in the next
one). Read ``timeouts.py`` before ``wait_for()``, and ``queues.py`` before ``as_completed()``.

=========================  =========  ===========================================================
``await coroutine``        0 ticks    there is no task in between
``sleep(0)``               1 tick     it yields None
``sleep(delay)``           1 tick     in the tick in which the timer is due, its callback ends a
                                      future; in the next the waiter runs
``await task``             1 tick     the task puts its waiter into the ready queue
``gather, wait, shield``   2 ticks    in the first tick a callback runs and ends the future that
                                      the waiter awaits; in the second the waiter runs
``as_completed``           2 ticks    in the first tick a callback puts the future into a queue; in
                                      the second the waiter, which waits for the queue, runs
``wait_for(task)``         1 tick     it awaits the task, inside a ``timeout()``
``wait_for(coroutine)``    0 ticks    it awaits the coroutine in the waiter's own task
=========================  =========  ===========================================================

CPython's counterpart is the middle of ``asyncio/tasks.py``.
"""

from __future__ import annotations

import functools
import inspect
import math
import types
from collections.abc import Awaitable, Coroutine, Generator, Iterable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from ..details import graph
from ..details.coroutines import _can_be_driven, iscoroutine
from ..details.current import (
    _get_loop,
    _get_running_loop,
    current_task,
    get_event_loop,
    get_running_loop,
)
from .exceptions import CancelledError
from .futures import (
    _FINISHED,
    _PENDING,
    Future,
    _plain_types,
    _set_result_unless_cancelled,
    isfuture,
)
from .queues import Queue
from .tasks import Task, ensure_future
from .timeouts import timeout as timeout_after  # wait_for() has an argument `timeout`

if TYPE_CHECKING:
    from .handles import TimerHandle
    from .loop import BaseEventLoop

__all__ = [
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "as_completed",
    "gather",
    "shield",
    "sleep",
    "wait",
    "wait_for",
]

_T = TypeVar("_T")


# -- sleep -------------------------------------------------------------------------------------


@types.coroutine  # a generator that can be awaited: an `async def` cannot yield to the loop
def _sleep0() -> Generator[None, None, None]:
    """Let the other tasks run: yield None, so that the task goes to the end of the ready queue."""
    yield


@overload
async def sleep(delay: float) -> None: ...
@overload
async def sleep(delay: float, result: _T) -> _T: ...
async def sleep(delay: float, result: Any = None) -> Any:
    """Wait ``delay`` seconds and return ``result``.

    If ``delay`` is 0 or less, wait for the next tick. Raises ValueError if it is NaN.
    """
    if delay <= 0:
        await _sleep0()
        return result
    if math.isnan(delay):
        raise ValueError("Invalid delay: NaN (not a number)")
    loop = get_running_loop()
    future = loop.create_future()
    timer = loop.call_later(delay, _set_result_unless_cancelled, future, result)
    try:
        return await future
    finally:
        timer.cancel()  # this does nothing if the timer has run


# -- gather ------------------------------------------------------------------------------------


def gather(
    *coros_or_futures: Awaitable[Any] | Generator[Any, Any, Any], return_exceptions: bool = False
) -> Future[list[Any]]:
    """Return a future of the list of all results, in the order of the arguments.

    gather() makes a task of each coroutine; these tasks and the futures given are its *children*.
    The first child that fails ends the future with its exception, and the other children go on.
    With ``return_exceptions`` the list holds exceptions as well. Cancelling the future cancels the
    children that are not done. Raises TypeError for what cannot be awaited, ValueError if the
    arguments belong to two loops.
    """
    if not coros_or_futures:
        empty = get_event_loop().create_future()
        empty.set_result([])
        return empty

    outer: _GatheringFuture | None = None
    finished = 0

    def on_child_done(child: Future[Any]) -> None:
        nonlocal finished
        finished += 1
        if outer is None or outer._state is not _PENDING:  # None: a later argument was refused
            if not child.cancelled():
                child.exception()  # asyncio: it is dropped without a report
        elif not return_exceptions and not (
            child._state is _FINISHED and child._exception is None
            if type(child) is Task  # fast: most children are tasks, and this asks without a call
            else _has_result(child)
        ):
            # A cancelled child counts as a failed child: it does not cancel the outer future.
            graph.wait_no_longer(parent, futures.values())  # asyncio: for call graphs
            outer.set_exception(_failure_of(child))
        elif finished == len(futures):
            _end(outer, return_exceptions)

    loop = _get_running_loop()
    parent = graph.note_parent(on_child_done, loop)  # asyncio: for call graphs
    futures: dict[Any, Future[Any]] = {}  # the same argument given twice is one child
    done = []
    children = []
    for arg in coros_or_futures:
        future = futures.get(arg)
        if future is None:
            future = futures[arg] = ensure_future(arg, loop=loop)
            if loop is None:
                loop = _get_loop(future)
            if future is not arg:  # gather()'s own task: its destruction is not worth a report
                future._log_destroy_pending = False  # type: ignore[attr-defined]
            if future.done():
                done.append(future)
            else:
                future.add_done_callback(on_child_done)
        children.append(future)

    outer = _GatheringFuture(children, loop=loop)  # type: ignore[arg-type]
    # Children that were done before are counted only now, because on_child_done() needs `outer`. If
    # all were, the outer future is done at once, and awaiting it takes no tick.
    for future in done:
        on_child_done(future)
    return outer


class _GatheringFuture(Future[list[Any]]):
    """The future that ``gather()`` returns: cancelling it cancels the children, which end it."""

    def __init__(self, children: list[Future[Any]], *, loop: BaseEventLoop) -> None:
        super().__init__(loop=loop)
        self._children = children
        self._cancel_requested = False

    def cancel(self, msg: Any | None = None) -> bool:
        if self.done():
            return False
        cancelled = [child.cancel(msg=msg) for child in self._children]
        if any(cancelled):
            self._cancel_requested = True
        return any(cancelled)


_plain_types.add(_GatheringFuture)


def _end(outer: _GatheringFuture, return_exceptions: bool) -> None:
    """End the outer future, now that all children are done."""
    if return_exceptions:
        results = [_outcome(child) for child in outer._children]
    else:  # none has failed
        results = [
            child._result if type(child) is Task else child.result()  # fast: no call
            for child in outer._children
        ]
    if outer._cancel_requested:
        # All children have ended, but the outer future was cancelled meanwhile (the children may
        # have ignored that): it fails with CancelledError, that of the last argument, as in
        # asyncio. So `cancelled()` of it stays False.
        outer.set_exception(outer._children[-1]._make_cancelled_error())
    else:
        outer.set_result(results)


def _has_result(child: Future[Any]) -> bool:
    """Return True if a child has ended with a result."""
    return not child.cancelled() and child.exception() is None


def _failure_of(child: Future[Any]) -> BaseException:
    """Return the exception of a child that has one."""
    failure = child._make_cancelled_error() if child.cancelled() else child.exception()
    assert failure is not None
    return failure


def _outcome(child: Future[Any]) -> Any:
    """Return how a child ended: its result, its exception, or a CancelledError."""
    if _has_result(child):
        return child.result()
    if child.cancelled():
        message = child._cancel_message
        return CancelledError("" if message is None else message)  # asyncio: "", not no argument
    return child.exception()


# -- wait --------------------------------------------------------------------------------------


async def wait(
    fs: Iterable[Future[_T]],
    *,
    timeout: float | None = None,
    return_when: str = ALL_COMPLETED,
) -> tuple[set[Future[_T]], set[Future[_T]]]:
    """Wait for futures, ``timeout`` seconds at most; return two sets, (done, pending).

    ``return_when`` is ALL_COMPLETED, FIRST_COMPLETED or FIRST_EXCEPTION. After ``timeout`` seconds
    wait() returns: it cancels nothing and raises no TimeoutError. Raises TypeError for coroutines
    (make tasks of them), ValueError if *fs* is empty or ``return_when`` is none of the three.
    """
    if isfuture(fs) or iscoroutine(fs):
        raise TypeError(f"expect a list of futures, not {type(fs).__name__}")
    if not fs:
        raise ValueError("Set of Tasks/Futures is empty.")
    if return_when not in (FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED):
        raise ValueError(f"Invalid return_when value: {return_when}")
    fs = set(fs)
    if any(_can_be_driven(f) for f in fs):
        raise TypeError("Passing coroutines is forbidden, use tasks explicitly.")
    return await _wait(fs, timeout, return_when, get_running_loop())


async def _wait(
    fs: set[Future[_T]], timeout: float | None, return_when: str, loop: BaseEventLoop
) -> tuple[set[Future[_T]], set[Future[_T]]]:
    assert fs, "Set of Futures is empty."
    waiter = loop.create_future()
    timer = None
    if timeout is not None:
        timer = loop.call_later(timeout, _release_waiter, waiter)
    left = len(fs)

    def on_completion(future: Future[_T]) -> None:
        nonlocal left
        left -= 1
        if (
            left <= 0
            or return_when == FIRST_COMPLETED
            or (return_when == FIRST_EXCEPTION and _failed(future))
        ):
            if timer is not None:
                timer.cancel()
            _release_waiter(waiter)

    parent = graph.note_parent(on_completion, loop)  # asyncio: for call graphs
    for future in fs:
        future.add_done_callback(on_completion)
    try:
        await waiter
    finally:
        if timer is not None:
            timer.cancel()
        for future in fs:
            future.remove_done_callback(on_completion)
        graph.wait_no_longer(parent, fs)  # asyncio: for call graphs
    done = {future for future in fs if future.done()}
    return done, fs - done


def _failed(future: Future[Any]) -> bool:
    return not future.cancelled() and future.exception() is not None


def _release_waiter(waiter: Future[None], *args: object) -> None:
    """End a wait. A future that calls this passes itself as well, in ``args``."""
    if not waiter.done():
        waiter.set_result(None)


# -- wait_for ----------------------------------------------------------------------------------


async def wait_for(fut: Awaitable[_T] | Generator[Any, Any, _T], timeout: float | None) -> _T:
    """Wait for *fut* and return its result; after ``timeout`` seconds cancel it.

    Then wait until *fut* has ended. Raises TimeoutError if it ends cancelled then, or if the time
    is up after *fut* has ended and before the caller's next step. If *fut* ignores the
    cancellation, its result is returned all the same. A ``timeout`` of None waits for ever. A
    coroutine runs in the caller's own task. Cancelling the caller cancels *fut*.
    """
    if timeout is not None and timeout <= 0:  # no time at all: a coroutine does not even begin
        future = ensure_future(fut)
        if future.done():
            return future.result()
        await _cancel_and_wait(future)
        try:
            return future.result()
        except CancelledError as exc:
            raise TimeoutError from exc
    if isinstance(fut, types.GeneratorType) and not iscoroutine(fut):  # `await` would refuse it
        fut = ensure_future(fut)
    async with timeout_after(timeout):
        return await fut  # type: ignore[misc, no-any-return]


async def _cancel_and_wait(future: Future[Any]) -> None:
    """Cancel a future and wait until it is done. Cancelling the caller ends the wait at once."""
    waiter = get_running_loop().create_future()
    callback = functools.partial(_release_waiter, waiter)
    future.add_done_callback(callback)
    task = current_task()
    graph.future_add_to_awaited_by(future, task)  # asyncio: for call graphs
    try:
        future.cancel()
        await waiter
    finally:
        future.remove_done_callback(callback)
        graph.future_discard_from_awaited_by(future, task)  # asyncio: for call graphs


# -- as_completed ------------------------------------------------------------------------------


def as_completed(
    fs: Iterable[Awaitable[_T] | Generator[Any, Any, _T]], *, timeout: float | None = None
) -> _AsCompletedIterator[_T]:
    """Return an iterator over awaitables in the order in which they are done.

    ``async for`` yields each future when it is done. A plain ``for`` yields coroutines; each waits
    for the next future and returns its result. After ``timeout`` seconds ``async for``, or the
    coroutine, raises TimeoutError in place of each future that is not done. Coroutines become tasks
    that start in the order given (in asyncio in any order). Raises TypeError for a single
    awaitable, RuntimeError if no loop is running.
    """
    if inspect.isawaitable(fs):
        raise TypeError(f"expects an iterable of awaitables, not {type(fs).__name__}")
    return _AsCompletedIterator(fs, timeout)


class _AsCompletedIterator(Generic[_T]):
    """What ``as_completed()`` returns."""

    def __init__(
        self, fs: Iterable[Awaitable[_T] | Generator[Any, Any, _T]], timeout: float | None
    ) -> None:
        self._done: Queue[Future[_T] | None] = Queue()  # None: the time was up
        self._timeout_handle: TimerHandle | None = None
        loop = get_event_loop()
        self._parent_task = current_task()  # asyncio: call graphs look for this attribute
        # A dict, not a set, so that the order is always the same.
        todo = dict.fromkeys(ensure_future(f, loop=loop) for f in dict.fromkeys(fs))
        for future in todo:
            future.add_done_callback(self._handle_completion)
        if todo and timeout is not None:
            self._timeout_handle = loop.call_later(timeout, self._handle_timeout)
        self._todo = todo
        self._todo_left = len(todo)  # futures that the iterator has not given out

    def __aiter__(self) -> _AsCompletedIterator[_T]:
        return self

    async def __anext__(self) -> Future[_T]:
        if not self._todo_left:
            raise StopAsyncIteration
        self._todo_left -= 1
        return await self._wait_for_one()

    def __iter__(self) -> _AsCompletedIterator[_T]:
        return self

    def __next__(self) -> Coroutine[Any, Any, _T]:
        if not self._todo_left:
            raise StopIteration
        self._todo_left -= 1
        return self._wait_for_one(resolve=True)

    def _handle_completion(self, future: Future[_T]) -> None:
        if not self._todo:
            return  # the timeout came first
        del self._todo[future]
        self._done.put_nowait(future)
        if not self._todo and self._timeout_handle is not None:
            self._timeout_handle.cancel()

    def _handle_timeout(self) -> None:
        for future in self._todo:
            future.remove_done_callback(self._handle_completion)
            graph.future_discard_from_awaited_by(future, self._parent_task)  # asyncio: as above
            self._done.put_nowait(None)
        self._todo.clear()
        self._parent_task = None

    @overload
    async def _wait_for_one(self, resolve: Literal[False] = False) -> Future[_T]: ...
    @overload
    async def _wait_for_one(self, resolve: Literal[True]) -> _T: ...
    async def _wait_for_one(self, resolve: bool = False) -> Any:
        try:
            future = await self._done.get()
        except BaseException:
            self._todo_left += 1  # this call got no future, so there is one more to give out
            raise
        if future is None:
            raise TimeoutError
        return future.result() if resolve else future


# -- shield ------------------------------------------------------------------------------------


def shield(arg: Awaitable[_T] | Generator[Any, Any, _T]) -> Future[_T]:
    """Return a future that ends as *arg* ends. Cancelling that future does not cancel *arg*.

    shield() makes a task of a coroutine. Keep a reference to what you shield, as ``create_task()``
    explains. Raises TypeError if *arg* cannot be awaited.
    """
    inner = ensure_future(arg)
    if inner.done():
        return inner
    outer: Future[_T] = _get_loop(inner).create_future()

    def on_inner_done(inner: Future[_T]) -> None:
        if outer.cancelled():
            # This callback was in the ready queue already when that happened. Nobody retrieves an
            # exception of `inner`, so the loop reports it.
            return
        if inner.cancelled():
            outer.cancel()
        elif (exception := inner.exception()) is not None:
            outer.set_exception(exception)
        else:
            outer.set_result(inner.result())

    def on_outer_done(outer: Future[_T]) -> None:
        if not inner.done():  # the outer future was cancelled: it does not wait any longer
            inner.remove_done_callback(on_inner_done)
            inner.remove_done_callback(forget_parent)  # asyncio: for call graphs
            forget_parent(inner)

    def forget_parent(inner: Future[_T]) -> None:
        graph.wait_no_longer(parent, [inner])

    parent = graph.note_parent(on_inner_done, _get_loop(inner))  # asyncio: for call graphs
    if parent is not None:
        # asyncio: a callback of its own. Debug mode times each callback, so this shows.
        inner.add_done_callback(forget_parent)
    inner.add_done_callback(on_inner_done)
    outer.add_done_callback(on_outer_done)
    return outer
