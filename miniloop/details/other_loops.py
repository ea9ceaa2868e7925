"""Event loops that are not miniloop's.

A tutorial, a test or a GUI toolkit may bring an event loop of its own. Such a loop has the methods
that asyncio documents (``call_soon()``, ``get_debug()``, ...), but no ready queue that takes tasks.
Futures and tasks of miniloop run on it all the same. In place of the loop they hold a
``ForeignLoop``, an adapter that calls those methods.

``AbstractEventLoop`` is for ``isinstance()``, and a base class for a loop of your own.

CPython's counterpart is ``AbstractEventLoop`` in ``asyncio/events.py``.
"""

from __future__ import annotations

import abc
import weakref
from collections.abc import Callable
from contextvars import Context
from typing import Any

from ..core.handles import Handle
from .current import _current_task_of, _is_ours, _register_task, _set_current_task

__all__ = ["AbstractEventLoop"]


class ForeignLoop:
    """An adapter with all that futures and tasks need of a loop, for any loop.

    It is its own ready queue as well: ``append()`` calls the loop's ``call_soon()``.
    """

    _closed = False  # call_soon() of the loop checks that
    _current_handle = None

    def __init__(self, loop: Any) -> None:
        self.loop = loop

    @property
    def _ready(self) -> ForeignLoop:  # a property, because an attribute would make a cycle
        return self

    def append(self, entry: Any) -> None:
        """Schedule a handle or a task."""
        if isinstance(entry, Handle):
            args = entry._args or ()
            self.loop.call_soon(entry._callback, *args, context=entry._context)
        else:
            _register_task(entry)  # all_tasks() cannot look into the loop's queue
            # An empty context: the step enters the task's own, which works once at a time only.
            self.loop.call_soon(entry._run, context=Context())

    @property
    def _debug(self) -> bool:
        return self.loop.get_debug()  # type: ignore[no-any-return]

    @property
    def _current_task(self) -> Any:
        return _current_task_of(self.loop)

    @_current_task.setter
    def _current_task(self, task: Any) -> None:
        _set_current_task(self.loop, task)

    def _check_closed(self) -> None:
        pass

    def _check_thread(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loop, name)


# By id(), since a loop need not be hashable. An entry lives as long as a future or task holds it.
_known: weakref.WeakValueDictionary[int, ForeignLoop] = weakref.WeakValueDictionary()


def adapted(loop: Any) -> Any:
    """Return a loop of miniloop as it is, and any other inside a ``ForeignLoop``."""
    if _is_ours(loop) or type(loop) is ForeignLoop:
        return loop
    found = _known.get(id(loop))
    if found is None:
        found = _known[id(loop)] = ForeignLoop(loop)
    return found


class AbstractEventLoop(abc.ABC):  # noqa: B024  (a missing method raises when it is called)
    """A base class for your own event loop. Its methods raise NotImplementedError.

    Only ``call_soon()`` does not: it calls ``call_later(0, ...)``.
    """

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        """Schedule ``callback(*args)`` by ``call_later()``."""
        handle: Handle = self.call_later(  # type: ignore[attr-defined]
            0, callback, *args, context=context
        )
        return handle


def _missing(name: str) -> Callable[..., Any]:
    """Return a method that only raises. AbstractEventLoop gets about forty of them."""

    def method(self: object, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    method.__name__ = name
    method.__qualname__ = f"AbstractEventLoop.{name}"
    method.__doc__ = "Raise NotImplementedError."
    return method


for _name in (
    *("run_forever", "run_until_complete", "stop", "is_running", "is_closed", "close"),
    *("shutdown_asyncgens", "shutdown_default_executor"),
    *("call_later", "call_at", "time", "call_soon_threadsafe", "_timer_handle_cancelled"),
    *("create_future", "create_task", "set_task_factory", "get_task_factory"),
    *("run_in_executor", "set_default_executor", "getaddrinfo", "getnameinfo"),
    *("add_reader", "remove_reader", "add_writer", "remove_writer"),
    *("sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into", "sock_sendall"),
    *("sock_sendto", "sock_connect", "sock_accept", "add_signal_handler", "remove_signal_handler"),
    *("get_exception_handler", "set_exception_handler", "default_exception_handler"),
    *("call_exception_handler", "get_debug", "set_debug"),
):
    setattr(AbstractEventLoop, _name, _missing(_name))
