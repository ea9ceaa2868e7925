"""asyncio's public names on CPython 3.15, and what becomes of each here.

`python3.15 -m tests.asyncio_names` writes the names with their signatures into docs/generated/, so
that the page about them is the same whichever Python builds it. A test compares that file with the
running Python where it is 3.15.
"""

import ast
import asyncio
import functools
import importlib
import inspect
import pkgutil
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import miniloop
from miniloop.difftest.register import Known, entries
from tests.absent import ABSENT, OTHER_SIGNATURES, Absent
from tests.measured import GENERATED, load, save

PATH = GENERATED / "asyncio-names.json"
PYTHON = (3, 15)
"""The Python whose asyncio miniloop follows."""


# -- what asyncio has ------------------------------------------------------------------------------


def modules() -> dict[str, tuple[str, ...]]:
    """Return the public names of each module of the running asyncio, by the module's name."""
    found = {}
    for module in pkgutil.iter_modules(asyncio.__path__):
        if module.name.startswith(("windows_", "__")):
            continue  # can be imported on Windows only, or runs a program
        names = getattr(importlib.import_module(f"asyncio.{module.name}"), "__all__", ())
        found[module.name] = tuple(names)
    return found


def windows_only() -> list[str]:
    """Return the names that asyncio has on Windows besides, read from the source."""
    names: list[str] = []
    text = Path(asyncio.__file__).with_name("windows_events.py").read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names += ast.literal_eval(node.value)
    return sorted(name for name in {*names} - {*asyncio.__all__} if not name.startswith("_"))


def asyncios(name: str) -> Any:
    """Return asyncio's class or function of that name, in pure Python where there are two."""
    if name == "Future":
        return asyncio.futures._PyFuture  # type: ignore[attr-defined]
    if name == "Task":
        return asyncio.tasks._PyTask  # type: ignore[attr-defined]
    if name == "EventLoop":
        return asyncio.SelectorEventLoop
    for module in (asyncio.events, asyncio.tasks):
        if hasattr(module, f"_py_{name}"):
            return getattr(module, f"_py_{name}")
    return getattr(asyncio, name)


def public(cls: Any) -> set[str]:
    """Return the public attributes of a class."""
    return {name for name in dir(cls) if not name.startswith("_")}


def signature(thing: Any) -> str | None:
    """Return a signature without types, as text; None for what cannot be called."""
    if not callable(thing):
        return None
    called = thing.__init__ if isinstance(thing, type) else thing
    try:
        found = inspect.signature(called)
    except (TypeError, ValueError):  # a class of the standard library that has none
        return None
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in found.parameters.values()
    ]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def has_methods(name: str) -> bool:
    """Return whether the page lists the methods: of a class that both have, under its own name."""
    mine = ours(name) if here(name) else None
    return isinstance(mine, type) and mine.__name__ == name and not issubclass(mine, BaseException)


def described(name: str) -> dict[str, Any]:
    """Return what the file has about a name: its signature, and those of a class's methods.

    A class that miniloop has is described with its methods.
    """
    thing = asyncios(name)
    about: dict[str, Any] = {"signature": signature(thing)}
    if has_methods(name):
        about["methods"] = {
            method: signature(getattr(thing, method)) for method in sorted(public(thing))
        }
    return about


def running() -> dict[str, Any]:
    """Return the names of the running asyncio, with their modules and signatures."""
    names = {}
    for module, those in modules().items():
        for name in those:
            if name in asyncio.__all__:
                names[name] = {"module": module, **described(name)}
            else:  # only in the module
                thing = getattr(importlib.import_module(f"asyncio.{module}"), name)
                names[f"{module}.{name}"] = {"module": module, "signature": signature(thing)}
    return {"python": platform.python_version(), "names": names, "windows": windows_only()}


# -- what becomes of it here -----------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """What becomes of a name of asyncio in miniloop."""

    name: str
    """`gather`, `Queue.get` or, for a name of a module only, `staggered.staggered_race`."""
    entries: tuple[Known, ...] = ()
    """The entries of the register that are about it."""
    signatures: tuple[str | None, str | None] | None = None
    """asyncio's signature and miniloop's, if they are not the same."""
    absent: Absent | None = None
    """Why it is absent, and what to use instead, if it is."""

    @property
    def word(self) -> str:
        """Return "same", "different" or "absent"."""
        if self.absent is not None:
            return "absent"
        return "different" if self.entries or self.signatures else "same"


@functools.cache
def names() -> dict[str, dict[str, Any]]:
    """Return what the file has about each name, by the name; methods by `Class.method`."""
    found: dict[str, dict[str, Any]] = {}
    for name, about in load(PATH)["names"].items():
        found[name] = about
        for method, text in about.get("methods", {}).items():
            found[f"{name}.{method}"] = {"module": about["module"], "signature": text}
    return found


def ours(name: str) -> Any:
    """Return what miniloop has by that name. Raises AttributeError if it has not."""
    return functools.reduce(getattr, name.split("."), miniloop)


def here(name: str) -> bool:
    """Return whether miniloop has the name."""
    try:
        return not inspect.ismodule(ours(name))
    except AttributeError:
        return False


def reason(name: str) -> Absent | None:
    """Return why a name is absent, or None if nothing is said of it.

    What is said of a method of `EventLoop` is said of `AbstractEventLoop` as well.
    """
    wanted = name.replace("AbstractEventLoop.", "EventLoop.")
    return next((absent for absent in ABSENT if wanted in absent.names), None)


def about(name: str) -> Iterator[Known]:
    """Yield the entries of the register about a name, also those about a method's base class."""
    first, _, method = name.partition(".")
    thing = getattr(miniloop, first)
    mro = inspect.getmro(thing) if isinstance(thing, type) else ()
    wanted = {f"{cls.__name__}.{method}" for cls in mro} if method else {first}
    for entry in entries().values():
        if not wanted.isdisjoint(entry.names):
            yield entry


def standing(name: str) -> Standing:
    """Return what becomes of a name of asyncio. Raises LookupError if it is gone without reason."""
    if not here(name):
        absent = reason(name)
        if absent is None:
            raise LookupError(f"tests/absent.py does not say why miniloop has no {name}")
        return Standing(name, absent=absent)
    theirs, mine = names()[name]["signature"], signature(ours(name))
    both = (theirs, mine) if theirs != mine else None
    return Standing(name, tuple(about(name)), both)


def why_other(name: str) -> str | None:
    """Return why the signature is another one, or None if nothing is said of it."""
    owner, _, method = name.partition(".")
    return OTHER_SIGNATURES.get(name) or (OTHER_SIGNATURES.get(f"{owner}.*") if method else None)


def not_on_3_15() -> list[str]:
    """Return the absent names that asyncio itself has on Windows or on older Pythons only."""
    return [name for absent in ABSENT for name in absent.names if name not in names()]


def main() -> int:
    """Write the file. Return the exit status: 2 on another Python."""
    if sys.version_info[:2] != PYTHON:
        problem = f"this is Python {platform.python_version()}: run it with 3.15"
        print(f"the names are those of Python 3.15, and {problem}", file=sys.stderr)
        return 2
    save(PATH, running())
    print(PATH)
    return 0


if __name__ == "__main__":
    sys.exit(main())
