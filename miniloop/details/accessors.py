"""What programs ask a future or a task for, besides waiting for it.

A debugger shows a task's name and where the task waits. A library copies the callbacks of a future.
Nothing here has a part in what runs when.

CPython's counterparts are the methods of the same names in ``asyncio/futures.py`` and
``asyncio/tasks.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from types import FrameType, GenericAlias
from typing import TYPE_CHECKING, Any, Generic, TextIO, TypeVar

from ..core.handles import Handle
from . import graph, reprs, stacks

if TYPE_CHECKING:
    from ..core.futures import Future

__all__ = ["FutureAccessors", "TaskAccessors"]

_T = TypeVar("_T")


class FutureAccessors:
    """What libraries look at in a future."""

    __slots__ = ()

    @property
    def _callbacks(self: Any) -> list[tuple[Callable[..., object], Context]]:
        """The waiters in asyncio's form, for libraries that look at them."""
        return [
            (entry._callback, entry._context)  # type: ignore[misc]
            if isinstance(entry, Handle)
            else (entry._wakeup, entry._context)
            for entry in self._all_waiting()
        ]

    @property
    def _asyncio_awaited_by(self: Any) -> frozenset[Future[Any]] | None:
        """The tasks that await this future, or None."""
        return frozenset(graph._awaiting_tasks(self)) or None

    __class_getitem__ = classmethod(GenericAlias)  # type: ignore[var-annotated]

    def __repr__(self: Any) -> str:
        return reprs._future_repr(self)

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")


class TaskAccessors(Generic[_T]):
    """What a task answers besides what a future does."""

    __slots__ = ()

    _name: str | int  # a number means the name Task-N

    def get_coro(self: Any) -> Coroutine[Any, Any, _T] | Generator[Any, Any, _T] | None:
        """Return the coroutine, or None if the task ended in an eager start."""
        return self._coro  # type: ignore[no-any-return]

    def get_context(self: Any) -> Context:
        """Return the contextvars context of the steps."""
        return self._context  # type: ignore[no-any-return]

    def get_name(self: Any) -> str:
        """Return the name, ``Task-N`` by default."""
        return f"Task-{self._name}" if isinstance(self._name, int) else self._name

    def set_name(self: Any, value: object) -> None:
        """Set the name to ``str(value)``."""
        self._name = str(value)

    def get_stack(self: Any, *, limit: int | None = None) -> list[FrameType]:
        """Return the frames of the coroutine, oldest first.

        Of a task that waits, that is where it waits; of one that failed, its traceback; else
        nothing. ``limit`` keeps the newest frames of a stack, the oldest of a traceback.
        """
        return stacks.get_stack(self, limit)

    def print_stack(self: Any, *, limit: int | None = None, file: TextIO | None = None) -> None:
        """Print ``get_stack()`` like a traceback.

        Without ``file`` the head goes to stdout and the frames to stderr, as in asyncio.
        """
        stacks.print_stack(self, limit, file)

    def __repr__(self: Any) -> str:
        return reprs._task_repr(self)
