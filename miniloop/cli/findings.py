"""Tell what a hunt has found: on one screen, in a folder, as JSON, and as errors on GitHub.

The form of the JSON is in `fuzz.schema.json`.
"""

from __future__ import annotations

import contextlib
import io
import platform
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import miniloop
from miniloop.cli.side_by_side import show
from miniloop.difftest import loops
from miniloop.difftest.foreign import Match
from miniloop.difftest.fuzz import Finding, Hunt, short_id
from miniloop.difftest.scripts import Run, rows
from miniloop.lab.diagnosis import Group

SCREEN = 60
"""The most lines of a summary."""
REASONS, RULES, HINTS = 3, 6, 4
"""The most reasons for a comparison that ended early, broken rules, and unexplained groups."""
BEFORE, AFTER = 3, 3
"""Lines of both schedules around the first difference."""
MOST_ANNOTATIONS = 10
"""GitHub shows no more than this from one step of a job."""


def compared(match: Match) -> str:
    """Return a sentence that says what is compared, and why."""
    if match.notes:
        return "\n".join(match.notes)
    names = f"{match.right.name} is compared with {match.left.name} to the tick"
    if match.own:
        return names
    return f"{names}, on virtual time: it takes a selector"


def summary(
    total: Hunt,
    groups: Sequence[Group],
    match: Match,
    rate: str,
    folder: Path | None,
) -> list[str]:
    """Return the lines of the summary, which fit one screen.

    The first groups are shown with their smallest programs, as long as there is room.
    """
    median = statistics.median(total.events or [0])
    head = [
        f"{plural(total.programs, 'program')} compared (median {median:.0f} events): "
        f"{total.programs - total.differ:,} agree, {total.differ:,} differ; {rate}"
    ]
    reasons = sorted(total.cut.items(), key=lambda item: -item[1])
    head += [
        f"  {number:,} not compared to the end or not counted: {reason}"
        for reason, number in reasons[:REASONS]
    ]
    if more := reasons[REASONS:]:
        head.append(
            f"  {sum(number for _, number in more):,} more, for {plural(len(more), 'other reason')}"
        )
    if not groups:
        return head
    rules = [one for one in groups if one.loop is not None]
    hints = [one for one in groups if one.loop is None]
    blocks = [heading(number, one, total) for number, one in enumerate(rules[:RULES], 1)]
    hinted = list(unexplained(hints, without=bool(rules))) if hints else []
    tail = list(see(match, rules, folder))
    if len(rules) > RULES:
        tail.insert(0, f"And {plural(len(rules) - RULES, 'more rule')}, with fewer programs.")
    used = len(head) + sum(map(len, blocks)) + len(hinted) + len(tail)
    room = SCREEN - used - 6  # what is compared, a title, and blank lines
    for block, one in zip(blocks, rules, strict=False):
        room = add(block, one, room)
    if hints:
        add(hinted, hints[0], room)
    lines = [*head, ""]
    if rules:
        lines.append("Rules broken: loops of the lab that break them do the same.")
    for block in blocks:
        lines += block
    if rules and lines[-1]:
        lines.append("")
    lines += hinted
    if lines[-1]:
        lines.append("")
    return [*lines, *tail]


def heading(number: int, one: Group, total: Hunt) -> list[str]:
    """Return the lines that name a broken rule, and how much it explains."""
    assert one.loop is not None
    if one.behind:
        how = f"shows in {plural(one.programs, 'program')} behind the rules above"
    else:
        how = f"explains {one.programs:,} of {plural(total.differ, 'program')} that differ"
        if one.whole < one.programs:
            how += f", {one.whole:,} of them to the end"
    if one.others:
        names = ", ".join(other.name for other in one.others[:3])
        how += f", and so would {names}" + ", ..." * (len(one.others) > 3)
    return [f"{number}. {one.name}: {one.loop.breaks}", f"   {how}"]


