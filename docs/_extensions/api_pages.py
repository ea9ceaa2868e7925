"""The reference of the API: a page for each file that has public names, and how signatures read."""

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

from miniloop_pages import Page, _row, _table_start
from source_links import page_of
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.typing import ExtensionMetadata

import miniloop
from tests import reading_order
from tests.reading_order import ROOT, home, modules

ROOMS = {
    "core": "What runs, and when",
    "runners": "One program, from its beginning to its end",
    "details": "What asyncio does besides",
    "io": "The world outside",
}
"""The parts of the reading order, by the first part of a module's name."""


def names_of(module: str) -> list[str]:
    """Return the public names whose home is a module such as `core.loop`."""
    return [name for name in miniloop.__all__ if home(name) == module]


def documented() -> list[str]:
    """Return the modules that have a page: those with public names, in reading order."""
    return [module for module in modules() if names_of(module)]


def page(module: str) -> str:
    """Return the name of a module's page in docs/api/."""
    return module.rpartition(".")[2]


def bases(cls: type) -> list[str]:
    """Return the public classes that a public class inherits from, the nearest first."""
    return [
        base.__name__
        for base in inspect.getmro(cls)[1:]
        if getattr(miniloop, base.__name__, None) is base and not is_borrowed(base.__name__)
    ]


def is_borrowed(name: str) -> bool:
    """Return whether a public name is an exception class of the standard library."""
    thing = getattr(miniloop, name)
    return isinstance(thing, type) and not thing.__module__.startswith("miniloop")


def first_part(module: str) -> list[str]:
    """Return the first two paragraphs of a module's docstring, without a list or a table."""
    text = inspect.getdoc(importlib.import_module(f"miniloop.{module}")) or ""
    found = []
    for paragraph in text.split("\n\n")[:2]:
        if not re.match(r"\w|``", paragraph):
            break
        # A sentence that ends in a colon leads up to a list.
        found.append(re.sub(r"(?:(?<=[.?)])\s|^)[^.]*:$", "", paragraph))
    return found


class ApiFile(Page):
    """The public names of one file."""

    required_arguments = 1

    def lines(self) -> Iterator[str]:
        """Yield what the file is about, and an entry for each name."""
        module = self.arguments[0]
        self.watch(reading_order.path(module))
        yield f".. _api-{module}:"
        yield ""
        for paragraph in first_part(module):
            yield from paragraph.splitlines()
            yield ""
        code = f"`The file's own code <../{page_of(module)}>`__"
        if (ROOT / "docs" / "tour" / f"{page(module)}.rst").exists():
            yield f"{code} says more, and :doc:`the tour </tour/{page(module)}>` goes through it."
        else:
            yield f"{code} says more."
        yield ""
        yield ".. currentmodule:: miniloop"
        yield ""
        borrowed = []
        for name in names_of(module):
            if is_borrowed(name):
                borrowed.append(f":exc:`asyncio.{name}`")
            else:
                yield from _entry(name)
        if borrowed:
            yield f"These classes are asyncio's own: {', '.join(borrowed)}."


def _entry(name: str) -> Iterator[str]:
    """Yield the directive that documents one public name."""
    thing = getattr(miniloop, name)
    if isinstance(thing, str):
        yield f".. data:: {name}"
        yield f"   :value: {thing!r}"
    elif thing.__name__ != name:
        yield f".. class:: {name}"
        yield ""
        yield f"   Another name for `{thing.__name__}`."
    elif isinstance(thing, type):
        kind = "autoexception" if issubclass(thing, BaseException) else "autoclass"
        yield f".. {kind}:: {name}"
        if name == "AbstractEventLoop":  # forty methods that take anything, and raise
            yield "   :members: call_soon"
        else:
            yield "   :members:"
            inherited = ", ".join(("object", "BaseException", *bases(thing)[:1]))
            yield f"   :inherited-members: {inherited}"
        if bases(thing):
            yield ""
            yield f"   Has all methods of :class:`{bases(thing)[0]}`."
    else:
        yield f".. autofunction:: {name}"
    yield ""


class ApiFiles(Page):
    """The files with public names, with their names and links to their pages."""

    def lines(self) -> Iterator[str]:
        """Yield a table for each room, and the list of pages for the menu."""
        for room, title in ROOMS.items():
            those = [module for module in documented() if module.partition(".")[0] == room]
            yield f"**{title}**"
            yield ""
            yield from _table_start("24 76", "File", "Names")
            for module in those:
                names = ", ".join(_link(name) for name in names_of(module))
                yield from _row(f":doc:`{module.replace('.', '/')} <{page(module)}>`", names)
            yield ""
        yield ".. toctree::"
        yield "   :hidden:"
        yield ""
        for module in documented():
            yield f"   {page(module)}"


def _link(name: str) -> str:
    """Return a link to the entry of a public name."""
    if is_borrowed(name):
        return f":exc:`~asyncio.{name}`"
    return f":py:obj:`~miniloop.{name}`"


# -- signatures ------------------------------------------------------------------------------------

PLAINER = (
    (r"~?typing\.|~(?=_[A-Z]\b)|~?miniloop(?:\.\w+)+\.(?=_[A-Z]\b)", ""),
    # The page of the API says once that a generator may stand for a coroutine.
    (r" \| ~?(?:collections\.abc\.)?Generator\[Any, Any, (?:Any|_T)\]", ""),
    (r"\[\[\.\.\.\], ", "[..., "),  # Callable[..., object]
    (r"\b_([A-Z])\b", r"\1"),  # variables for types
    (r"(?<![\w.])Context\b", "~contextvars.Context"),
    (r"\bconcurrent\.futures\.(?:_base|thread)\.", "concurrent.futures."),
    (
        r"~?(?:miniloop\.core\.combinators\.)?\b_AsCompletedIterator\[T\]",
        "~collections.abc.AsyncIterator[~miniloop.Future[T]]",
    ),
    (r"~?(?:miniloop\.core\.loop\.)?\bBaseEventLoop\b", "~miniloop.EventLoop"),
)
"""What is written in a plainer way in signatures, as patterns with what stands in for them."""


def plainer(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, signature: str, returns: str
) -> tuple[str | None, str | None] | None:
    """Take out of a signature what only mypy needs to know."""
    if signature is None:
        return None
    module = inspect.getmodule(inspect.unwrap(thing))

    def value(found: re.Match[str]) -> str:
        return f"={getattr(module, found[1])!r}" if hasattr(module, found[1]) else found[0]

    # What a parameter has as a default is shown, not the name of a constant that holds it.
    signature = re.sub(r"=\s*(_[A-Z_]{2,})\b", value, signature)
    for pattern, plain in PLAINER:
        signature = re.sub(pattern, plain, signature)
        returns = re.sub(pattern, plain, returns) if returns else returns
    return signature, returns


def without_overloads(app: Sphinx) -> None:
    """Show one signature of a function, the one that runs: its overloads are for mypy."""
    for module in documented():
        analyzer = ModuleAnalyzer.for_module(f"miniloop.{module}")
        analyzer.analyze()
        analyzer.overloads.clear()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives, and read signatures before they are shown."""
    app.add_directive("api-file", ApiFile)
    app.add_directive("api-files", ApiFiles)
    app.connect("builder-inited", without_overloads)
    app.connect("autodoc-process-signature", plainer)
    return {"parallel_read_safe": True}
