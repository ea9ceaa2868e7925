"""Find the loop that the user names, and what of it can be compared.

A loop is given in the same ways everywhere: as a class, a function that makes a loop, the text
`module:name` of one of these, or a known name. `resolve()` makes such a loop once and tries it out.
If something is wrong with it, the user reads that in one line before anything is compared.

If a loop takes a selector, it gets one that counts ticks and moves a virtual clock. Otherwise only
the order of events can be compared.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import inspect
import os
import selectors
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import miniloop

from ..trace import CountingSelector, Recorder, Stuck, VirtualClock, on_virtual_time

FORMS = "a loop class, a function that makes a loop, 'module:name' of either"
"""How a loop can be given, for messages and help texts."""

TRY_TICKS = 100
"""Ticks that the trial may take. Most loops need three or four."""


@dataclass(frozen=True)
class LoopKind:
    """A kind of event loop that can be made, again and again, and compared."""

    name: str
    """The name in output."""
    module: ModuleType
    """The library that belongs to it, which programs on this loop get as `asyncio`."""
    make: Callable[[], Any]
    """Makes a loop as its author makes it."""
    loop_class: Any
    """The class whose subclasses are recorded. They get a selector, unless `order_only`."""
    task_class: Any
    """What the loop's own `create_task()` makes."""
    future_class: Any
    """What its `create_future()` makes."""
    asks_factory: bool = True
    """Whether `create_task()` uses the loop's task factory."""
    order_only: str = ""
    """Why ticks cannot be compared, and what to change, in a sentence. Empty if they can be."""


def resolve(given: object, known: Iterable[str] = ()) -> LoopKind:
    """Return the kind of loop that `given` names.

    `given` is a loop class, a function without required parameters that makes a loop (it may take a
    selector), the text `module:name` of one of these (`name` may have dots), or one of `KNOWN`.
    Error messages offer the names in `known`, by default those of `KNOWN`.

    The module is imported from where Python finds it, or else from the current folder. The loop is
    made, and runs two small tasks.

    Raises ValueError, with one line for the user, if there is no such module or name, if it is no
    loop, or if the loop cannot be made or run. Raises TypeError if `given` is neither text nor
    callable.
    """
    names = tuple(known) or tuple(KNOWN)
    if isinstance(given, LoopKind):
        return given
    if isinstance(given, str):
        if given in KNOWN:
            name, make = given, KNOWN[given]()
        else:
            name, make = given, load(given, names)
    else:
        name = getattr(given, "__qualname__", type(given).__name__)
        make = given
    if not callable(make):
        kind = "a loop that has been made already" if hasattr(make, "run_forever") else repr(make)
        text = f"{name} is {kind}: give {FORMS}, or one of {', '.join(names)}"
        raise ValueError(text) if isinstance(given, str) else TypeError(text)
    if isinstance(make, type) and not hasattr(make, "run_forever"):
        raise ValueError(f"{name} is a class, but no event loop: it has no run_forever()")
    return _tried(name, make)


def _asyncio() -> Any:
    return asyncio.SelectorEventLoop


def _miniloop() -> Any:
    return miniloop.EventLoop


def _interop() -> Any:
    return importlib.import_module("miniloop.interop").EventLoop


KNOWN: dict[str, Callable[[], Any]] = {
    "asyncio": _asyncio,
    "miniloop": _miniloop,
    "interop": _interop,
}
"""The loops that have names."""


