"""Make processes that multiprocessing starts run the script as their parent runs it.

A process that multiprocessing spawns is a new interpreter. It runs the script under the name
`__mp_main__`, where it finds the names that the script defines. multiprocessing starts it as
`python -c PROGRAM ...`, and starts the server of "forkserver" in the same way. `follow()` puts this
file in front of that: `python children.py WAY FOLDER -c PROGRAM ...`. The file prepares the new
process as its parent was prepared, and then executes PROGRAM.

A process that is forked needs none of this: it is a copy of its parent.
"""

import sys
from multiprocessing import util
from pathlib import Path
from types import ModuleType

_flags = vars(util)["_args_from_interpreter_flags"]
"""The interpreter's options, which multiprocessing puts between the interpreter and `-c`."""


def follow(way: str, folder: Path | str) -> None:
    """Make new processes run the script on the "core" or on "interop", as this one does.

    On the core, the modules in `folder` get miniloop for asyncio.
    """
    vars(util)["_args_from_interpreter_flags"] = lambda: [*_flags(), __file__, way, str(folder)]


def prepare(way: str, folder: str) -> None:
    """Prepare this process, so that the script can be imported as in its parent."""
    from miniloop.cli import redirect
    from miniloop.cli.every_loop import make_interop_loops

    make_interop_loops()
    if way == "core":
        redirect.install(redirect.Beside(Path(folder)))
    follow(way, folder)


def _start() -> None:
    _, way, folder, option, program, *rest = sys.argv
    sys.argv[:] = [option, *rest]
    if not sys.flags.safe_path:
        sys.path[0] = ""
    # The parent may have found miniloop where this process does not look for modules.
    root = str(Path(__file__).parents[2])
    sys.path.insert(0, root)
    from miniloop.cli import children

    children.prepare(way, folder)
    sys.path.remove(root)
    main = sys.modules["__main__"] = ModuleType("__main__")
    exec(program, main.__dict__)


if __name__ == "__main__":
    _start()
