"""A trace as text, for a person who asks why things ran in this order.

`explained()` tells a run tick by tick. `chain()` follows the causes of one step back to the start.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from . import words
from .document import Document, state_after
from .places import cut

SHOWN = 150
"""Steps of the program that are shown, unless all are asked for."""

NUMBER_WIDTH = 4


def rendered(document: Document) -> str:
    """Return a trace as text, with all that the loop did."""
    return "\n".join(explained(document, everything=True)) + "\n"


class Source:
    """The lines of the program's files."""

    def __init__(self, document: Document) -> None:
        self._files = [file["source"].splitlines() for file in document["files"]]
        self._names = [file["name"] for file in document["files"]]

    def text(self, place: dict[str, Any]) -> str:
        """Return the text of the line that a `line` and a `file` name, without its indentation."""
        line, file = place.get("line"), place.get("file", 0)
        if line is None or line > len(self._files[file]):
            return ""
        return str(self._files[file][line - 1]).strip()

    def name(self, place: dict[str, Any]) -> str:
        """Return the name of the file, if it is not the script."""
        file = place.get("file", 0)
        return f" of {self._names[file]}" if file else ""


def explained(document: Document, *, everything: bool = False) -> Iterator[str]:
    """Yield the lines that tell a run, tick by tick.

    `everything` includes what the loop does for itself, and all steps of a long run.
    """
    source = Source(document)
    steps = document["steps"]
    yield f"{document['script']} on {document['loop']}, on {document['clock']} time"
    yield ""
    folded: list[int] = []  # ticks of which nothing was shown
    shown = 0
    for first, last in ticks(document):
        own = [index for index in range(first, last) if tells(document, index)]
        if everything:
            own = list(range(first, last))
        if not own:
            if steps[first]["kind"] == "wait":
                folded.append(first)
            continue
        if shown >= SHOWN and not everything:
            left = sum(tells(document, index) for index in range(first, len(steps)))
            yield f"({left} more steps; --all shows them)"
            yield ""
            break
        yield from fold(document, folded)
        folded = []
        yield from tick(document, first, own, source, everything)
        yield ""
        shown += len(own)
    else:
        yield from fold(document, folded)
    yield from ending(document)


def ticks(document: Document) -> Iterator[tuple[int, int]]:
    """Yield the first step of each tick, and of what lies between, and the first behind it."""
    steps = document["steps"]
    first = 0
    for index, step in enumerate(steps):
        if index > first and step["kind"] in ("wait", "outside", "end"):
            yield first, index
            first = index


def tells(document: Document, index: int) -> bool:
    """Return True if a step is one that the program has a part in."""
    step = document["steps"][index]
    if step["kind"] == "outside":
        return "out" in step["do"] or any(
            task["made"] == index and "library" not in task for task in document["tasks"]
        )
    if step["kind"] not in ("run", "eager", "back"):
        return False
    if "out" in step["do"]:
        return True
    if "task" in step:
        return "library" not in document["tasks"][step["task"]]
    if "entry" not in step:
        return True
    entry = document["entries"][step["entry"]]
    if "library" not in entry:
        return True
    # A hop of the library's is worth telling if it leads on to a task of the program.
    return any(
        not is_library(document, document["entries"][number])
        for number in step["do"].get("push", ())
    )


def is_library(document: Document, entry: dict[str, Any]) -> bool:
    """Return True if an entry is nothing of the program's."""
    if entry["kind"] == "task":
        return "library" in document["tasks"][entry["task"]]
    return "library" in entry


def fold(document: Document, folded: list[int]) -> Iterator[str]:
    """Yield one line for ticks of which nothing is shown."""
    if folded:
        steps = document["steps"]
        first, last = steps[folded[0]]["tick"], steps[folded[-1]]["tick"]
        which = f"tick {first}" if first == last else f"ticks {first} to {last}"
        if steps[folded[0]]["timeout"] is None and folded[0] + 2 == len(steps):
            yield f"{which}: nothing is ready, and no timer is set"
            yield ""
            return
        yield f"{which}: only the loop's own work (--all shows it)"
        yield ""


def tick(
    document: Document, first: int, own: list[int], source: Source, everything: bool
) -> Iterator[str]:
    """Yield the lines of one tick."""
    steps = document["steps"]
    head = steps[first]
    if head["kind"] == "wait":
        yield headline(document, first)
    else:
        yield "outside the loop"
    for index in own:
        step = steps[index]
        if step["kind"] in ("run", "eager", "back"):
            yield from told(document, index, source)
        elif step["kind"] == "outside":
            yield from output(document, index)
        elif everything and step["kind"] != "wait":
            yield f"  {step['say']}"


