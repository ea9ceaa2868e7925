"""What a script gets for `import asyncio`: asyncio's names, with miniloop's things behind them.

`install()` makes one module for `asyncio` and one for each of its submodules of which miniloop has
anything (`asyncio.tasks`, `asyncio.queues`, ...), and registers them under names of their own, so
that `sys.modules["asyncio"]` stays the real one. The stand-in for a submodule holds those of
miniloop's public names that the real submodule lists in its `__all__`.

Asking for something that asyncio has and miniloop has not raises an AttributeError or ImportError
that says so, which `try ... except ImportError` and `hasattr` treat as they treat any other;
`what_is_missing` finds it again in an exception that nobody caught.
"""

import asyncio
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import miniloop
from miniloop.loop import BaseEventLoop

NAME = "miniloop.cli.asyncio"

# For annotations and isinstance(): the base class of miniloop's loops.
_ALSO = {"AbstractEventLoop": BaseEventLoop, "BaseEventLoop": BaseEventLoop}


def _offered(names: Iterable[str]) -> dict[str, Any]:
    things = _ALSO | vars(miniloop)
    return {name: things[name] for name in names if name in things}


class StandIn(ModuleType):
    """A module that answers for `asyncio` or for one of its submodules."""

    def __init__(self, real: ModuleType, offered: dict[str, Any]) -> None:
        super().__init__(NAME + real.__name__.removeprefix("asyncio"), real.__doc__)
        self.__path__: list[str] = []  # a package, so that missing names reach Missing.find_spec
        self.__all__ = [name for name in getattr(real, "__all__", ()) if name in offered]
        self.__dict__.update(offered)

    def __getattr__(self, name: str) -> Any:
        asked = _in_asyncio(f"{self.__name__}.{name}")
        if _asyncio_has(asked):
            text = _sorry(asked)
        else:
            text = f"module {_in_asyncio(self.__name__)!r} has no attribute {name!r}"
        raise AttributeError(text, name=name, obj=self)


class Missing:
    """Finder, last in `sys.meta_path`, that says what of asyncio is not there to be imported."""

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Raise ImportError for what asyncio has; None, as "not found", for all else.

        Python comes here for `import asyncio.streams`, and also for `from asyncio import streams`
        or `StreamReader`: a name that the package lacks may be a submodule not yet imported.
        """
        asked = _in_asyncio(fullname)
        if fullname.startswith(NAME + ".") and _asyncio_has(asked):
            raise ImportError(_sorry(asked), name=fullname)
        return None


def install() -> None:
    """Make the stand-ins and register them in `sys.modules`; a second call changes nothing."""
    if NAME in sys.modules:
        return
    top = StandIn(asyncio, _offered([*asyncio.__all__, *miniloop.__all__]))
    sys.modules[NAME] = top
    for name, real in list(sys.modules.items()):
        package, _, submodule = name.rpartition(".")
        if package == "asyncio":
            offered = _offered(getattr(real, "__all__", ()))
            if offered:
                stand_in = StandIn(real, offered)
                sys.modules[stand_in.__name__] = stand_in
                setattr(top, submodule, stand_in)
    sys.meta_path.append(Missing)


def what_is_missing(error: BaseException) -> str | None:
    """Name the thing for want of which `error` was raised, if asyncio has it and miniloop has not.

    A group of exceptions qualifies if each exception in it does.
    """
    if isinstance(error, BaseExceptionGroup):
        each = [what_is_missing(one) for one in error.exceptions]
        return ", ".join(dict.fromkeys(name for name in each if name)) if all(each) else None
    if isinstance(error, AttributeError) and isinstance(error.name, str):
        return _missing_attribute(error.obj, error.name)
    if isinstance(error, ImportError) and error.name and error.name.startswith(NAME + "."):
        return _in_asyncio(error.name) if _asyncio_has(_in_asyncio(error.name)) else None
    if isinstance(error, NameError) and _left_out_by_star(error):
        return f"asyncio.{error.name}"
    return None


def _sorry(thing: str) -> str:
    return f"miniloop has no {thing}; `run --interop SCRIPT` takes it from asyncio"


def _in_asyncio(name: str) -> str:
    """`asyncio.tasks` for the name under which the stand-in for it is registered."""
    return "asyncio" + name.removeprefix(NAME)


def _asyncio_has(path: str) -> bool:
    thing: object = asyncio
    for name in path.split(".")[1:]:
        thing = getattr(thing, name, None)
    return thing is not None


def _missing_attribute(owner: object, name: str) -> str | None:
    if isinstance(owner, StandIn):
        asked = _in_asyncio(f"{owner.__name__}.{name}")
        return asked if _asyncio_has(asked) else None
    for kind in (owner if isinstance(owner, type) else type(owner)).__mro__:
        if kind.__module__.partition(".")[0] == "miniloop":
            real = "SelectorEventLoop" if kind.__name__ == "EventLoop" else kind.__name__
            if hasattr(getattr(asyncio, real, None), name):
                return f"{kind.__name__}.{name}"
    return None


def _left_out_by_star(error: NameError) -> bool:
    """Whether the name is one that `from asyncio import *`, in the module that fails, left out."""
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    top = sys.modules[NAME]
    return bool(
        last
        and error.name in asyncio.__all__
        and error.name not in top.__all__
        and last.tb_frame.f_globals.keys() >= set(top.__all__)
    )
