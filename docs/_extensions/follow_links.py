"""Where a name stands, and whether the links of a built site that lead to sources lead anywhere."""

import inspect
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import miniloop
from tests.reading_order import home

PAGES = "_modules"
"""The folder in which viewcode writes the sources."""


def page_of(module: str) -> str:
    """Return the address of the page with the source of a file such as `core.loop`."""
    return f"{PAGES}/miniloop/{module.replace('.', '/')}.html"


def owner(module: str, name: str) -> str | None:
    """Return the module in which a name stands, which a reader imports from `module`."""
    first, *rest = name.split(".")
    if module != "miniloop" or first not in miniloop.__all__:
        return None
    thing = getattr(miniloop, first)
    if not rest:
        return f"miniloop.{home(first)}"
    for one in inspect.getmro(thing) if isinstance(thing, type) else ():
        if rest[0] in vars(one):
            return one.__module__
    return None


class Anchors(HTMLParser):
    """The ids of a page, and where its links lead."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note an id and a link."""
        found = dict(attributes)
        if found.get("id"):
            self.ids.add(found["id"] or "")
        if tag == "a" and found.get("href"):
            self.links.append(found["href"] or "")


def lead_nowhere(site: Path) -> tuple[list[str], set[str]]:
    """Follow every link between the pages of a site and the sources.

    Return the links that lead nowhere, as "page: link", and the pages with sources that a link on
    another page leads to.
    """
    pages: dict[Path, Anchors] = {}
    dead: list[str] = []
    reached: set[str] = set()
    sources = site / PAGES

    def at(page: Path) -> Anchors:
        if page not in pages:
            pages[page] = Anchors(page)
        return pages[page]

    for page in sorted(site.rglob("*.html")):
        for link in at(page).links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not (target.is_relative_to(sources) or page.is_relative_to(sources)):
                continue
            if not target.is_file() or (parts.fragment and parts.fragment not in at(target).ids):
                dead.append(f"{page.relative_to(site)}: {link}")
            elif not page.is_relative_to(sources):
                reached.add(str(target.relative_to(site)))
    return dead, reached