def headline(document: Document, first: int) -> str:
    """Return what a tick begins with: the wait, the time and the batch."""
    steps = document["steps"]
    wait = steps[first]
    last = first
    while last + 1 < len(steps) and steps[last + 1]["kind"] in ("descriptors", "due"):
        last += 1
    ready = state_after(document, last)["ready"]
    names = [short_label(document, number) for number in ready]
    shown = ", ".join(names[:6]) + (f", and {len(names) - 6} more" if len(names) > 6 else "")
    timeout = wait["timeout"]
    waits = ""
    if timeout is None or timeout > 0:
        woken = words.woken_by(steps[first + 1], document["entries"])
        limit = "" if timeout is None else f"{timeout:g} s"
        if woken:
            waits = f"waits for {woken}{limit and ', at most '}{limit}; "
        else:
            waits = f"waits {limit or 'for the outside world'}; "
    return (
        f"tick {wait['tick']}, at {steps[last]['time']:.3f} s: {waits}ready: {shown or 'nothing'}"
    )


def short_label(document: Document, number: int) -> str:
    """Return an entry in a word or two: a task's name, or what a callback does."""
    entry = document["entries"][number]
    if entry["kind"] == "task":
        return str(document["tasks"][entry["task"]]["name"])
    return f"({entry['label']})"


def told(document: Document, index: int, source: Source) -> Iterator[str]:
    """Yield the lines of one step: who runs and why, the source lines, what it prints."""
    step = document["steps"][index]
    task = step.get("task")
    entry = document["entries"][step["entry"]] if "entry" in step else None
    thrown = f", and {step['throws']} is thrown in" if "throws" in step else ""
    if "thrown" in step:
        thrown += f" because {step['thrown']['why']}"
    shared = in_context(document, step)
    if step["kind"] == "back":
        yield f"  {who(document, step)}: goes on where it was interrupted by the eager task"
    elif entry is None:
        yield f"  {who(document, step)}: starts at once, inside the step that made it (eager)"
    elif "skipped" in step:
        yield f"  ({entry['label']}): does not run, because it was cancelled"
    elif task is None:
        yield f"  ({entry['label']}): runs because {entry['why']}{shared}"
    else:
        runs = "has its turn" if thrown and starts(document, step) else "runs"
        yield f"  {who(document, step)}: {runs} because {entry['why']}{thrown}{shared}"
    if task is None:
        yield from output(document, index)
        return
    if step["kind"] != "back" and "line" in step:
        if not starts(document, step):
            yield line_of(source, "goes on in", step)
        else:
            yield line_of(source, "never begins" if "throws" in step else "starts in", step)
    yield from output(document, index)
    view = step["do"].get("tasks", {}).get(str(task), {"state": ""})
    if view is None:
        row = document["tasks"][task]
        plain = row["how"] == "done" and row["value"] == "None"
        yield f"      {'ends' if plain else END_WORDS[row['how']].format(row['value'])}"
    elif view["state"] == "running":
        yield line_of(source, "is still in", view)
    elif view["state"] == "ready" and "line" in view:
        if view.get("cancel") and words.entry_of_own(step, document["entries"]):
            more = "   (its own cancellation ends the wait at once)"
            yield line_of(source, "waits in", view, more)
        else:
            yield line_of(source, "gives way in", view)
    elif "for" in view:
        yield line_of(source, "waits in", view, f"   for {view['for']}")


END_WORDS = {"done": "ends, and returns {}", "failed": "fails with {}", "cancelled": "is cancelled"}


def starts(document: Document, step: dict[str, Any]) -> bool:
    """Return True if a task's step is its first."""
    if step["kind"] == "eager":
        return True
    return bool(document["entries"][step["entry"]]["cause"]["kind"] == "create_task")


def in_context(document: Document, step: dict[str, Any]) -> str:
    """Return whose context a callback or a task's first step runs in, if that is not its own."""
    if step["kind"] == "back":
        return ""
    holder = document["entries"][step["entry"]] if "entry" in step else {}
    if "task" in step and starts(document, step):
        holder = document["tasks"][step["task"]]
    owner = holder.get("context")
    if owner is None:
        return ""
    if "task" in owner:
        return f", in the context of {document['tasks'][owner['task']]['name']}"
    return f", in the same context as ({document['entries'][owner['entry']]['label']})"


