"""What `compare` says of a script in one or two words, and what it should say."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Options that some scripts need to come to their end sooner.
OPTIONS = {
    "end_endless.py": ["--ticks", "500"],
    "end_cut_off.py": ["--limit", "3"],
}


def right_verdicts() -> dict[str, str]:
    """The right verdict of each script on this Python."""
    table = tomllib.loads(Path(__file__).with_name("right.toml").read_text())
    found = {}
    for script, verdicts in table.items():
        fitting = [
            what
            for python, what in verdicts.items()
            if sys.version_info[:2] >= tuple(map(int, python.split(".")))
        ]
        found[script] = fitting[0]
    return found


def verdict(script: str) -> str:
    """What `compare` says of it."""
    command = [sys.executable, "-m", "miniloop", "compare", *OPTIONS.get(Path(script).name, [])]
    ended = subprocess.run(
        [*command, script],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=200,
        check=False,
    )
    if ended.returncode == 0:
        return "agree"
    if ended.returncode == 1:
        known = re.search(r"^known difference: (\S+):", ended.stdout, re.MULTILINE)
        if known:
            return f"known: {known[1]}"
        itself = "disagree with each other, too" in " ".join(ended.stdout.split())
        return "differ, asyncio with itself too" if itself else "differ"
    for words, name in {
        "waits for ever": "deadlock",
        "still running after": "endless",
        "cut off": "cut off",
    }.items():
        if ended.returncode == 2 and words in ended.stderr:
            return name
    return f"status {ended.returncode}: {ended.stderr.strip()[-300:]}"
