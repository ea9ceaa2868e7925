"""The chromium of this machine, without a window, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium(config: pytest.Config) -> Iterator[Any]:
    """Start the browser and end it, or skip the test where there is none.

    Where `--with player` is given, the test fails instead. As long as the browser runs, an asyncio
    loop of Playwright's own runs in this thread, so no other can.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        if "player" in config.getoption("extras"):
            pytest.fail("no chromium on PATH, and `--with player` demands it: apt install chromium")
        pytest.skip("wants an installed chromium")
    from playwright.sync_api import sync_playwright  # not at the top: it may be missing

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()