def who(document: Document, step: dict[str, Any]) -> str:
    """Return the name of the task whose step it is."""
    task = step.get("task")
    return "the callback" if task is None else str(document["tasks"][task]["name"])


def line_of(source: Source, what: str, place: dict[str, Any], more: str = "") -> str:
    """Return a line of the source, and what happens there."""
    number = place.get("line")
    if number is None:
        return f"      {what.removesuffix(' in')}{more}"
    return f"      {what:<13} {number:>{NUMBER_WIDTH}}  {source.text(place)}{more}"


def output(document: Document, index: int) -> Iterator[str]:
    """Yield what a step sets and prints, and what the exception handler was told in it.

    It is told in the order in which it has happened. Tasks that are made outside the loop are told,
    too.
    """
    step = document["steps"][index]
    made = [row["name"] for row in document["tasks"] if row["made"] == index]
    lines = {
        "make": [
            f"  the program makes the task {name}." for name in made if step["kind"] == "outside"
        ],
        "set": [
            f"      sets   │ {row['name']} = {row.get('value', '(nothing)')}"
            for row in step.get("sets", ())
        ],
        "print": [
            f"      prints │ {row['text']}" for row in document["output"] if row["step"] == index
        ],
        "report": [
            f"      reports │ {row['text']}" for row in document["reports"] if row["step"] == index
        ],
    }
    for kind in step.get("did", ()):
        if lines.get(kind):
            yield lines[kind].pop(0)
    for rest in lines.values():
        yield from rest


def ending(document: Document) -> Iterator[str]:
    """Yield how the run has ended, and what still waits."""
    end = document["end"]
    time = document["steps"][-1]["time"]
    yield f"{sentence(end['say'])} ({time:.3f} s)"
    for report in end.get("reports", ()):
        yield f"At the end Python reports: {report}"
    if end["waiting"]:
        yield ""
        yield from still_waiting(document)


def still_waiting(document: Document, where: str = "") -> Iterator[str]:
    """Yield the tasks that still wait, for what, and the rings in which they wait for each other.

    `where` may name the loop, if there are two (` on asyncio`).
    """
    source = Source(document)
    end = document["end"]
    yield f"Still waiting{where}:"
    names = [row["name"] for row in document["tasks"]]
    width = max(len(names[row["task"]]) for row in end["waiting"])
    for row in end["waiting"]:
        line = row.get("line", "")
        yield (
            f"  {names[row['task']]:<{width}}  {line:>{NUMBER_WIDTH}}  {source.text(row)}"
            f"   for {row['for']}"
        )
    for ring in end["ring"]:
        yield ""
        if len(ring) == 1:
            yield f"{names[ring[0]]} waits for itself."
            continue
        pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
        links = [f"{names[one]} waits for {names[other]}" for one, other in pairs]
        yield f"They wait for each other in a ring: {', '.join(links)}."


