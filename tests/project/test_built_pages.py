"""The check of the built documentation finds each fault, and nothing on a page that has none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.built_pages import look
from tests.trace.browser import chromium

pytestmark = pytest.mark.wants("player", "playwright", "axe_playwright_python")

PAGE = """<!doctype html><html lang="en"><head><title>A page</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>A page</h1>{}</main>"""


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    with chromium(request.config) as browser:
        yield browser


def found(browser: Any, site: Path, **pages: str) -> list[str]:
    for name, text in pages.items():
        (site / f"{name}.html").write_text(PAGE.format(text), encoding="utf-8")
    return list(look(browser, site, list(pages)))


def test_each_fault_is_found(browser: Any, tmp_path: Path) -> None:
    pale = "<p style='color: #bbb; background: #fff'>pale</p>"
    table = "<div style='width: 900px'>wide</div>"
    block = f"<pre tabindex=0 style='overflow: auto'>{'x ' * 1000}</pre>"
    picture = "<img src='http://127.0.0.1:9/picture.png' alt='far'>"
    faults = found(browser, tmp_path, pale=pale, table=table, block=block, picture=picture)
    said = [fault.split(", the first")[0].split(": ", 1) for fault in faults]
    assert [(where, what[:30]) for where, what in said] == [
        ("pale, 1200 px, light", "color-contrast, 1 times: Eleme"),
        ("block, 1200 px, light", f"a block of code scrolls sideways: {'x ' * 1000}"[:30]),
        ("picture, 1200 px, light", "asks for http://127.0.0.1:9/pi"),
        ("pale, 390 px, dark", "color-contrast, 1 times: Eleme"),
        ("table, 390 px, dark", f"scrolls sideways by {900 + 8 - 390} px"),
        ("picture, 390 px, dark", "asks for http://127.0.0.1:9/pi"),
    ]


def test_a_good_page_has_none(browser: Any, tmp_path: Path) -> None:
    assert found(browser, tmp_path, good="<p>Text, and a <code>name</code>.</p>") == []


def test_a_page_that_is_missing_is_a_fault(browser: Any, tmp_path: Path) -> None:
    faults = list(look(browser, tmp_path, ["gone"]))
    assert faults == [
        "gone, 1200 px, light: there is no such page",
        "gone, 390 px, dark: there is no such page",
    ]