def unexplained(hints: Sequence[Group], without: bool) -> Iterator[str]:
    """Yield the lines that name the groups which no loop of the lab explains."""
    programs = plural(sum(one.programs for one in hints), "program")
    yield (
        f"No loop of the lab explains {programs}: it may lack one. "
        + ("The" if without else "Their")
        + " first differences, each with its name for --allow:"
    )
    for one in hints[:HINTS]:
        yield f"   {short_id(one.name)}  {plural(one.programs, 'program')}: {one.name}"
    if len(hints) > HINTS:
        yield f"   and {plural(len(hints) - HINTS, 'more group')}"


def see(match: Match, rules: Sequence[Group], folder: Path | None) -> Iterator[str]:
    """Yield the lines that say how to see more."""
    if rules:
        yield f"How the lab breaks a rule: python -m miniloop lab {rules[0].name}"
    loops_named = f"--loop {match.right.name} --against {match.left.name}"
    is_comparable = all(map(has_loop, (match.left.name, match.right.name)))
    if folder is None:
        yield "All small programs, with both schedules: add --details DIR"
        if is_comparable:
            yield f"One of them in full: python -m miniloop compare {loops_named} FILE"
    else:
        yield f"All small programs, with both schedules: {folder}"
        if is_comparable:
            first = folder / f"{file_name(1, 1, rules[0])}.py" if rules else folder / "FILE.py"
            yield f"One of them in full: python -m miniloop compare {loops_named} {first}"


def has_loop(name: str) -> bool:
    """Return whether `compare` takes a loop of this name."""
    try:
        loops.resolve(name)
    except ValueError:
        return False
    return True


def add(block: list[str], one: Group, room: int) -> int:
    """Add the smallest program of a group if there is room. Return the room that is left."""
    if not one.findings:
        return room
    lines = [f"   {line}".rstrip() for line in shown(one.findings[0])]
    if len(lines) > room:
        return room
    block += [*lines, ""]
    return room - len(lines) - 1


def shown(finding: Finding) -> Iterator[str]:
    """Yield a small program, both schedules around the first difference, and the command."""
    difference = finding.difference
    yield ""
    yield from str(difference.program).splitlines()
    yield ""
    left = Run(difference.left_name, difference.left, complete=True)
    right = Run(difference.right_name, difference.right, complete=True)
    in_order = not difference.left.timeouts and not difference.right.timeouts
    table = rows(left, right, in_order)
    first = next((number for number, row in enumerate(table) if not row.same), 0)
    screen = Screen()
    with contextlib.redirect_stdout(screen):
        show(
            (left.name, right.name),
            table[max(0, first - BEFORE) : first + AFTER + 1],
            order_only=in_order,
            everything=True,
        )
    yield from screen.getvalue().splitlines()
    yield ""
    yield f"reproduce: {finding.reproduce()}"


class Screen(io.StringIO):
    """Keeps what is printed, in the form in which stdout would show it."""

    def __init__(self) -> None:
        super().__init__()
        self._stdout = sys.stdout

    def isatty(self) -> bool:
        """Return whether stdout is a terminal."""
        return self._stdout.isatty()


def write(folder: Path, groups: Sequence[Group]) -> None:
    """Write each small program to a file, and beside it both schedules to another."""
    for number, one in enumerate(groups, 1):
        for which, finding in enumerate(one.findings, 1):
            name = file_name(number, which, one)
            rule = one.loop.breaks if one.loop else f"at the first difference: {one.name}"
            (folder / f"{name}.py").write_text(f"{finding.difference.program}\n", "utf-8")
            (folder / f"{name}.txt").write_text(
                f"{rule}\n\n{finding.difference}\n\nreproduce: {finding.reproduce()}\n",
                "utf-8",
            )


def file_name(number: int, which: int, one: Group) -> str:
    """Return the name of a finding's files, without its ending."""
    name = one.name if one.loop is not None else f"unexplained-{short_id(one.name)}"
    return f"{number:02}-{name}-{which:02}"


def plural(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}" + "s" * (number != 1)


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
