"""Measure the player on a trace of ten thousand steps: `python -m tests.trace.loading`.

Prints how long the page takes to load, the best of three, and how long a jump to another step takes
until the browser has laid the page out, in milliseconds. Wants the extra `player` and chromium.
"""

import shutil
import statistics
import tempfile
from pathlib import Path

from miniloop.trace import player
from tests.trace.made import sleepers

LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
JUMPS = """() => Array.from({ length: 50 }, (_, n) => {
    const began = performance.now();
    go(n * 199);
    document.body.offsetHeight;  // which has the browser lay it out at once
    return performance.now() - began;
})"""


def main() -> None:
    """Print the figures."""
    from playwright.sync_api import sync_playwright  # not at the top: it may be missing

    trace = sleepers(*[(f"worker {n}", 70, 1 + n / 100) for n in range(60)])
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder, "player.html")
        path.write_text(player.page(trace), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        loads = []
        for _ in range(3):
            page.goto(path.as_uri())
            loads.append(page.evaluate(LOADED))
        jumps = page.evaluate(JUMPS)
        browser.close()
    print(f"{len(trace['steps']):,} steps load in {min(loads):.0f} ms")
    print(f"a jump takes {statistics.median(jumps):.0f} ms (median of {len(jumps)})")


if __name__ == "__main__":
    main()
