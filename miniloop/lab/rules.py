"""The rules of scheduling, read from `rules.toml`: what each says, who promises it, what shows it.

That file is the one place where a rule is written down. The loops of the lab name the rule that
they break by its id. The pages of the docs, the tests' names and what `fuzz` and `compare` say of a
broken rule are made from it.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ..difftest.programs import FILE_NAME
from ..difftest.sides import Side
from ..difftest.written import run_written
from ..trace import Schedule

STANDINGS = {
    "documented": "Python's documentation promises it.",
    "implementation detail": "asyncio does so, but its documentation does not promise it.",
    "undefined": "Python's documentation says that it is undefined.",
    "version-dependent": "asyncio itself does not do so on all Pythons, and promises nothing.",
}
"""What a rule may stand on."""

DOCUMENTATION = "https://docs.python.org/3.15/"


@dataclass(frozen=True)
class Rule:
    """One rule of scheduling."""

    id: str
    group: str
    """The id of its group."""
    sentence: str
    standing: str
    why: str
    """What the documentation says about it, or does not say."""
    core: tuple[str, ...]
    """What keeps it in miniloop, each as a dotted name below `miniloop`."""
    tests: tuple[str, ...]
    """The test files that hold it, below `tests/`."""
    program: str
    """The smallest script that shows it."""
    documentation: str = ""
    """The page of Python's documentation, with its anchor. Empty if none mentions it."""
    source: str = ""
    """What keeps it in CPython, as a dotted name below `asyncio`."""
    unbreakable: str = ""
    """Why no event loop can break it. Empty if the lab has a loop that does."""
    since: tuple[int, int] = (3, 11)
    """The first Python whose asyncio keeps it to the tick."""

    def run(self, side: Side) -> Schedule:
        """Run the program on a side, and return its schedule. Call this inside `quiet()`."""
        code = compile(self.program.lstrip(), FILE_NAME, "exec", dont_inherit=True)
        return run_written(side, code).schedule

    @property
    def link(self) -> str:
        """The address of the place in Python's documentation; empty if there is none."""
        return DOCUMENTATION + self.documentation if self.documentation else ""


@dataclass(frozen=True)
class Group:
    """The rules of one topic."""

    id: str
    title: str
    about: str
    """A few sentences, in reStructuredText."""


@functools.cache
def _read() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("rules.toml").read_text("utf-8")
    return tomllib.loads(text)


@functools.cache
def groups() -> dict[str, Group]:
    """Return all groups by their ids, in the order in which to read them."""
    return {entry["id"]: Group(**entry) for entry in _read()["group"]}


@functools.cache
def rules() -> dict[str, Rule]:
    """Return all rules by their ids, in the order of the file."""
    entries: list[dict[str, Any]] = _read()["rule"]
    for entry in entries:
        entry.update({name: tuple(it) for name, it in entry.items() if isinstance(it, list)})
    found = {entry["id"]: Rule(**entry) for entry in entries}
    if len(found) < len(entries):
        raise ValueError("rules.toml has two rules with one id")
    return found


def rule(id: str) -> Rule:  # noqa: A002  # the word of the file
    """Return the rule of that id. Raises ValueError if there is none."""
    if id not in rules():
        raise ValueError(f"no rule {id!r} in rules.toml: add it there, or name one that it has")
    return rules()[id]
