"""Look at the built documentation in a browser: `python -m tests.built_pages SITE`.

Opens one page of each kind twice: 1200 pixels wide in light colours, and 390 wide in dark ones. The
layout does not depend on the colours, nor the colours on the layout, so the other two pairs can
show nothing new. Prints a line for each fault, and exits with status 1 if there is one:

- axe-core finds something serious or critical (see LOOKED_AT);
- the page asks for anything that is not a file;
- the page itself scrolls sideways, or on the wide screen a block of code does.

Wants the extra `player`, and chromium.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.trace.browser import NAMES

KINDS = {
    "start": "start",
    "front page": "index",
    "rung": "ladder/rung-4",
    "rule": "rules/queue",
    "index of rules": "rules/index",
    "tour": "tour/tasks",
    "how-to": "how-to/web",
    "exercise": "exercises/predict",
    "self-test": "exercises/self-test",
    "mistakes": "mistakes/sharing",
    "API": "api/tasks",
    "names": "names",
    "command line": "command-line",
    "comparing": "comparing",
    "conformance": "conformance",
    "speed": "speed",
    "glossary": "glossary",
    "contributing": "contributing",
    "explore": "explore",
}
"""Each kind of page, and one of it, without `.html`."""


class View(NamedTuple):
    """How a page is looked at."""

    width: int
    scheme: str


VIEWS = (View(1200, "light"), View(390, "dark"))
WIDE = 1200

# How far the page can be scrolled to the right.
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# The widest line of each block of code that can be.
BLOCKS = """[...document.querySelectorAll("pre")]
    .filter((block) => block.scrollWidth > block.clientWidth)
    .map((block) => block.innerText.split("\\n").sort((a, b) => b.length - a.length)[0])"""
# What a directive makes many times looks the same each time: for axe, five sections of a page, five
# rows of a table and the first words of a block of code are enough.
LOOKED_AT = {
    "exclude": [
        ["article > section > section:nth-of-type(n + 6)"],
        ["tr:nth-child(n + 6)"],
        ["pre > span:nth-of-type(n + 40)"],
    ]
}
SERIOUS = {"serious", "critical"}


def faults(page: Any, path: Path, view: View) -> Iterator[str]:
    """Open a page of the site, and yield what is wrong with it."""
    from axe_playwright_python.sync_playwright import Axe  # not at the top: it may be missing

    requests: list[str] = []

    def note(request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            requests.append(request.url)

    page.on("request", note)
    page.goto(path.as_uri())
    page.evaluate("new Promise(requestAnimationFrame)")  # scripts that measure have measured
    if beyond := page.evaluate(SIDEWAYS):
        yield f"scrolls sideways by {beyond} px"
    if view.width == WIDE:
        for line in page.evaluate(BLOCKS):
            yield f"a block of code scrolls sideways: {line}"
    # Without `resultTypes`, axe describes what is good as well, and takes six times as long.
    answer = Axe().run(page, context=LOOKED_AT, options={"resultTypes": ["violations"]})
    found = answer.response["violations"]
    for each in found:
        if each["impact"] in SERIOUS:
            first = each["nodes"][0]["html"]
            yield f"{each['id']}, {len(each['nodes'])} times: {each['help']}; the first: {first}"
    page.remove_listener("request", note)
    for url in requests:
        yield f"asks for {url}"


def look(browser: Any, site: Path, names: list[str]) -> Iterator[str]:
    """Yield the faults of these pages in all views, as "page, view: fault"."""
    for view in VIEWS:
        size = {"width": view.width, "height": 800}
        page = browser.new_page(viewport=size, color_scheme=view.scheme)
        for name in names:
            path = site / f"{name}.html"
            found = faults(page, path, view) if path.is_file() else iter(["there is no such page"])
            for fault in found:
                yield f"{name}, {view.width} px, {view.scheme}: {fault}"
        page.close()


def main(arguments: list[str]) -> int:
    """Print the faults of the site, and return the exit status."""
    from playwright.sync_api import sync_playwright

    if len(arguments) != 1 or not Path(arguments[0], "index.html").is_file():
        print("Name a folder with built pages: python -m tests.built_pages SITE", file=sys.stderr)
        return 2
    site = Path(arguments[0]).resolve()
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        print(f"None of {', '.join(NAMES)} is on PATH: apt install chromium", file=sys.stderr)
        return 2
    found = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        for fault in look(browser, site, list(KINDS.values())):
            print(fault)
            found += 1
        browser.close()
    print(f"{len(KINDS)} pages in {len(VIEWS)} views: {found} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
