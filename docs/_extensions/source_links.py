"""Lead from every name to its code: what `sphinx.ext.viewcode` does not find by itself.

viewcode looks for a name in the module that a reader imports it from, and for a method in the class
that the page documents. miniloop's names come from its files, and `EventLoop` has its methods from
several classes. So this extension says where each name stands, and adds the missing tags to the
source of that file. Every file on the map of the package gets a page with its source.

After a build, every link to a source is followed. One that leads nowhere fails the build.
"""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from follow_links import lead_nowhere, owner, page_of
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.typing import ExtensionMetadata

import miniloop
from tests.reading_order import modules

SHOWN = 10
"""How many links that are wrong the error names."""

Tags = dict[str, tuple[str, int, int]]


def follow(app: Sphinx, module: str, name: str) -> str | None:
    """Answer viewcode's question where a name stands; None leaves the answer to viewcode."""
    return owner(module, name)


def source(app: Sphinx, module: str) -> tuple[str, Tags] | None:
    """Answer viewcode's question for the code of a module, and for the lines of its names."""
    if not module.startswith("miniloop."):
        return None
    analyzer = ModuleAnalyzer.for_module(module)
    analyzer.find_tags()
    tags: Tags = dict(analyzer.tags)
    classes = [name for name in miniloop.__all__ if isinstance(getattr(miniloop, name), type)]
    for name in classes:
        for base in inspect.getmro(getattr(miniloop, name)):
            if base.__module__ != module:
                continue
            for attribute in vars(base):
                where = analyzer.tags.get(f"{base.__qualname__}.{attribute}")
                if where is not None:
                    tags.setdefault(f"{name}.{attribute}", where)
    return analyzer.code, tags


def add_all_files(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Let viewcode write a page for every file on the map, also if no name leads to it."""
    env: BuildEnvironment = app.env
    if not hasattr(env, "_viewcode_modules"):
        env._viewcode_modules = {}  # type: ignore[attr-defined]
    for module in modules():
        name = f"miniloop.{module}"
        if not env._viewcode_modules.get(name):
            importlib.import_module(name)
            found = source(app, name)
            assert found is not None
            env._viewcode_modules[name] = (*found, {}, "miniloop")
    yield from ()


def check(app: Sphinx, failed: Exception | None) -> None:
    """Fail the build if a link to a source leads nowhere, or if no link leads to a file."""
    if failed is not None or app.builder.name != "html":
        return
    dead, reached = lead_nowhere(Path(app.outdir).resolve())
    missing = [page for page in map(page_of, modules()) if page not in reached]
    if dead or missing:
        lines = [*(f"leads nowhere: {one}" for one in dead), *(f"no link to {p}" for p in missing)]
        shown = "\n".join(lines[:SHOWN])
        raise ExtensionError(f"{len(lines)} links to the source are wrong:\n{shown}")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect to viewcode, which must be loaded before."""
    app.setup_extension("sphinx.ext.viewcode")
    app.connect("viewcode-follow-imported", follow)
    app.connect("viewcode-find-source", source)
    app.connect("html-collect-pages", add_all_files, priority=400)  # before viewcode itself
    app.connect("build-finished", check)
    return {"parallel_read_safe": True}
