"""Find out which installed library a script imports, without running it.

This reads the script, and the modules beside it that it imports: every import statement, wherever
it stands, and `import_module()` with the name written out.
"""

import ast
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

from miniloop.cli.program import find, folder_of, module_of
from miniloop.cli.redirect import Beside


def installed_library(program: str) -> str | None:
    """Return the first imported module that is neither in the standard library nor beside it.

    Return None if there is none. A file that cannot be read or parsed counts as one without
    imports. Running it will report the error.
    """
    folder = folder_of(program)
    beside, seen = Beside(folder), set()
    module = module_of(program)
    pending = [_with_packages(f"{module}.__main__") if module else _imports(Path(program), "")]
    for names in pending:  # grows on the way
        for name in names:
            if name in seen:
                continue
            seen.add(name)
            spec = find(name, folder)
            if spec is not None and _is_beside(spec, beside):
                if spec.origin is not None and spec.origin.endswith(".py"):
                    is_package = spec.submodule_search_locations is not None
                    package = name if is_package else _package(name)
                    pending.append(_imports(Path(spec.origin), package))
            elif _is_installed(name, spec):
                return name
    return None


def _imports(file: Path, package: str) -> Iterator[str]:
    """Yield the modules that a file may import, each after the packages that contain it."""
    with warnings.catch_warnings(action="ignore"):  # running it will report them
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            return
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=module, names=aliases, level=level):
                try:
                    origin = importlib.util.resolve_name("." * level + (module or ""), package)
                except ImportError:  # it leaves its package, which running it will report
                    continue
                names = [f"{origin}.{alias.name}" for alias in aliases]
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                names = [name]
            case _:
                continue
        for name in names:
            yield from _with_packages(name)


def _with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _is_beside(spec: ModuleSpec, beside: Beside) -> bool:
    # A package without __init__.py has no origin, and may have parts in several folders.
    places = [spec.origin] if spec.origin else spec.submodule_search_locations or ()
    return any(place in beside for place in places)


def _is_installed(name: str, spec: ModuleSpec | None) -> bool:
    if "." in name or name in sys.stdlib_module_names or name in ("miniloop", "__main__"):
        return False
    try:
        return spec is not None or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # half imported, or without a spec, so it exists
        return True


def _package(name: str) -> str:
    return name.rpartition(".")[0]
