"""Choose from Python's inventory what the docs link to: `python -m tests.python_inventory FILE`.

FILE is the `objects.inv` of Python's documentation, a list of its names and their addresses. Many
systems install it with that documentation (on Debian: the package `python3.15-doc`). All names of
asyncio are chosen, and those of the rest that occur in the package or on a page. They go into
docs/generated/python.inv, as text, so that the site is built without a network.
"""

import ast
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests.measured import GENERATED
from tests.project.pages import DOCS, PAGES
from tests.reading_order import PACKAGE

PATH = GENERATED / "python.inv"
KINDS = ("module", "class", "exception", "function", "method", "attribute", "data")


def entries(inventory: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield name, kind and page of each Python object whose anchor is its name.

    Raises ValueError for what is no inventory that Sphinx has written.
    """
    *head, packed = inventory.split(b"\n", maxsplit=4)
    if not head[0].startswith(b"# Sphinx inventory version 2"):
        raise ValueError("no inventory of Sphinx")
    for line in zlib.decompress(packed).decode().splitlines():
        found = re.match(r"(\S+) py:(\w+) \S+ (\S+) ", line)
        if found and found[2] in KINDS:
            page, _, anchor = found[3].partition("#")
            if anchor in ("$", found[1], f"module-{found[1]}", "module-$"):
                yield found[1], found[2], page


def words() -> set[str]:
    """Return all names, with dots or without, in the code of the package and on the pages."""
    found: set[str] = set()
    for path in (*PACKAGE.rglob("*.py"), *(DOCS / "_extensions").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.update(re.findall(r"[\w.]+\w", text))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
    for path in PAGES:
        found.update(re.findall(r"[\w.]+\w", path.read_text(encoding="utf-8")))
    return found


def chosen(inventory: bytes) -> Iterator[str]:
    """Yield the lines of the inventory that stay."""
    wanted = words()
    for name, kind, page in sorted(entries(inventory)):
        of_asyncio = name.startswith("asyncio.") and not page.startswith("whatsnew/")
        of_library = "." in name or page.startswith(("library/", "builtins/"))
        if of_asyncio or (of_library and name in wanted):
            yield f"{name} {'mod' if kind == 'module' else kind} {page}"


def main(arguments: list[str]) -> int:
    """Write the file. Return the exit status: 2 for what is no inventory."""
    if len(arguments) != 1:
        print("usage: python -m tests.python_inventory FILE", file=sys.stderr)
        return 2
    try:
        inventory = Path(arguments[0]).read_bytes()
        project, version = inventory.split(b"\n", maxsplit=3)[1:3]
        lines = ["# Sphinx inventory version 1", project.decode(), version.decode()]
        lines += chosen(inventory)
    except (OSError, ValueError) as error:
        problem = f"{error}: give the objects.inv of Python's documentation"
        print(f"{arguments[0]}: {problem}", file=sys.stderr)
        return 2
    PATH.write_text("\n".join(lines) + "\n", "utf-8")
    print(PATH)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