def sentence(text: str) -> str:
    """Return text with a capital letter in front and a full stop behind."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else text + "."


# -- why -----------------------------------------------------------------------------------------


class NoSuchStep(ValueError):
    """Raised for a step that is not in the trace; the text says what there is."""


def step_named(document: Document, name: str) -> tuple[int, str]:
    """Return the step that TASK@TICK or LINE names, and a remark if there are others.

    Raises NoSuchStep if there is none.
    """
    if name.isdecimal():
        return step_at_line(document, int(name))
    task, at, tick_text = name.rpartition("@")
    if not at or not tick_text.isdecimal():
        raise NoSuchStep(f"--why takes TASK@TICK or a line number, and {name!r} is neither")
    tick_number = int(tick_text)
    names = [row["name"] for row in document["tasks"]]
    if task not in names:
        shown = ", ".join(row["name"] for row in document["tasks"] if "library" not in row)
        raise NoSuchStep(f"there is no task {task!r}; there are {cut(shown, 200)}")
    found = [
        index
        for index, step in enumerate(document["steps"])
        if step.get("task") == names.index(task) and step["kind"] in ("run", "eager")
    ]
    here = [index for index in found if document["steps"][index]["tick"] == tick_number]
    if not here:
        at_ticks = ", ".join(str(document["steps"][index]["tick"]) for index in found[:20])
        raise NoSuchStep(f"{task} does not run in tick {tick_number}; it runs in {at_ticks}")
    return here[0], ""


def step_at_line(document: Document, line: int) -> tuple[int, str]:
    """Return the first step that has run a line of the script, and a remark on the others."""
    steps = document["steps"]
    printed = {row["step"] for row in document["output"] if row.get("line") == line}
    printed -= {index for index in printed if steps[index].get("file")}
    first, last = function_around(document["files"][0]["source"], line)
    found = [
        index
        for index, step in enumerate(steps)
        if index in printed
        or (step["kind"] in ("run", "eager") and "task" in step and covers(step, line, first, last))
    ]
    exact = [index for index in found if index in printed] or found
    if not exact:
        raise NoSuchStep(f"no step of a task has run line {line}")
    names = [
        f"{document['tasks'][steps[index]['task']]['name']}@{steps[index]['tick']}"
        for index in exact[1:6]
        if "task" in steps[index]
    ]
    if not names:
        return exact[0], ""
    more = ", ..." if len(exact) > 6 else ""
    return exact[0], f"Line {line} has run {len(exact)} times; others: {', '.join(names)}{more}"


def covers(step: dict[str, Any], line: int, first: int, last: int) -> bool:
    """Return True if a step goes over a line: it begins in the same function, not behind it."""
    begin = step.get("line")
    if begin is None or "file" in step or not first <= begin <= last:
        return False
    view = step["do"].get("tasks", {}).get(str(step["task"]))
    end = last if view is None else view.get("line", last)
    if not first <= end <= last:
        end = last
    return begin <= line <= end if begin <= end else line >= begin or line <= end


def function_around(source: str, line: int) -> tuple[int, int]:
    """Return the first and last line of the innermost function around a line."""
    found = (1, len(source.splitlines()) or 1)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return found
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            last = node.end_lineno or node.lineno
            if node.lineno <= line <= last and node.lineno >= found[0]:
                found = node.lineno, last
    return found


def chain(document: Document, index: int) -> list[int]:
    """Return a step, the step that has caused it, and so on to the start."""
    steps = [index]
    while True:
        step = document["steps"][steps[-1]]
        if step["kind"] == "back":
            following = step["of"]
        elif "cause" in step:
            following = step["cause"]["step"]
        elif "entry" in step:
            following = document["entries"][step["entry"]]["cause"]["step"]
        else:
            return steps
        if following >= steps[-1]:
            return steps
        steps.append(following)


def chain_told(document: Document, index: int) -> Iterator[str]:
    """Yield the lines that tell why a step ran: each cause, back to the start."""
    source = Source(document)
    steps = document["steps"]
    links = chain(document, index)
    first = steps[index]
    yield f"Why does {of(document, first)} run in tick {first['tick']}, at {first['time']:.3f} s?"
    for one in links:
        step = steps[one]
        if step["kind"] == "outside":
            yield "  start: the program, outside the loop"
            continue
        yield ""
        what = "goes on" if "task" in step else "runs"
        if "task" in step and step["kind"] != "back" and starts(document, step):
            what = "never begins" if "throws" in step else "starts"
        place = (
            f", line {step['line']}{source.name(step)}: {source.text(step)}"
            if "line" in step
            else ""
        )
        yield f"  tick {step['tick']}: {of(document, step)} {what}{place}"
        why = why_of(document, step)
        if why:
            yield f"    because {why}"
            cause = cause_of(document, step)
            if "line" in cause and cause["line"] != step.get("line"):
                yield f"    {cause['line']:>{NUMBER_WIDTH}}  {source.text(cause)}"
        if "thrown" in step:
            yield f"    and {step['throws']} is thrown in because {step['thrown']['why']}"
            cause = step["thrown"]["cause"]
            if "line" in cause:
                yield f"    {cause['line']:>{NUMBER_WIDTH}}  {source.text(cause)}"


def of(document: Document, step: dict[str, Any]) -> str:
    """Return what runs in a step."""
    if "task" in step:
        return str(document["tasks"][step["task"]]["name"])
    if "entry" in step:
        return f"the callback “{document['entries'][step['entry']]['label']}”"
    return "the loop" if step["kind"] != "outside" else "the program"


def cause_of(document: Document, step: dict[str, Any]) -> dict[str, Any]:
    """Return the cause of a step, empty if it has none."""
    if "entry" in step:
        return dict(document["entries"][step["entry"]]["cause"])
    return dict(step.get("cause", {}))


def why_of(document: Document, step: dict[str, Any]) -> str:
    """Return why a step runs, in words."""
    if "entry" in step:
        return str(document["entries"][step["entry"]]["why"])
    if step["kind"] == "eager":
        return re.sub(r"^.*inside the step that made it: (.*?)\. .*$", r"\1", step["say"])
    if step["kind"] == "back":
        return "the eager task has given control back"
    return ""
