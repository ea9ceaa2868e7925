"""Print the schedules of a random program side by side, for `fuzz` and `lab`.

With rich installed they have colours, otherwise they are plain text.

The number of a tick is shown where the tick begins, and the time where it changes. If the terminal
is too narrow for two columns, an event that both loops have is printed once, and events that differ
are printed one below the other.
"""

import importlib
import io
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from miniloop.difftest.scripts import Row

SHOWN = 60
"""The most lines that are shown in full if the schedules agree."""
BEFORE, AFTER = 24, 8
"""Lines shown around the first difference. The later ones mostly follow from it."""
NARROWEST = 24
"""Characters that each of two columns needs, if its texts are that long. Less is too narrow."""
LONGEST = 200
"""The most characters of a text if the output goes to no terminal."""

At = tuple[int, int] | None
Line = tuple[str, ...]
"""The texts of a line: mark, tick and time (unless only the order is compared), both sides."""


def columns() -> int:
    """Return the width of the output: unlimited in a file or a pipe, unless COLUMNS is set."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return max(20, shutil.get_terminal_size().columns)
    return 2 * LONGEST + 40


def cell(text: str, at: At, other: At) -> str:
    """Return one side's text, with its tick and time if they are not the other side's."""
    if not text:
        return "(nothing more)"
    text = text.replace("\n", "\\n").replace("\t", "\\t")
    if at and other and at != other:
        seconds = f", {at[1] / 1000:.3f} s" if at[1] != other[1] else ""
        return f"[tick {at[0]}{seconds}] {text}"
    return text


def show(
    names: tuple[str, str], rows: Sequence[Row], *, order_only: bool, everything: bool
) -> None:
    """Print the table. A long one is shortened unless `everything`."""
    head: Line = ("", *names) if order_only else ("", "tick", "time", *names)
    body = lines(rows, order_only, everything)
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    widths[0] = 2
    room = columns() - sum(widths[:-2]) - len(widths[:-2])  # a blank behind each of those
    half = min(max(widths[-2:]), room // 2 - 1, LONGEST)
    if half < min(max(widths[-2:]), NARROWEST):
        head = (*head[:-2], f"{names[0]} and {names[1]}")
        body = [below for one in body for below in stacked(one, names)]
        widths[-2:] = [room]
    else:
        widths[-2:] = [half + 1, half]
    numbers = range(1, 1 if order_only else 3)
    try:
        table: Any = importlib.import_module("rich.table")
        rich_console: Any = importlib.import_module("rich.console")
    except ImportError:
        for one in (head, *body):
            cells = [
                f"{text:>{width}}" if number in numbers else f"{cut(text, widths[-1]):<{width}}"
                for number, (text, width) in enumerate(zip(one, widths, strict=True))
            ]
            print(" ".join(cells).rstrip())
        return
    grid = table.Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for number, (name, width) in enumerate(zip(head, widths, strict=True)):
        justify = "right" if number in numbers else "left"
        grid.add_column(name, justify=justify, width=width, no_wrap=True, overflow="ellipsis")
    text: Any = importlib.import_module("rich.text").Text
    for one in body:
        style = {"=>": "bold red", "~": "yellow"}.get(one[0], "")
        if not style and one[-1].startswith("select("):
            style = "dim"
        grid.add_row(*map(text, one), style=style)
    # Not to stdout itself: rich ends the program if stdout is a closed pipe.
    table_text = io.StringIO()
    rich_console.Console(
        file=table_text, force_terminal=sys.stdout.isatty(), width=sum(widths) + len(widths)
    ).print(grid)
    print(table_text.getvalue(), end="")


def cut(text: str, width: int) -> str:
    """Shorten a text to a width."""
    return text if len(text) <= width else text[: width - 3] + "..."


def stacked(line: Line, names: tuple[str, str]) -> list[Line]:
    """Return a line for one column, or two lines if the sides differ."""
    *before, left, right = line
    if not line[0]:
        return [(*before, left)]
    width = max(map(len, names))
    blank = [""] * (len(before) - 1)
    return [
        (*before, f"{names[0]:<{width}}  {left}"),
        (line[0] if line[0] == "~" else "", *blank, f"{names[1]:<{width}}  {right}"),
    ]


def lines(rows: Sequence[Row], order_only: bool, everything: bool) -> list[Line]:
    """Return the lines of the table below its head."""
    first = next((number for number, row in enumerate(rows) if not row.same), None)
    found: list[Line] = []
    shown = ["", ""]
    for number, row in chosen(rows, first, everything):
        if row is None:
            left_out = f"({number:,} more lines: --all shows them)"
            found.append(("", left_out, "") if order_only else ("", "...", "", left_out, ""))
            continue
        mark = "=>" if number == first else "" if row.same else "~"
        if order_only:
            found.append((mark, cell(row.left, None, None), cell(row.right, None, None)))
            continue
        at = row.left_at or row.right_at
        numbers = [str(at[0]), f"{at[1] / 1000:.3f}"] if at else ["", ""]
        if row.same and row.left.startswith("select("):
            numbers[1] = ""  # this is the time before the wait
        told = [
            "" if now == before and not mark else now
            for now, before in zip(numbers, shown, strict=True)
        ]
        shown = [now or before for now, before in zip(numbers, shown, strict=True)]
        right = cell(row.right, row.right_at, row.left_at)
        found.append((mark, *told, cell(row.left, None, None), right))
    return found


def chosen(
    rows: Sequence[Row], first: int | None, everything: bool
) -> list[tuple[int, Row | None]]:
    """Return the rows to show with their numbers. For rows left out: how many, and None."""
    numbered: list[tuple[int, Row | None]] = list(enumerate(rows))
    if everything or (first is None and len(numbered) <= SHOWN):
        return numbered
    if first is None:
        half = SHOWN // 3
        return [*numbered[:half], (len(numbered) - 2 * half, None), *numbered[-half:]]
    start, stop = max(0, first - BEFORE), first + AFTER + 1
    before: list[tuple[int, Row | None]] = [(start, None)] if start else []
    left_out = len(numbered) - stop
    after: list[tuple[int, Row | None]] = [(left_out, None)] if left_out > 0 else []
    return [*before, *numbered[start:stop], *after]
