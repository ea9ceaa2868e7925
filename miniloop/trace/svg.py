"""A trace as a picture: a lane for each task, ticks from left to right, arrows from causes."""

from __future__ import annotations

from html import escape
from typing import Any

from .document import Document
from .places import cut

MOST = 400
"""Steps that are drawn."""

LEFT, TOP, LANE, STEP, BOX = 150, 54, 44, 34, 22

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #222; }
.small { font-size: 10px; }
.back { fill: #fff; }
.lane, .tick { stroke: #ccc; }
.tick { stroke-dasharray: 3 3; }
.run { fill: #2166ac; }
.loop { fill: #888; }
.wait { stroke: #2166ac; stroke-width: 2; stroke-dasharray: 1 4; stroke-linecap: round; }
.cause { fill: none; stroke: #b35806; }
.head { fill: #b35806; }
.in { fill: #fff; }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd; }
  .back { fill: #16181d; }
  .lane, .tick { stroke: #444; }
  .run { fill: #74add1; }
  .loop { fill: #777; }
  .wait { stroke: #74add1; }
  .cause { stroke: #f4a261; }
  .head { fill: #f4a261; }
  .in { fill: #111; }
}
"""


def rendered(document: Document) -> str:
    """Return the picture."""
    tasks = document["tasks"]
    steps = [
        (index, step)
        for index, step in enumerate(document["steps"])
        if step["kind"] in ("run", "eager", "back") and not hidden(document, step)
    ]
    left_out = len(steps) - MOST
    steps = steps[:MOST]
    lanes = [None, *sorted({step["task"] for _, step in steps if "task" in step})]
    y = {task: TOP + LANE * number + LANE // 2 for number, task in enumerate(lanes)}
    x = {index: LEFT + STEP * number + STEP // 2 for number, (index, _) in enumerate(steps)}
    width = LEFT + STEP * max(1, len(steps)) + 20
    height = TOP + LANE * len(lanes) + 40
    title = f"{document['script']} on {document['loop']}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{text(title)}">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" '
        'markerHeight="6" orient="auto"><path class="head" d="M0 0 6 3 0 6z"/></marker></defs>',
        f'<rect class="back" width="{width}" height="{height}"/>',
        f'<text x="10" y="20">{text(title)}</text>',
    ]
    for task in lanes:
        name = "the loop" if task is None else tasks[task]["name"]
        parts.append(
            f'<line class="lane" x1="{LEFT}" x2="{width}" y1="{y[task]}" y2="{y[task]}"/>'
            f'<text x="10" y="{y[task] + 4}">{text(cut(name, 20))}</text>'
        )
    parts += ticks(steps, x, height)
    parts += waits(document, steps, x, y)
    parts += arrows(document, steps, x, y)
    for index, step in steps:
        lane = step.get("task")
        kind = "loop" if lane is None else "run"
        line = step.get("line", "")
        parts.append(
            f'<g><title>{text(step["say"])}</title><rect class="{kind}" x="{x[index] - BOX // 2}" '
            f'y="{y[lane] - 9}" width="{BOX}" height="18" rx="3"/><text class="small in" '
            f'text-anchor="middle" x="{x[index]}" y="{y[lane] + 4}">{line}</text></g>'
        )
    say = document["end"]["say"]
    if left_out > 0:
        say = f"{left_out} more steps are not drawn. {say}"
    parts.append(f'<text x="10" y="{height - 14}">{text(cut(say, 160))}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def hidden(document: Document, step: dict[str, Any]) -> bool:
    """Return True for what the loop does when it starts and shuts down."""
    if "task" in step:
        return "library" in document["tasks"][step["task"]]
    if "entry" not in step:
        return False
    entry = document["entries"][step["entry"]]
    return "library" in entry and "push" not in step["do"]


def ticks(steps: list[tuple[int, Any]], x: dict[int, int], height: int) -> list[str]:
    """Draw the borders of the ticks."""
    parts, tick = [], 0
    for index, step in steps:
        if step["tick"] != tick:
            tick = step["tick"]
            at = x[index] - STEP // 2
            parts.append(
                f'<line class="tick" x1="{at}" x2="{at}" y1="32" y2="{height - 34}"/>'
                f'<text class="small" x="{at + 3}" y="42">{tick}</text>'
            )
    return parts


def waits(
    document: Document, steps: list[tuple[int, Any]], x: dict[int, int], y: dict[Any, int]
) -> list[str]:
    """Draw how long each task waits, with what it waits for as a tip."""
    parts = []
    since: dict[int, tuple[int, str]] = {}
    for index, step in steps:
        task = step.get("task")
        if task is None:
            continue
        if task in since:
            start, what = since.pop(task)
            parts.append(
                f'<g><title>{text("waits for " + what)}</title><line class="wait" '
                f'x1="{start}" x2="{x[index]}" y1="{y[task]}" y2="{y[task]}"/></g>'
            )
        view = step["do"].get("tasks", {}).get(str(task))
        if view and view["state"] == "waiting":
            since[task] = x[index], view["for"]
    return parts


def arrows(
    document: Document, steps: list[tuple[int, Any]], x: dict[int, int], y: dict[Any, int]
) -> list[str]:
    """Draw an arrow from each step's cause to it."""
    parts = []
    for index, step in steps:
        if "entry" in step:
            cause = document["entries"][step["entry"]]["cause"]["step"]
        elif "cause" in step:
            cause = step["cause"]["step"]
        else:
            continue
        if cause not in x:
            continue
        start, end = y[document["steps"][cause].get("task")], y[step.get("task")]
        from_x, to_x = x[cause] + BOX // 2, x[index] - BOX // 2 - 1
        middle = (from_x + to_x) // 2
        bend = -16 if start == end else 0
        parts.append(
            f'<path class="cause" marker-end="url(#head)" d="M{from_x} {start} C{middle} '
            f'{start + bend} {middle} {end + bend} {to_x} {end}"/>'
        )
    return parts


def text(value: object) -> str:
    """Return text in which nothing is markup, and nothing that XML does not allow."""
    kept = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in str(value))
    return escape(kept)
