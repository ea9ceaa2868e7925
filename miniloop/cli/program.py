"""The program that the command line names: the file SCRIPT, or with -m a module or a package.

The other files of this package name a program by one string, as a person types it: `script.py` or
`-m package`.
"""

import argparse
import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from miniloop.cli.bad_input import BadInput
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
