"""The files of the core, the details and the world outside, in the order of the package's own map.

The map stands in the docstring of ``miniloop/__init__.py``. The count of code lines, the
documentation and the tests of the architecture take the order from there.
"""

import functools
import importlib
import re
from pathlib import Path

import miniloop

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "miniloop"


@functools.cache
def modules() -> tuple[str, ...]:
    """Return the names of the modules in reading order: "core.loop", "core.handles", ..."""
    on_the_map = re.findall(r"^    ([\w/]+)  ", miniloop.__doc__ or "", re.MULTILINE)
    return tuple(name.replace("/", ".") for name in on_the_map)


def path(module: str) -> Path:
    """Return the file of a module."""
    return PACKAGE / f"{module.replace('.', '/')}.py"


def home(name: str) -> str:
    """Return the module that has a public name, or what it is another name for."""
    thing = getattr(miniloop, name)
    for module in modules():
        contents = vars(importlib.import_module(f"miniloop.{module}"))
        public = contents.get("__all__", ())
        if any(own == name or contents[own] is thing for own in public):
            return module
    raise LookupError(f"no module has {name!r} in its __all__")
