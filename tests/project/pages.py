"""The pages of docs/, and the blocks of code on them that no directive of ours makes.

Directives such as `command-output` and `example` run what they show while the site is built. What
is left is written by hand: code blocks, literal blocks, and files that a page includes. Each is run
by a test. The line before a block says by which test, or why it is not run:

    .. run by: tests/ecosystem/test_how_to.py
    .. code-block:: console

    .. not run: it takes ten minutes
    .. code-block:: console

Programs in examples/, and Python files of the package and of tests/, need no such line.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.reading_order import ROOT

DOCS = ROOT / "docs"
PAGES = [
    path
    for path in sorted(DOCS.rglob("*.rst"))
    if not path.relative_to(DOCS).parts[0].startswith(("_", "changes", "generated"))
]
RUN = ("examples/", "miniloop/", "tests/", "docs/lifo.py")
"""Where the files stand that are run. tests/examples looks after the folders of examples/."""
RUN_BY = {".py", ".ipynb"}

DIRECTIVE = re.compile(r"\s*\.\. (code-block|code|sourcecode|parsed-literal|literalinclude)::(.*)")
LITERAL = re.compile(r"(?!\s*\.\. ).*::$")
REASON = re.compile(r"\s*\.\. not run: (.+)")
TEST = re.compile(r"\s*\.\. run by: (\S+)")


class Block(NamedTuple):
    """A block of code on a page."""

    line: int
    kind: str
    what: str
    """The language, or the path of the file from the root of the project."""
    reason: str
    """Why it is not run, or nothing."""
    test: str
    """The path of the test that runs it, or nothing."""

    @property
    def is_run(self) -> bool:
        """Whether it is run."""
        return bool(self.test) or (
            self.kind == "literalinclude"
            and self.what.startswith(RUN)
            and Path(self.what).suffix in RUN_BY
        )


def blocks(text: str, page: Path) -> Iterator[Block]:
    """Yield the blocks of a page that are written by hand, except for `>>>` examples."""
    before = ""
    for number, line in enumerate(text.splitlines(), start=1):
        reason, test = REASON.fullmatch(before), TEST.fullmatch(before)
        said = reason[1] if reason else "", test[1] if test else ""
        if found := DIRECTIVE.match(line):
            kind, what = found[1], found[2].strip()
            if kind == "literalinclude":
                place = DOCS / what[1:] if what.startswith("/") else page.parent / what
                what = str(place.resolve().relative_to(ROOT))
            yield Block(number, kind, what, *said)
        elif LITERAL.fullmatch(line):
            yield Block(number, "literal", "", *said)
        before = line
