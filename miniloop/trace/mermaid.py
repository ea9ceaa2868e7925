"""A trace as a Mermaid sequence diagram: who wakes whom, and why.

Markdown on GitHub, GitLab and in many wikis draws it. Each arrow leads from what has put a task
into the ready queue to the task, and is drawn when the task runs.
"""

from __future__ import annotations

import re
from typing import Any

from .document import Document
from .places import cut

MOST = 300
"""Steps that are drawn: a picture with more of them cannot be read."""

LONGEST = 50_000
"""Characters in a diagram: with its own settings, Mermaid refuses longer ones."""

PLAIN = re.compile(r"[^\w .,()\[\]=+*/'?!-]", re.ASCII)


def rendered(document: Document) -> str:
    """Return the diagram: of as many steps, from the first on, as Mermaid accepts."""
    steps = [
        (index, step)
        for index, step in enumerate(document["steps"])
        if "task" in step
        and step["kind"] in ("run", "eager")
        and "library" not in document["tasks"][step["task"]]
    ]
    most = MOST
    while len(text := diagram(document, steps[:most], max(0, len(steps) - most))) > LONGEST:
        most = most * LONGEST // len(text)
    return text


def diagram(document: Document, drawn: list[tuple[int, Any]], left_out: int) -> str:
    """Return the diagram of these steps."""
    tasks = document["tasks"]
    lines = ["sequenceDiagram", "    participant P as the program", "    participant L as the loop"]
    shown = sorted({step["task"] for _, step in drawn})
    lines += [f"    participant T{task} as {plain(tasks[task]['name'])}" for task in shown]
    tick = 0
    for index, step in drawn:
        if step["tick"] != tick:
            tick = step["tick"]
            over = f"L,T{shown[-1]}"
            lines.append(f"    Note over {over}: tick {tick}, at {step['time']:.3f} s")
        cause, why = cause_of(document, step)
        lines.append(f"    {actor(document, cause, shown)}->>T{step['task']}: {plain(why)}")
        lines += [
            f"    Note over T{step['task']}: prints {plain(row['text'])}"
            for row in document["output"]
            if row["step"] == index
        ]
        view = step["do"].get("tasks", {}).get(str(step["task"]), {})
        if view is None:
            lines.append(f"    Note over T{step['task']}: {plain(tasks[step['task']]['how'])}")
    if left_out:
        lines.append(f"    Note over L: {left_out} more steps are not drawn")
    lines.append(f"    Note over L: {plain(document['end']['say'])}")
    return "\n".join(lines) + "\n"


def cause_of(document: Document, step: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the cause of a task's step, and what to write at its arrow."""
    if "entry" not in step:
        return step["cause"], "starts at once (eager)"
    entry = document["entries"][step["entry"]]
    cause: dict[str, Any] = entry["cause"]
    return cause, entry["why"]


def actor(document: Document, cause: dict[str, Any], shown: list[int]) -> str:
    """Return the participant that a cause belongs to."""
    task = cause.get("task")
    if task in shown:
        return f"T{task}"
    return "P" if document["steps"][cause["step"]]["kind"] == "outside" else "L"


def plain(text: str) -> str:
    """Return text in which nothing has a meaning for Mermaid."""
    text = cut(" ".join(text.split()), 60)
    text = PLAIN.sub(lambda found: f"#{ord(found[0])};", text)
    return re.sub(r"\b(e)(nd)\b", r"#101;\2", text, flags=re.IGNORECASE) or "#160;"
