"""The core's files in reading order, which is the order of the floors in pyproject.toml.

The count of code lines, the documentation and the tests of the architecture take it from here.
"""

import functools
import importlib
import tomllib
from pathlib import Path

import miniloop

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "miniloop"
TOOLS = {"__main__", "cli", "lab", "difftest", "trace", "interop"}


@functools.cache
def core_modules() -> tuple[str, ...]:
    """Return the names of the core's modules, bottom floor first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    floors = next(contract["layers"] for contract in contracts if contract["id"] == "floors")
    return tuple(floor for floor in reversed(floors) if floor.strip("()") not in TOOLS)


def home(name: str) -> str:
    """Return the core module that has a public name, or what it is another name for."""
    thing = getattr(miniloop, name)
    for module in core_modules():
        contents = vars(importlib.import_module(f"miniloop.{module}"))
        if any(own == name or contents[own] is thing for own in contents["__all__"]):
            return module
    raise LookupError(f"no module of the core has {name!r} in its __all__")
