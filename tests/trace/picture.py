"""Take a picture of the player: `python -m tests.trace.picture SCRIPT OUT.png [STEP]`.

Records SCRIPT on miniloop, opens the player at STEP (10 if none is given) in the machine's own
chromium and saves what a window of 1200 by 800 pixels shows. Wants the extra `player`.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def main(script: str, out: str, step: str = "10") -> None:
    """Save the picture as *out*."""
    from playwright.sync_api import sync_playwright  # not at the top: it may be missing

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        player = Path(folder, "player.html")
        subprocess.run(
            [sys.executable, "-m", "miniloop", "trace", script, "-o", str(player)], check=True
        )
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1200, "height": 800}, color_scheme="light")
        page.goto(f"{player.as_uri()}#step={step}")
        page.screenshot(path=out)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
