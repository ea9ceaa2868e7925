"""Two schedules side by side in the terminal: by rich where it is installed, else as plain text."""

import importlib
import shutil
from collections.abc import Sequence
from typing import Any

from miniloop.difftest.scripts import Row

SHOWN = 60
"""Lines that are shown in full where the schedules agree."""
BEFORE, AFTER = 24, 8
"""Lines shown around the first difference. What comes after it only echoes it."""


def cell(text: str, at: tuple[int, int] | None, other: tuple[int, int] | None) -> str:
    """One side's text; where its tick or time is another than the other side's, with these."""
    if not text:
        return "(nothing more)"
    text = text.replace("\n", "\\n")
    if at and other and at != other:
        seconds = f", {at[1] / 1000:.3f} s" if at[1] != other[1] else ""
        return f"[tick {at[0]}{seconds}] {text}"
    return text


def show(
    names: tuple[str, str], rows: Sequence[Row], *, order_only: bool, everything: bool
) -> None:
    """Print the table, as wide as the terminal; long ones are shortened unless `everything`."""
    head: tuple[str, ...] = ("", "tick", "time", *names)
    first = next((number for number, row in enumerate(rows) if not row.same), None)
    numbered = chosen(rows, first, everything)
    lines = [line(number, row, number == first, order_only) for number, row in numbered]
    if order_only:
        head, lines = ("", *names), [(one[0], *one[3:]) for one in lines]
    try:
        table: Any = importlib.import_module("rich.table")
        console: Any = importlib.import_module("rich.console").Console()
    except ImportError:
        show_plainly(head, lines)
        return
    grid = table.Table(box=None, pad_edge=False, expand=True, header_style="bold")
    narrow: list[dict[str, Any]] = [{"justify": "right", "width": w} for w in (5, 8)]
    wide: dict[str, Any] = {"ratio": 1, "no_wrap": True, "overflow": "ellipsis"}
    columns = [{"width": 2}, *([] if order_only else narrow), wide, wide]
    for name, options in zip(head, columns, strict=True):
        grid.add_column(name, **options)
    text: Any = importlib.import_module("rich.text").Text
    for one in lines:
        style = {"=>": "bold red", "~": "yellow"}.get(one[0], "")
        if not style and one[-2].startswith("select("):
            style = "dim"
        grid.add_row(*map(text, one), style=style)
    console.print(grid)


def show_plainly(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> None:
    """Print the table without rich."""
    taken = 4 if len(head) == 3 else 21
    width = max(20, (shutil.get_terminal_size().columns - taken) // 2)
    for mark, *at, left, right in (head, *lines):
        text = f"{mark:<2} " + (f"{at[0]:>5} {at[1]:>8}  " if at else "")
        print(f"{text}{cut(left, width):<{width}} {cut(right, width)}".rstrip())


def cut(text: str, width: int) -> str:
    """Shorten a text to a width."""
    return text if len(text) <= width else text[: width - 3] + "..."


def line(number: int, row: Row | None, first: bool, order_only: bool) -> tuple[str, ...]:
    """One line of the table; None for a row stands for rows left out."""
    if row is None:
        return ("", "...", "", f"({number:,} more lines: --all shows them)", "")
    mark = "=>" if first else "" if row.same else "~"
    if order_only:
        return (mark, "", "", cell(row.left, None, None), cell(row.right, None, None))
    at = row.left_at or row.right_at
    tick, time = (str(at[0]), f"{at[1] / 1000:.3f}") if at else ("", "")
    left = cell(row.left, None, None)
    return (mark, tick, time, left, cell(row.right, row.right_at, row.left_at))


def chosen(
    rows: Sequence[Row], first: int | None, everything: bool
) -> list[tuple[int, Row | None]]:
    """Rows to show with their numbers; where some are left out, their count and None."""
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
