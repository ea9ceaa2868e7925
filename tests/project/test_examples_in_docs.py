"""Every `>>>` example in miniloop's docstrings and the pages of docs/ does what it shows.

All other code on the pages is run as well, or says why not.
"""

import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import miniloop
from tests.project.pages import PAGES, Block, blocks
from tests.reading_order import ROOT

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def docstring_examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for info in pkgutil.walk_packages(miniloop.__path__, "miniloop."):
        if not info.name.endswith("__main__"):
            yield from finder.find(importlib.import_module(info.name))


def page_examples() -> Iterator[doctest.DocTest]:
    parser = doctest.DocTestParser()
    for page in [ROOT / "README.md", *PAGES]:
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_block_is_run_or_says_why_not(page: Path) -> None:
    found = list(blocks(page.read_text(encoding="utf-8"), page))
    assert [block for block in found if not block.is_run and not block.reason] == []
    for block in found:
        if block.kind == "literalinclude":
            assert (ROOT / block.what).is_file()
        if block.test:
            assert page.stem in (ROOT / block.test).read_text(encoding="utf-8")


def test_blocks_of_all_kinds_are_found() -> None:
    text = """
.. code-block:: python

   1 / 0

A literal block::

   1 / 0

.. not run: it takes ten minutes
.. code-block:: console

   $ make

.. run by: tests/cli/test_lab.py
.. code-block:: console

   $ python3 -m miniloop lab

.. literalinclude:: ../pyproject.toml
.. literalinclude:: /../examples/gather.py
.. example:: mistakes/forgotten_await
"""
    found = list(blocks(text, ROOT / "docs" / "page.rst"))
    assert found == [
        Block(2, "code-block", "python", "", ""),
        Block(6, "literal", "", "", ""),
        Block(11, "code-block", "console", "it takes ten minutes", ""),
        Block(16, "code-block", "console", "", "tests/cli/test_lab.py"),
        Block(20, "literalinclude", "pyproject.toml", "", ""),
        Block(21, "literalinclude", "examples/gather.py", "", ""),
    ]
    assert [block.is_run for block in found] == [False, False, False, True, False, True]


def test_pages_have_many() -> None:
    found = [block for page in PAGES for block in blocks(page.read_text("utf-8"), page)]
    assert sum(block.is_run for block in found) >= 10
    assert len({block.what for block in found}) >= 10
