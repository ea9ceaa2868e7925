"""Every `>>>` example in miniloop's docstrings and the pages of docs/ does what it shows."""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import miniloop
from tests.reading_order import ROOT

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PARTS = ("ladder", "tour", "exercises")
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.rst")),
    *[page for part in PARTS for page in sorted((ROOT / "docs" / part).glob("*.rst"))],
]


def docstring_examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for info in pkgutil.walk_packages(miniloop.__path__, "miniloop."):
        if not info.name.endswith("__main__"):
            yield from finder.find(importlib.import_module(info.name))


def page_examples() -> Iterator[doctest.DocTest]:
    parser = doctest.DocTestParser()
    for page in PAGES:
        name = str(page.relative_to(ROOT))
        yield parser.get_doctest(page.read_text(encoding="utf-8"), {}, name, str(page), 0)


EXAMPLES = [test for test in [*docstring_examples(), *page_examples()] if test.examples]


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_example(example: doctest.DocTest) -> None:
    said: list[str] = []
    results = doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=said.append)
    assert results.failed == 0, "".join(said)


def test_both_kinds_of_examples_are_found() -> None:
    kinds = {Path(example.filename or "").suffix for example in EXAMPLES}
    assert {".py", ".rst"} <= kinds
