"""Write what a hunt has found for other programs: as JSON, and as annotations for GitHub.

The form of the JSON is in `fuzz.schema.json`.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from typing import Any

import miniloop
from miniloop.cli.findings import plural
from miniloop.difftest.foreign import Match
from miniloop.difftest.fuzz import Finding, Hunt, short_id
from miniloop.lab.diagnosis import Group

MOST_ANNOTATIONS = 10
"""GitHub shows no more than this from one step of a job."""


def as_json(total: Hunt, groups: Sequence[Group], match: Match, **more: Any) -> dict[str, Any]:
    """Return the results of a hunt as a dict for JSON. `more` says how it was made."""
    return {
        "format": "miniloop-fuzz",
        "version": 1,
        "miniloop": miniloop.__version__,
        "python": platform.python_version(),
        "loop": match.right.name,
        "against": match.left.name,
        "compared": "ticks" if match.exact else "order",
        **more,
        "programs": total.programs,
        "agree": total.programs - total.differ,
        "differ": total.differ,
        "not_compared": total.cut,
        "groups": [_group(one) for one in groups],
    }


def _group(one: Group) -> dict[str, Any]:
    return {
        "name": one.name,
        "rule": one.loop.breaks if one.loop is not None else None,
        "allow": allowed_as(one),
        "programs": one.programs,
        "to_the_end": one.whole,
        "behind": one.behind,
        "others": [other.name for other in one.others],
        "findings": [_finding(finding) for finding in one.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    difference = finding.difference
    return {
        "token": finding.token,
        "command": finding.reproduce(),
        "program": f"{difference.program}\n",
        "against": difference.left.lines(),
        "loop": difference.right.lines(),
        "first": difference.first(),
    }


def allowed_as(one: Group) -> str:
    """Return the name of a group for `--allow`."""
    return one.name if one.loop is not None else short_id(one.name)


def on_github(groups: Sequence[Group], match: Match) -> Iterator[str]:
    """Yield a line for each group that makes GitHub show an error beside the job."""
    for one in groups[:MOST_ANNOTATIONS]:
        title = f"{match.right.name} differs from {match.left.name}"
        if one.loop is not None:
            text = f"rule broken: {one.name}: {one.loop.breaks}"
        else:
            text = f"no loop of the lab explains it: {one.name}"
        text += f"\n{plural(one.programs, 'program')}"
        if one.findings:
            text += f", of which this is a small one: {one.findings[0].reproduce()}"
        title = escaped(title).replace(":", "%3A").replace(",", "%2C")
        yield f"::error title={title}::{escaped(text)}"


def escaped(text: str) -> str:
    """Return text as GitHub reads it in one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
