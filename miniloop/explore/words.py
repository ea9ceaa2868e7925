"""A finding in words."""

from __future__ import annotations

from collections.abc import Iterator

from ..trace.places import cut
from .choices import Choice
from .search import Finding, Outcome


def told(finding: Finding, file: str = "") -> Iterator[str]:
    """Yield the lines that tell of a finding."""
    yield headline(finding, file)
    yield f"  {seen(finding)}"
    for choice in finding.made[:4]:
        yield f"  {deviation(choice)}"
    if len(finding.made) > 4:
        yield f"  and {len(finding.made) - 4} more"


def headline(finding: Finding, file: str = "") -> str:
    """Return which line relies on what."""
    where = f"line {finding.line}" if finding.line else "the program"
    if file and finding.line:
        where = f"{file}, {where}"
    says = " and ".join(f"{rule.says} ({rule.standing})" for rule in finding.rules)
    return f"{where} relies on: {says}"


def seen(finding: Finding) -> str:
    """Return what is otherwise in the other run."""
    first = finding.first
    own, other = shown(finding.own, first), shown(finding.other, first)
    return f"here it {own}; in the other run it {other}"


def shown(outcome: Outcome, number: int) -> str:
    """Return what a run shows next, after so many lines."""
    if number < len(outcome.lines):
        return f"prints {cut(outcome.lines[number][0], 50)!r}"
    return outcome.end


def deviation(choice: Choice) -> str:
    """Return where the other run has deviated."""
    where = f"line {choice.line}" if choice.line else ""
    place = ", ".join(part for part in (where, choice.what) if part)
    return f"rule {choice.rule}, choice {choice.number}" + (f": {place}" if place else "")
