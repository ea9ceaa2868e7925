"""Loops that a reader mends: a file whose names take the place of miniloop's own.

A file may define any of miniloop's public names: ``EventLoop``, ``Task`` and ``Future`` are the
classes of the loop and of what it makes, and any other (``gather``, ``Lock``, ...) is one that a
program finds in the module. All else is miniloop's. So the file is one side of a comparison, as a
broken loop of the lab is, and `find.search` looks for a program that tells it from asyncio.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import miniloop

from ..difftest.loops import resolve
from ..difftest.sides import Side

CLASSES = ("EventLoop", "Task", "Future")
"""The names for which the tester needs a class that inherits from miniloop's."""


def mended(path: Path) -> Side:
    """Return the loop of a file as one side of a comparison.

    Raises ValueError, with one line for the user, if the file cannot be read or imported, defines
    none of miniloop's names, or defines a loop that cannot run a task.
    """
    module = _load(path)
    own = {
        name: vars(module)[name]
        for name in miniloop.__all__
        if name in vars(module) and vars(module)[name] is not getattr(miniloop, name)
    }
    if not own:
        raise ValueError(
            f"{path} defines none of miniloop's names, so there is nothing to check: define "
            "EventLoop, Task, gather, Lock or another"
        )
    for name in CLASSES:
        base = getattr(miniloop, name)
        if name in own and not (isinstance(own[name], type) and issubclass(own[name], base)):
            raise ValueError(f"{path}: {name} is not a subclass of miniloop.{name}: make it one")
    loop_class = own.get("EventLoop", miniloop.EventLoop)
    resolve(loop_class)  # this says in one line if it cannot be made, or cannot run
    library = ModuleType(f"miniloop with {path.name}")
    library.__dict__.update({name: getattr(miniloop, name) for name in miniloop.__all__}, **own)
    return Side(path.name, library, loop_class, own.get("Task", miniloop.Task), own.get("Future"))


def _load(path: Path) -> Any:
    """Import a file. Raises ValueError, with one line, if that fails."""
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r}")
    spec = importlib.util.spec_from_file_location(f"mended_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file: its name should end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"{path} cannot be imported: {said}") from None
    return module