def load(text: str, known: Iterable[str]) -> Any:
    """Import `module:name`. Raises ValueError with one line that says what is wrong."""
    module_name, colon, attribute = text.partition(":")
    if not colon:
        raise ValueError(
            f"no loop named {text!r}: choose from {', '.join(known)}, or give 'module:name' of a "
            "loop class, or of a function that makes a loop"
        )
    if not module_name or not attribute:
        raise ValueError(f"{text}: give a module and a name in it, as in uvloop:new_event_loop")
    if module_name.endswith(".py") or "/" in module_name or os.sep in module_name:
        *_, stem = module_name.removesuffix(".py").replace(os.sep, "/").split("/")
        raise ValueError(
            f"{text}: give the name of the module, not its file, as in {stem}:{attribute}"
        )
    try:
        with _current_folder_importable():
            found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name + ".").startswith(error.name + "."):
            raise ValueError(f"{text}: there is no module named {error.name!r}") from None
        raise ValueError(f"{text}: cannot import {module_name}: {error}") from None
    except (Exception, SystemExit) as error:
        raise ValueError(f"{text}: cannot import {module_name}: {_said(error)}") from None
    where = f"module {module_name!r}"
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise ValueError(f"{text}: {where} has no {part!r}") from None
        where = f"{part!r} in {where}"
    return found


@contextlib.contextmanager
def _current_folder_importable() -> Iterator[None]:
    """In the block, find modules in the current folder, too, after all others."""
    folder = os.getcwd()
    sys.path.append(folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)


