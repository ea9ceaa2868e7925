"""The program that the command line names: a file, or with -m a module or a package.

The other files of this package name a program by one string, as a person types it: `script.py` or
`-m package`. This file finds it, and finds out which installed library it imports, without running
it. For that it reads every import statement in the program and in the modules beside it, wherever
it stands, and `import_module()` with the name written out.
"""

import argparse
import ast
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from miniloop.cli import BadInput
from miniloop.cli.redirect import Beside


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare -m and SCRIPT. Everything behind SCRIPT is an argument of the program."""
    parser.add_argument(
        "-m",
        action="store_true",
        dest="is_module",
        help="SCRIPT is the name of a module or package, as after python -m",
    )
    # With PARSER argparse takes a command and whatever follows. REMAINDER, behind an argument for
    # SCRIPT alone, would lose a first "--".
    parser.add_argument(
        "command_line",
        metavar="SCRIPT",
        nargs=argparse.PARSER,
        help="the Python file to run, and its arguments",
    )


def named(args: argparse.Namespace) -> tuple[str, list[str]]:
    """Return the program that was asked for, and its arguments."""
    name, *rest = args.command_line
    return f"-m {name}" if args.is_module else name, rest


def split(
    args: argparse.Namespace, declare_options: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Take our own options that stand behind SCRIPT out of the program's arguments.

    For commands whose options may stand on both sides: those of the program then follow a "--".
    """
    name, *rest = args.command_line
    ours, theirs = rest, []
    if "--" in rest:
        border = rest.index("--")
        ours, theirs = rest[:border], rest[border + 1 :]
    if ours:
        parser = argparse.ArgumentParser(
            prog=args.parser.prog, usage=args.parser.format_usage()[7:], allow_abbrev=False
        )
        declare_options(parser)
        parser.set_defaults(**vars(args))
        found, unknown = parser.parse_known_args(ours)
        if unknown:
            args.parser.error(
                f"unrecognized arguments: {' '.join(unknown)}; those of the script follow a --"
            )
        vars(args).update(vars(found))
    args.command_line = [name, *theirs]


def module_of(program: str) -> str | None:
    """Return the name of the module, or None if the program is a file."""
    return program.removeprefix("-m ") if program.startswith("-m ") else None


def file_of(program: str) -> str:
    """Return the path of the file to run. Raises BadInput if there is no such module.

    The path is made absolute as `python SCRIPT` does it: "./x.py" keeps its dot.
    """
    module = module_of(program)
    if module is None:
        return os.path.join(os.getcwd(), program)
    spec = find(module, folder_of(program))
    if spec is not None and spec.submodule_search_locations is not None:
        spec = find(module + ".__main__", folder_of(program))
    if spec is None or spec.origin is None:
        raise BadInput(f"no module named {module!r} that could be run")
    return spec.origin


def folder_of(program: str) -> Path:
    """Return the folder that has the program's own modules, in it and below it.

    For a script, it is the folder of the script. For a module, it is the current folder, as with
    `python -m`, unless the module is not installed and stands elsewhere.
    """
    module = module_of(program)
    if module is None:
        return Path(program).resolve().parent
    here = Path.cwd()
    spec = find(module.partition(".")[0], here)
    if spec is None:
        return here
    places = [*(spec.submodule_search_locations or ()), spec.origin]
    place = Path(places[0] or here)
    its_own = str(place) in Beside(Path(here.anchor)) and str(place) not in Beside(here)
    return place.resolve().parent if its_own else here


def find(name: str, folder: Path) -> ModuleSpec | None:
    """Find a module as a program in this folder would, without importing its packages."""
    path = sys.path if sys.flags.safe_path else [str(folder), *sys.path[1:]]
    so_far, spec = [], None
    for part in name.split("."):
        so_far.append(part)
        spec = PathFinder.find_spec(".".join(so_far), path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or ())
    return spec


def needs_interop(program: str, asked: bool | None = None) -> bool:
    """Return whether a program runs on interop: as `asked`, or else if it imports a library."""
    return installed_library(program) is not None if asked is None else asked


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
