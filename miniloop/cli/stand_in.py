"""What a script gets for `import asyncio`: asyncio's names, with miniloop's things behind them.

`install()` registers a module that stands in for `asyncio` under a name of its own, so that
`sys.modules["asyncio"]` stays the real one. A stand-in for a submodule (`asyncio.tasks`,
`asyncio.log`, ...) is made when it is first asked for. It holds, of the names in the real
submodule, those that miniloop has, and what a loop cannot differ in: constants and loggers.

Asking for something that asyncio has and miniloop has not raises an AttributeError or ImportError
that says so, which `try ... except ImportError` and `hasattr` treat as they treat any other;
`what_is_missing` finds it again in an exception that nobody caught.
"""

import asyncio
import enum
import functools
import importlib
import importlib.util
import logging
import pkgutil
import re
import sys
import warnings
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import miniloop
from miniloop.core.loop import BaseEventLoop

NAME = "miniloop.cli.asyncio"

# For annotations and isinstance(): the base class of miniloop's loops.
_ALSO = {"BaseEventLoop": BaseEventLoop}

_LENT = (bool, int, float, str, bytes, enum.Enum, enum.EnumType, logging.Logger)
"""What the real asyncio lends: things that have nothing to do with its loops."""


class StandIn(ModuleType):
    """A module that answers for `asyncio` or for one of its submodules."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(NAME + real.__name__.removeprefix("asyncio"), real.__doc__)
        self.__path__: list[str] = []  # a package, so that missing names reach Finder.find_spec
        public = miniloop.__all__ if real is asyncio else []
        for name in [*vars(real), *public]:
            ours = (_ALSO | vars(miniloop)).get(name)
            if ours is not None and not isinstance(ours, ModuleType) and name[:2] != "__":
                self.__dict__[name] = ours
            elif isinstance(theirs := vars(real).get(name), _LENT) and name[:2] != "__":
                self.__dict__[name] = theirs
        if hasattr(real, "__all__"):
            self.__all__ = [name for name in real.__all__ if name in self.__dict__]

    def __getattr__(self, name: str) -> Any:
        asked = _in_asyncio(f"{self.__name__}.{name}")
        there = _of_asyncio(asked)
        if isinstance(there, ModuleType) and there.__name__.startswith("asyncio."):
            return importlib.import_module(NAME + there.__name__.removeprefix("asyncio"))
        if there is not None:
            text = _sorry(asked)
        else:
            text = f"module {_in_asyncio(self.__name__)!r} has no attribute {name!r}"
        raise AttributeError(text, name=name, obj=self)


class Finder(MetaPathFinder, Loader):
    """Makes the stand-ins for submodules, and says what of asyncio is not there to be imported."""

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        """Find a submodule; raise ImportError for what asyncio has; None, "not found", for else.

        Python comes here for `import asyncio.streams`, and also for `from asyncio import Thing`: a
        name that the package lacks may be a submodule not yet imported.
        """
        if not fullname.startswith(NAME + "."):
            return None
        asked = _in_asyncio(fullname)
        if asked.count(".") == 1 and importlib.util.find_spec(asked) is not None:
            return ModuleSpec(fullname, self, is_package=True)
        package, _, name = fullname.rpartition(".")
        if name not in vars(sys.modules[package]) and _of_asyncio(asked) is not None:
            raise ImportError(_sorry(asked), name=fullname)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the stand-in; raises what the real module raises when it is imported."""
        return StandIn(importlib.import_module(_in_asyncio(spec.name)))

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: it is complete."""


def install() -> None:
    """Register the stand-in for asyncio in `sys.modules`; a second call changes nothing.

    Two parts of the standard library look asyncio up in `sys.modules`, and mean the one that the
    script has: logging asks it for the current task, and unittest.mock replaces its things.
    """
    if NAME in sys.modules:
        return
    sys.modules[NAME] = StandIn(asyncio)
    sys.meta_path.append(Finder())
    if sys.version_info >= (3, 12):
        _name_tasks_in_logs()
    _have_mocks_in_the_stand_in()


def _name_tasks_in_logs() -> None:
    """Give log records a `taskName`, that of the task which the core's running loop steps."""
    init = logging.LogRecord.__init__

    @functools.wraps(init)
    def with_name(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        if self.taskName is None and vars(logging)["logAsyncioTasks"]:
            try:
                self.taskName = miniloop.current_task().get_name()  # type: ignore[union-attr]
            except Exception:  # no task, or one that cannot say; logging, too, leaves it at that
                pass

    logging.LogRecord.__init__ = with_name  # type: ignore[method-assign]


def _have_mocks_in_the_stand_in() -> None:
    """Have `mock.patch("asyncio.sleep")` find the stand-in, by way of `pkgutil.resolve_name`.

    It is mock that asks, not whoever wrote the name. But what is to be replaced is what the code
    under test uses.
    """
    resolve = pkgutil.resolve_name

    @functools.wraps(resolve)
    def resolve_name(name: str, **options: Any) -> Any:
        asks = sys._getframe(1).f_globals.get("__name__")
        if asks == "unittest.mock" and re.match(r"asyncio\b", name):
            name = NAME + name.removeprefix("asyncio")
        return resolve(name, **options)

    pkgutil.resolve_name = resolve_name


_NOT_TO_BE_PATCHED = re.compile(rf"<module '{NAME}([\w.]*)'.*> does not have the attribute '(\w+)'")
"""What unittest.mock says."""

_NOT_IN_THE_CORE = re.compile(r"miniloop's core has no (.+?);")
"""What miniloop's functions say of TLS and the like."""


def what_is_missing(error: BaseException) -> str | None:
    """Name the thing for want of which `error` was raised, if asyncio has it and miniloop has not.

    A group of exceptions qualifies if each exception in it does.
    """
    if isinstance(error, BaseExceptionGroup):
        each = [what_is_missing(one) for one in error.exceptions]
        return ", ".join(dict.fromkeys(name for name in each if name)) if all(each) else None
    if isinstance(error, AttributeError) and isinstance(error.name, str):
        return _missing_attribute(error.obj, error.name)
    if isinstance(error, AttributeError) and (found := _NOT_TO_BE_PATCHED.match(str(error))):
        return f"asyncio{found[1]}.{found[2]}"
    if isinstance(error, NotImplementedError) and (found := _NOT_IN_THE_CORE.match(str(error))):
        return found[1]
    if isinstance(error, ImportError) and error.name and error.name.startswith(NAME + "."):
        asked = _in_asyncio(error.name)
        return asked if _of_asyncio(asked) is not None else None
    if isinstance(error, NameError) and _left_out_by_star(error):
        return f"asyncio.{error.name}"
    return None


def _sorry(thing: str) -> str:
    return f"miniloop has no {thing}; `run --interop SCRIPT` takes it from asyncio"


def _in_asyncio(name: str) -> str:
    """`asyncio.tasks` for the name under which the stand-in for it is registered."""
    return "asyncio" + name.removeprefix(NAME)


def _of_asyncio(path: str) -> Any:
    """Return what asyncio has under a path such as `asyncio.tasks.Task`, or None."""
    thing: object = asyncio
    with warnings.catch_warnings(action="ignore"):  # some names are deprecated
        for name in path.split(".")[1:]:
            thing = getattr(thing, name, None)
    return thing


def _missing_attribute(owner: object, name: str) -> str | None:
    if isinstance(owner, StandIn):
        asked = _in_asyncio(f"{owner.__name__}.{name}")
        return asked if _of_asyncio(asked) is not None else None
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