def _said(error: BaseException) -> str:
    """Return an exception as one line."""
    text = " ".join(str(error).split())
    if isinstance(error, ImportError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _tried(name: str, make: Callable[..., Any]) -> LoopKind:
    """Make the loop, run it for a moment, and say what it is."""
    parameter = selector_parameter(make)
    plain = make
    if parameter is not None and not _needs_nothing(make):
        plain = functools.partial(_give, make, parameter, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            loop = plain()
        except (Exception, SystemExit) as error:
            raise ValueError(f"{name}: the loop cannot be made: {_said(error)}") from None
        if not hasattr(loop, "run_forever"):
            raise ValueError(f"{name}: it makes no loop, but returns {loop!r}")
        loop_class = type(loop)
        module = library_of(loop_class)
        try:
            made = try_out(loop, module)
        except (Exception, SystemExit) as error:
            raise ValueError(f"{name}: the loop cannot run a task: {_said(error)}") from None
        why = f"{name} takes no selector"
        change = "let __init__" if isinstance(make, type) else "let it"
        change += " take a selector and pass it on"
        if parameter is not None:
            with_selector = taking_selector(make, parameter, loop_class)
            recorder = Recorder(tick_limit=TRY_TICKS)
            recorder.clock = ImpatientClock(recorder.selector)
            try:
                try_out(on_virtual_time(with_selector)(recorder), module)
                if recorder.selector.ticks:
                    return LoopKind(name, module, plain, with_selector, *made)
                raise Stuck("waits without the selector")
            except Stuck:
                if recorder.selector.ticks:
                    why = f"{name} does not take the time from its own time()"
                    change = "let it compute deadlines and timeouts with self.time()"
                else:
                    why = f"{name} does not use the selector that it gets"
                    change = "let it call select() of that selector once in each iteration"
            except Exception as error:
                why = f"{name} fails with a selector of another kind ({_said(error)})"
                change = "let it take any selectors.BaseSelector"
    return LoopKind(
        name,
        module,
        plain,
        loop_class,
        *made,
        f"{why}, so only the order of events is compared; to compare ticks, {change}",
    )


class ImpatientClock(VirtualClock):
    """A virtual clock for a loop that may wait in a selector of its own, which moves no clock."""

    def __init__(self, selector: CountingSelector) -> None:
        super().__init__()
        self._selector = selector
        selector.clock = self
        self._asked = 0

    def time(self) -> float:
        """Return seconds since the run began. Raises Stuck if the loop never uses the selector."""
        self._asked += 1
        if self._asked > TRY_TICKS and not self._selector.ticks:
            raise Stuck("waits without the selector")
        return super().time()


def selector_parameter(make: Callable[..., Any]) -> str | None:
    """Return how a class or function takes a selector: "" by position, or the parameter's name.

    Return None if it takes none.
    """
    try:
        parameters = list(inspect.signature(make).parameters.values())
    except (TypeError, ValueError):  # not everything in C has a signature
        return None
    for number, one in enumerate(parameters):
        if "selector" in one.name.lower() and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            by_position = number == 0 and one.kind is not one.KEYWORD_ONLY
            return "" if by_position else one.name
    for one in parameters[:1]:
        positional = one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        if one.kind is one.VAR_POSITIONAL or (positional and one.default is one.empty):
            return ""
    return "selector" if any(one.kind is one.VAR_KEYWORD for one in parameters) else None


def _needs_nothing(make: Callable[..., Any]) -> bool:
    """Return whether it can be called without arguments."""
    try:
        inspect.signature(make).bind()
    except TypeError:
        return False
    return True


def _give(make: Callable[..., Any], parameter: str, selector: Any) -> Any:
    """Call it with a selector, by default the one that loops make for themselves."""
    selector = selector or selectors.DefaultSelector()
    return make(**{parameter: selector}) if parameter else make(selector)


def taking_selector(make: Callable[..., Any], parameter: str, loop_class: Any) -> Any:
    """Return a class of such loops whose only parameter is a selector."""
    loop_class = with_exception_handler(loop_class)
    if isinstance(make, type):
        if not parameter:
            return loop_class

        class Adapted(loop_class):  # type: ignore[misc]
            def __init__(self, selector: Any = None) -> None:
                super().__init__(**{parameter: selector})

        return _named_as(loop_class, Adapted)

    class Forgotten(loop_class):  # type: ignore[misc]
        def __del__(self) -> None:
            """Do nothing: another object has taken over the attributes of this one."""

    class Made(loop_class):  # type: ignore[misc]
        def __init__(self, selector: Any = None) -> None:
            # The function makes an object that is not of this subclass. But this object can share
            # all attributes with it.
            made = _give(make, parameter, selector)
            already = dict(vars(self))
            self.__dict__ = vars(made)
            self.__dict__.update(already)
            made.__class__ = Forgotten

    return _named_as(loop_class, Made)


def with_exception_handler(loop_class: Any) -> Any:
    """Return the class, with a settable exception handler if it has none: recorders set one."""
    if hasattr(loop_class, "set_exception_handler"):
        return loop_class

    class Handling(loop_class):  # type: ignore[misc]
        _handler: Any = None

        def set_exception_handler(self, handler: Any) -> None:
            self._handler = handler

        def call_exception_handler(self, context: dict[str, Any]) -> None:
            if self._handler is None:
                super().call_exception_handler(context)
            else:
                self._handler(self, context)

    return _named_as(loop_class, Handling)


def _named_as(loop_class: Any, subclass: Any) -> Any:
    subclass.__name__, subclass.__qualname__ = loop_class.__name__, loop_class.__qualname__
    subclass.__module__ = loop_class.__module__
    return subclass


def library_of(loop_class: type) -> ModuleType:
    """Return the library whose tasks run on such a loop: miniloop only on its own core."""
    core = issubclass(loop_class, miniloop.EventLoop)
    return miniloop if core and not issubclass(loop_class, asyncio.AbstractEventLoop) else asyncio


def try_out(loop: Any, module: Any) -> tuple[Any, Any, bool]:
    """Run two tasks on a loop, and close it.

    Return the classes of its tasks and of its futures, and whether it uses its task factory.
    """
    asked = False

    async def sleeps() -> None:
        loop.call_later(0.01, future.set_result, None)
        await future

    async def ends() -> None:
        pass

    def factory(loop: Any, coro: Any, **keywords: Any) -> Any:
        nonlocal asked
        task = task_class(coro, loop=loop, **keywords)
        asked = True
        return task

    try:
        makes = hasattr(loop, "create_future")
        future = loop.create_future() if makes else module.Future(loop=loop)
        task = loop.create_task(sleeps())
        task_class = type(task)
        loop.run_until_complete(task)
        ending = ends()
        try:
            loop.set_task_factory(factory)
            loop.run_until_complete(loop.create_task(ending))
        except (AttributeError, NotImplementedError, TypeError):
            asked = False
            ending.close()
    finally:
        with contextlib.suppress(Exception):
            loop.close()
    return task_class, type(future), asked
