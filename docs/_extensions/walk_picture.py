"""Draw the way of a value as SVG: each call on a line of its own, indented below its caller.

A tick is a frame around the calls that it makes. Lines and text take the colour of the text around
them, so the picture can be read on light and on dark pages. It is as narrow as a telephone.
"""

import itertools
from collections.abc import Iterator
from html import escape

from tests.walk import YOURS, Visit

# All lengths in pixels, at full size.
WIDTH, LINE, INDENT, MARGIN, HEAD, GAP = 440, 22, 16, 10, 30, 30
LETTER = 7.8  # the width of a letter of code


def describe(visits: list[Visit]) -> str:
    """Return in words what the picture shows."""
    return " ".join(
        f"Tick {number}, with {_in_queue(one)} in the ready queue: "
        + ", ".join(f"{_name(visit)}{_passes(visit)}" for visit in [one, *calls])
        + "."
        for number, one, calls in _ticks(visits)
    )


def draw(visits: list[Visit], title: str) -> str:
    """Return an `<svg>` element, whose text alternative is `title` and `describe(visits)`."""
    body: list[str] = []
    y = 0.0
    for number, one, calls in _ticks(visits):
        height = HEAD + LINE * (len(calls) + 1) + MARGIN
        body.append(f'<rect x="1" y="{y + 1:g}" width="{WIDTH - 2}" height="{height:g}" rx="8"/>')
        body.append(
            _text(
                f"Tick {number}. Ready queue: {_in_queue(one)}", MARGIN, y + 20, "bold", "inherit"
            )
        )
        top = y + HEAD
        lines = [one, *calls]
        for row, visit in enumerate(lines):
            middle = top + LINE * row + LINE / 2
            x = MARGIN + INDENT * visit.depth
            if visit.depth:  # a line down from the caller, and to the right
                caller = max(n for n in range(row) if lines[n].depth == visit.depth - 1)
                start = top + LINE * caller + LINE - 2
                body.append(f'<path opacity="0.5" d="M{x - 10:g} {start:g}V{middle:g}H{x - 2:g}"/>')
            weight = "bold" if visit.file == YOURS else "normal"
            body.append(_text(_name(visit), x, middle + 5, weight))
            after = x + LETTER * len(_name(visit)) + 8
            if visit.passes:
                body.append(_text(_passes(visit).strip(), after, middle + 5, "bold", "inherit"))
            body.append(
                f'<text x="{WIDTH - MARGIN}" y="{middle + 5:g}" text-anchor="end" opacity="0.75"'
                f' font-size="12" fill="currentColor" stroke="none">{escape(visit.file)}</text>'
            )
        y += height + GAP
        if number < visits[-1].tick:  # on to the next tick
            middle = WIDTH / 2
            body.append(f'<path d="M{middle:g} {y - GAP + 3:g}V{y - 4:g}"/>')
            body.append(f'<path d="M{middle - 5:g} {y - 10:g}l5 7l5 -7"/>')
    return "\n".join(
        [
            f'<svg class="walk-picture" viewBox="0 0 {WIDTH} {y - GAP + 2:g}" role="img"',
            '  aria-labelledby="walk-picture-title walk-picture-text"',
            f'  style="display: block; margin: 1em auto; max-width: 100%; width: {WIDTH + 60}px"',
            '  fill="none" stroke="currentColor" stroke-width="1.2"',
            '  font-family="inherit" font-size="13">',
            f'<title id="walk-picture-title">{escape(title)}</title>',
            f'<desc id="walk-picture-text">{escape(describe(visits))}</desc>',
            *body,
            "</svg>",
        ]
    )


def _ticks(visits: list[Visit]) -> Iterator[tuple[int, Visit, list[Visit]]]:
    """Yield the number of each tick, the call that is the tick, and the calls inside it."""
    for number, group in itertools.groupby(visits, key=lambda visit: visit.tick):
        one, *calls = group
        yield number, one, calls


def _in_queue(visit: Visit) -> str:
    return ", ".join(visit.queue or ()) or "nothing"


def _name(visit: Visit) -> str:
    return f"{visit.name.removeprefix('BaseEventLoop.')}()"


def _passes(visit: Visit) -> str:
    return f" {visit.passes}" if visit.passes else ""


def _text(text: str, x: float, y: float, weight: str, family: str = "monospace") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-weight="{weight}" font-family="{family}"'
        f' fill="currentColor" stroke="none">{escape(text)}</text>'
    )
