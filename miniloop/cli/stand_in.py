"""The module that a script gets for `import asyncio`: asyncio's names with miniloop's objects.

`install()` registers a module that stands in for `asyncio` under a name of its own, so that
`sys.modules["asyncio"]` stays the real one. A stand-in for a submodule (`asyncio.tasks`,
`asyncio.log`, ...) is made when it is first used. Of the names in the real submodule it has those
that miniloop has, and constants and loggers, in which loops cannot differ.

Using a name that asyncio has and miniloop has not raises an AttributeError or ImportError that says
so. `try ... except ImportError` and `hasattr` work with it as with any other. `what_is_missing()`
recognizes it in an exception that was not caught.
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
"""The kinds of objects taken from the real asyncio, because they have nothing to do with loops."""


class StandIn(ModuleType):
    """A module that stands in for `asyncio` or for one of its submodules."""

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
    """Makes the stand-ins for submodules, and refuses imports of names that miniloop lacks."""

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        """Find a submodule, or return None if there is none.

        Raises ImportError for a name that asyncio has and miniloop lacks. Python calls this for
        `import asyncio.streams`, and also for `from asyncio import Thing`, because a name that a
        package lacks may be a submodule that was not imported yet.
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
        """Make the stand-in. Raises what the import of the real module raises."""
        return StandIn(importlib.import_module(_in_asyncio(spec.name)))

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is complete."""


def install() -> None:
    """Register the stand-in for asyncio in `sys.modules`. A second call changes nothing.

    Two parts of the standard library look up asyncio in `sys.modules`, and mean the one that the
    script uses: logging asks it for the current task, and unittest.mock replaces its attributes.
    """
    if NAME in sys.modules:
        return
    sys.modules[NAME] = StandIn(asyncio)
    sys.meta_path.append(Finder())
    if sys.version_info >= (3, 12):
        _name_tasks_in_logs()
    _have_mocks_in_the_stand_in()


def _name_tasks_in_logs() -> None:
    """Give log records the name of the core's current task as `taskName`."""
    init = logging.LogRecord.__init__

    @functools.wraps(init)
    def with_name(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        if self.taskName is None and vars(logging)["logAsyncioTasks"]:
            try:
                self.taskName = miniloop.current_task().get_name()  # type: ignore[union-attr]
            except Exception:  # no task, or its get_name() fails: logging ignores that, too
                pass

    logging.LogRecord.__init__ = with_name  # type: ignore[method-assign]


def _have_mocks_in_the_stand_in() -> None:
    """Let `mock.patch("asyncio.sleep")` find the stand-in, through `pkgutil.resolve_name`.

    mock would look up the real asyncio. But the code under test uses the stand-in, and that is what
    the test means to replace.
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
"""The message of unittest.mock."""

_NOT_IN_THE_CORE = re.compile(r"miniloop's core has no (.+?);")
"""The message of miniloop's functions about TLS and the like."""


def what_is_missing(error: BaseException) -> str | None:
    """Return the name whose absence raised `error`, if asyncio has it and miniloop has not.

    Return None otherwise. A group of exceptions counts if each exception in it does.
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
    """Return `asyncio.tasks` for the name under which its stand-in is registered."""
    return "asyncio" + name.removeprefix(NAME)


def _of_asyncio(path: str) -> Any:
    """Return the object that asyncio has at a path such as `asyncio.tasks.Task`, or None."""
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
    """Return whether `from asyncio import *` in the failing module has left out the name."""
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
