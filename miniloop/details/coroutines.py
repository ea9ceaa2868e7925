"""What counts as a coroutine.

A coroutine is a function call that can be suspended and resumed. Python has two kinds of such
objects, and a task can drive both, because both have ``send`` and ``throw``:

* the coroutine object that an ``async def`` function returns, and
* a generator. ``await`` does what ``yield from`` does: write ``yield from`` for every ``await``,
  and the generator takes the same steps.

CPython's counterpart is ``asyncio/coroutines.py``. asyncio drove plain generators until Python
3.11. miniloop still does, because they show what a coroutine is made of.
"""

import collections.abc
import inspect
import types
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["coroutine", "iscoroutine", "iscoroutinefunction"]

_F = TypeVar("_F", bound=Callable[..., Any])


def coroutine(func: _F) -> _F:
    """Mark a generator function as a coroutine function.

    A marked generator can be awaited by ``async def`` code and can itself ``yield from`` an
    ``async def`` coroutine; an unmarked one can only ``yield from`` futures and generators.
    This is ``types.coroutine``; asyncio had its own, ``asyncio.coroutine``, until Python 3.10.

    >>> import miniloop
    >>> @miniloop.coroutine
    ... def twin():
    ...     yield from miniloop.sleep(0)
    ...     return "the same"
    >>> miniloop.run(twin())
    'the same'
    """
    return types.coroutine(func)  # type: ignore[no-any-return]


def iscoroutine(obj: object) -> bool:
    """Return True if *obj* is a coroutine object or a marked generator.

    Since Python 3.12 asyncio's ``iscoroutine()`` returns False for a generator.
    """
    if isinstance(obj, types.GeneratorType):
        return bool(obj.gi_code.co_flags & inspect.CO_ITERABLE_COROUTINE)
    return isinstance(obj, types.CoroutineType | collections.abc.Coroutine)


def iscoroutinefunction(func: object) -> bool:
    """Return True if *func* returns a coroutine.

    Use ``inspect.iscoroutinefunction()`` instead: this one emits a DeprecationWarning, as
    asyncio's does since Python 3.14.
    """
    warnings.warn(
        "'asyncio.iscoroutinefunction' is deprecated and slated for removal in Python 3.16; "
        "use inspect.iscoroutinefunction() instead",
        DeprecationWarning,
        stacklevel=2,
    )
    return _iscoroutinefunction(func)


def _iscoroutinefunction(func: object) -> bool:
    """Return what ``iscoroutinefunction()`` returns, without a warning."""
    if inspect.iscoroutinefunction(func):
        return True
    code = getattr(func, "__code__", None)
    return bool(getattr(code, "co_flags", 0) & inspect.CO_ITERABLE_COROUTINE)


def _can_be_driven(obj: object) -> bool:
    """Return True for all that a task can drive: coroutines, and generators marked or not."""
    return type(obj) is types.CoroutineType or isinstance(
        obj, types.GeneratorType | collections.abc.Coroutine
    )
