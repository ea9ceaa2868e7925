"""Read the register of differences, `differences.toml`."""

from __future__ import annotations

import functools
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

STANDINGS = ("undefined", "version-dependent", "deliberate")


@dataclass(frozen=True)
class Known:
    """One entry of the register."""

    id: str
    title: str
    names: tuple[str, ...]
    """The public names that it is about: `gather`, or `Queue.shutdown` for a method."""
    versions: tuple[str, ...]
    standing: str
    reason: str
    program: str
    new: tuple[str, ...] = ()
    """The names and keywords that asyncio lacks on these versions, if that is the difference.

    `Queue.shutdown` is a name in the module `asyncio`, `run(loop_factory)` is a keyword.
    """
    untold: str = ""
    """Why `compare` cannot name this entry when a script meets it. Empty if it can."""

    @property
    def here(self) -> bool:
        """Return whether the asyncio of the running Python has this difference."""
        return this_python(self.versions)


def this_python(versions: Sequence[str]) -> bool:
    """Return whether this Python is in `versions`: 3.12.1 is in 3.12, and in 3.12.0-3.12.8."""
    for version in versions:
        first, _, last = version.partition("-")
        numbers = tuple(map(int, first.split(".")))
        until = tuple(map(int, last.split("."))) if last else numbers
        if numbers <= sys.version_info[: len(numbers)] and (
            sys.version_info[: len(until)] <= until
        ):
            return True
    return False


@functools.cache
def entries() -> dict[str, Known]:
    """Return all entries by their ids, in the order of the file."""
    text = resources.files(__package__).joinpath("differences.toml").read_text("utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["difference"]
    for entry in found:
        entry.update({name: tuple(it) for name, it in entry.items() if isinstance(it, list)})
    return {entry["id"]: Known(**entry) for entry in found}
