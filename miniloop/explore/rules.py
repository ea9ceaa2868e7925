"""The rules that are not promised: names, standings and where Python's documentation says so."""

from __future__ import annotations

import importlib.resources
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A rule of scheduling that holds, and that no program may rely on."""

    id: str
    code: str
    """Two letters, for tokens."""
    says: str
    standing: str
    """*undefined*, *implementation detail* or *version-dependent*."""
    source: str


def _read() -> dict[str, Rule]:
    text = importlib.resources.files(__package__).joinpath("rules.toml").read_text("utf-8")
    return {row["id"]: Rule(**row) for row in tomllib.loads(text)["rule"]}


RULES = _read()
"""All rules by id, in the order in which they are tried."""

CODES = {rule.code: rule.id for rule in RULES.values()}
"""The ids by code."""


def selected(only: Iterable[str] = (), without: Iterable[str] = ()) -> list[str]:
    """Return the ids of the rules to permute: all, or `only` these, less those in `without`.

    Raises ValueError for an id that there is none of, and if no rule is left.
    """
    only, without = list(only), list(without)
    for name in [*only, *without]:
        if name not in RULES:
            raise ValueError(f"no rule named {name!r}; the rules are {', '.join(RULES)}")
    left = [name for name in RULES if (not only or name in only) and name not in without]
    if not left:
        raise ValueError("no rule is left to permute: leave out one --without or one --rule")
    return left
