"""Draw the states of a task as SVG.

The states stand in a column, in the order of the table. A way to the next state is a straight
arrow, a way further down is an arc on the right, and a way up is an arc on the left. Lines and text
take the colour of the text around them, so the picture can be read on light and on dark pages.
"""

import textwrap
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from tests.task_states import State

# All lengths in pixels, at full size.
WIDTH, HEIGHT, GAP = 140, 44, 76  # of a box, and between two boxes
MARGIN = 8
LETTER, LINE = 7.6, 18  # the width of a letter (at most, on average), the height of a line
COLUMNS = 12  # letters in a line of a label
BULGE = {"left": 34, "right": 66}  # of the innermost arc; labels of straight arrows stand right


class Way(NamedTuple):
    """An arrow: the numbers of its two states, and what happens."""

    start: int
    end: int
    label: tuple[str, ...]

    @property
    def side(self) -> str:
        """Where the arrow runs."""
        if self.end == self.start + 1:
            return "middle"
        return "right" if self.end > self.start else "left"

    @property
    def label_width(self) -> float:
        """The width of the label."""
        return max(map(len, self.label)) * LETTER


def describe(states: list[State]) -> str:
    """Return in words what the picture shows."""
    ways = [f"{state.name}: {event}: {after}" for state in states for event, after in state.ways]
    return "; ".join(ways)


def draw(states: list[State], title: str) -> str:
    """Return an `<svg>` element, whose text alternative is `title` and `describe(states)`."""
    names = [state.name for state in states]
    ways = [
        Way(names.index(state.name), names.index(after), tuple(textwrap.wrap(event, COLUMNS)))
        for state in states
        for event, after in state.ways
    ]
    bulges = _bulges(ways)
    left, right = (
        max([bulges[way] + way.label_width + 10 for way in ways if way.side == side], default=0)
        for side in ("left", "right")
    )
    centre = MARGIN + left + WIDTH / 2
    width = centre + WIDTH / 2 + right + MARGIN
    height = len(states) * (HEIGHT + GAP) - GAP + 2 * MARGIN
    return "\n".join(
        [
            f'<svg class="state-diagram" viewBox="0 0 {width:.0f} {height}" role="img"',
            '  aria-labelledby="state-diagram-title state-diagram-text"',
            f'  style="display: block; margin: auto; max-width: 100%; width: {width:.0f}px"',
            '  fill="none" stroke="currentColor" stroke-width="1.5"',
            '  font-family="inherit" font-size="14">',
            f'<title id="state-diagram-title">{escape(title)}</title>',
            f'<desc id="state-diagram-text">{escape(describe(states))}</desc>',
            '<defs><marker id="state-diagram-arrow" viewBox="0 0 8 8" refX="7" refY="4"',
            '  markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">',
            '<path d="M0 0L8 4L0 8z" fill="currentColor" stroke="none"/></marker></defs>',
            *_boxes(names, centre),
            *_arrows(ways, bulges, centre),
            "</svg>",
        ]
    )


def _top(number: int) -> float:
    """Return where the box of a state begins."""
    return MARGIN + number * (HEIGHT + GAP)


def _bulges(ways: list[Way]) -> dict[Way, float]:
    """Say how far each arc swings out, so that it runs outside the labels of the shorter ones."""
    bulges = {}
    for side, bulge in BULGE.items():
        outer: float = bulge
        for way in sorted(ways, key=lambda way: abs(way.end - way.start)):
            if way.side == side:
                bulges[way] = outer
                outer += way.label_width + 24
    return bulges


def _boxes(names: list[str], centre: float) -> Iterator[str]:
    for number, name in enumerate(names):
        x, y = centre - WIDTH / 2, _top(number)
        yield f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
        yield from _text((name,), centre, y + HEIGHT / 2, "middle", weight="bold")


def _arrows(ways: list[Way], bulges: dict[Way, float], centre: float) -> Iterator[str]:
    for way in ways:
        if way.side == "middle":
            start, end = _top(way.start) + HEIGHT, _top(way.end)
            yield _line(f"M{centre:g} {start:g}V{end:g}")
            yield from _text(way.label, centre + 10, (start + end) / 2, "start")
            continue
        sign = 1 if way.side == "right" else -1
        x = centre + sign * WIDTH / 2
        start, end = (_foot(ways, way, number) for number in (way.start, way.end))
        outside = x + sign * bulges[way] * 4 / 3  # a curve swings out three quarters of this
        yield _line(f"M{x:g} {start:g}C{outside:g} {start:g} {outside:g} {end:g} {x:g} {end:g}")
        anchor = "start" if sign > 0 else "end"
        yield from _text(way.label, x + sign * (bulges[way] + 8), (start + end) / 2, anchor)


def _foot(ways: list[Way], way: Way, number: int) -> float:
    """Return at which height an arc touches the box of a state, so that no two of them cross."""

    def rank(one: Way) -> tuple[bool, int]:
        other = one.end if one.start == number else one.start
        return other > number, abs(other - number) * (-1 if other > number else 1)

    here = sorted(
        [one for one in ways if one.side == way.side and number in (one.start, one.end)], key=rank
    )
    return _top(number) + HEIGHT * (here.index(way) + 1) / (len(here) + 1)


def _line(path: str) -> str:
    return f'<path d="{path}" marker-end="url(#state-diagram-arrow)"/>'


def _text(
    lines: tuple[str, ...], x: float, y: float, anchor: str, weight: str = "normal"
) -> Iterator[str]:
    """Write lines of text, with their middle at the height `y`."""
    first = y + 5 - (len(lines) - 1) * LINE / 2
    for number, line in enumerate(lines):
        yield (
            f'<text x="{x:g}" y="{first + number * LINE:g}" text-anchor="{anchor}"'
            f' font-weight="{weight}" fill="currentColor" stroke="none">{escape(line)}</text>'
        )
