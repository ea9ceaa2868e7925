"""The trace as one document: made of what a `Watch` has told, and replayed.

`assemble()` makes the dict that is written as JSON (its form is in `schema.json`, and in the docs
under Traces). `state_after()` replays it.
"""

from __future__ import annotations

import bisect
import platform
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import miniloop

from . import words
from .account import Account
from .machine import machine

FORMAT, VERSION = "miniloop-trace", 1

Document = dict[str, Any]

KEPT = {
    *("kind", "tick", "time", "entry", "task", "line", "file"),
    *("throws", "thrown", "skipped", "sets", "inside", "of", "cause"),
}
"""Fields of a step that go into the document as they are."""


def assemble(
    facts: Iterable[Any],
    script: str = "",
    loop: str = "miniloop",
    clock: str = "virtual",
    broken_off: tuple[str, str] | None = None,
    printed: Sequence[str] = (),
    last_reports: Sequence[str] = (),
) -> Document:
    """Return the document that the facts of a watch make.

    `broken_off` says how the run has ended (a kind, and a sentence) if its watch could not tell,
    and `printed` what the program has printed in all: the last step of such a run was not over.
    `last_reports` are what destructors had to say, as a `Schedule` has it.
    """
    files: list[dict[str, str]] = []
    tasks: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    keyframes: list[dict[str, Any]] = []
    output: list[dict[str, Any]] = []
    reports: list[dict[str, Any]] = []
    end: dict[str, Any] = {}
    account = Account()
    for kind, *values in account.told(facts):
        if kind == "file":
            name, path = values
            files.append({"name": name, "source": _source(path)})
        elif kind == "keyframe":
            keyframes.append({"step": values[0], "state": values[1]})
        elif kind == "step":
            _add_step(values[0], account.names, tasks, entries, steps, output, reports)
        elif kind == "end":
            end = ended(*values)
    document: Document = {
        "format": FORMAT,
        "version": VERSION,
        "miniloop": miniloop.__version__,
        "python": platform.python_version(),
        "loop": loop,
        "script": script,
        "clock": clock,
        "files": files or [{"name": script, "source": ""}],
        "machine": machine(loop),
        "tasks": tasks,
        "entries": entries,
        "steps": steps,
        "keyframes": keyframes,
        "output": output,
        "reports": reports,
        "end": end,
    }
    if not end:
        kind, say = broken_off or ("finished", "The program has ended.")
        document["end"] = ended(kind, say)
        _add_unfinished(document, printed)
    if last_reports:
        # Which other things a report names is for `compare`.
        document["end"]["reports"] = [
            re.sub(r"(, (no )?[a-z_]+)+$", "", one) for one in last_reports
        ]
    _add_end(document)
    return document


def ended(kind: str, text: str) -> dict[str, Any]:
    """Return how a run has ended, with a sentence for people, from what the recorder says of it."""
    if kind == "deadlock":
        text = f"The program {text.partition('; waiting:')[0]}"
    elif kind in ("endless", "hang"):
        text = f"The program was {text}" if text.startswith("still") else f"The program {text}"
    text = text[:1].upper() + text[1:]
    return {"kind": kind, "say": text if text.endswith(".") else f"{text}."}


def _add_unfinished(document: Document, printed: Sequence[str]) -> None:
    """Add the step in which the process was ended, if it was in the middle of one."""
    steps, output = document["steps"], document["output"]
    if not steps:
        return
    state = state_after(document, len(steps) - 1)
    do: dict[str, Any] = {}
    step = {key: steps[-1][key] for key in ("tick", "time")} | {"kind": "outside", "at": "outside"}
    if state["batch"] and state["ready"]:
        number = state["ready"][0]
        entry = document["entries"][number]
        task = entry.get("task") if entry["kind"] == "task" else None
        step |= {"kind": "run", "entry": number, "at": "callback" if task is None else "send"}
        name = entry["label"]
        if task is not None:
            step["task"] = task
            name = document["tasks"][task]["name"]
            view = state["tasks"].get(str(task), {})
            step |= {key: view[key] for key in ("line", "file") if key in view}
        step["say"] = f"{name} runs: {entry['why']}. It was still at work when the run ended."
        do["pop"] = 1
    else:
        step["say"] = "The program was still at work outside the loop when the run ended."
    if "task" in step and (place := re.search(r" in line (\d+)", document["end"]["say"])):
        do["tasks"] = {str(step["task"]): {"state": "running", "line": int(place[1])}}
    rest = printed[len(output) :]
    output += [{"step": len(steps), "task": step.get("task"), "text": text} for text in rest]
    if rest:
        do["out"] = len(rest)
    if do:
        steps.append({**step, "do": do})


def _source(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def _add_step(
    seen: dict[str, Any],
    names: list[str],
    tasks: list[dict[str, Any]],
    entries: list[dict[str, Any]],
    steps: list[dict[str, Any]],
    output: list[dict[str, Any]],
    reports: list[dict[str, Any]],
) -> None:
    index = len(steps)
    for number, row in seen.get("made", ()):
        if number == len(tasks):
            tasks.append({**row, "made": index})
        else:
            tasks[number].update(row)
    for number, row in seen.get("named", ()):
        tasks[number].update(row)
    for number, owner in seen.get("contexts", ()):
        tasks[number]["context"] = owner
    for number, how, value in seen.get("ended", ()):
        tasks[number].update(ended=index, how=how, value=value)
    for number, entry in seen.get("entries", ()):
        assert number == len(entries)
        entries.append({key: value for key, value in entry.items() if key != "reason"})
    for number in seen.get("push", ()):
        entries[number]["at"] = index
    for number in seen.get("void", ()):
        entries[number].setdefault("cancelled", index)
    output += [{"step": index, **row} for row in seen.get("out", ())]
    reports += [{"step": index, "text": text} for text in seen.get("reports", ())]
    if steps and steps[-1]["kind"] == "wait" and steps[-1]["timeout"] != 0:
        woken = words.woken_by(seen, entries)
        if woken:
            steps[-1]["say"] = words.limited(steps[-1]["timeout"], woken)
    step = {key: value for key, value in seen.items() if key in KEPT and value is not None}
    if seen["kind"] == "wait":
        step["timeout"] = seen["timeout"]
    if len(set(seen.get("did", ()))) > 1:
        step["did"] = seen["did"]
    step["at"] = _at(seen)
    step["say"] = words.sentence(seen, names, entries, seen.get("why", ""))
    do: dict[str, Any] = {}
    for key in ("pop", "push", "heap"):
        if seen.get(key):
            do[key] = seen[key]
    if "batch" in seen:
        do["batch"] = seen["batch"]
    if "tasks" in seen:
        do["tasks"] = {str(number): view for number, view in seen["tasks"].items()}
    if "out" in seen:
        do["out"] = len(seen["out"])
    step["do"] = do
    steps.append(step)


def _at(seen: dict[str, Any]) -> str:
    if seen["kind"] in ("run", "eager", "back"):
        if seen.get("task") is None:
            return "callback"
        return "throw" if "throws" in seen else "send"
    return str(seen["kind"])


def _add_end(document: Document) -> None:
    """Add the last step, and what is still waiting."""
    steps, end = document["steps"], document["end"]
    state = state_after(document, len(steps) - 1) if steps else None
    waiting = []
    on: dict[int, list[int]] = {}
    for key, view in (state["tasks"] if state else {}).items():
        if end["kind"] in ("finished", "exception", "exit") or document["tasks"][int(key)].get(
            "library"
        ):
            continue
        place = {name: view[name] for name in ("line", "file") if name in view}
        what = view.get("for", "its turn")
        if view["state"] == "running":
            what = "nothing: it is at work"
        waiting.append({"task": int(key), **place, "for": what})
        on[int(key)] = view.get("on", [])
    end["waiting"] = waiting
    end["ring"] = rings(on)
    last = steps[-1] if steps else {"tick": 0, "time": 0.0}
    steps.append(
        {
            "kind": "end",
            "tick": last["tick"],
            "time": last["time"],
            "at": "end",
            "say": end["say"],
            "do": {},
        }
    )


def rings(on: dict[int, list[int]]) -> list[list[int]]:
    """Return the rings of tasks each of which waits for the next, and the last for the first."""
    found: list[list[int]] = []
    in_ring: set[int] = set()
    for start in on:
        path: list[int] = []
        stack = [(start, iter(on[start]))]
        seen = {start}
        path.append(start)
        while stack:
            _, following = stack[-1]
            for one in following:
                if one == start:
                    if not in_ring & set(path):
                        found.append(list(path))
                        in_ring.update(path)
                    stack.clear()
                    break
                if one not in seen and one in on:
                    seen.add(one)
                    path.append(one)
                    stack.append((one, iter(on[one])))
                    break
            else:
                stack.pop()
                path.pop()
    return found


# -- replaying -------------------------------------------------------------------------------------

State = dict[str, Any]


def replayed(state: State, step: dict[str, Any]) -> State:
    """Return the state after a step, given the state before it."""
    do = step["do"]
    ready, batch = list(state["ready"]), state["batch"]
    for _ in range(do.get("pop", 0)):
        ready.pop(0)
        batch = max(0, batch - 1)
    ready += do.get("push", ())
    batch = do.get("batch", batch)
    heap = list(state["heap"])
    change = do.get("heap")
    if change:
        heap = heap[: change["size"]] + [-1] * (change["size"] - len(heap))
        for index, number in change["set"]:
            heap[index] = number
    tasks = dict(state["tasks"])
    for key, view in do.get("tasks", {}).items():
        if view is None:
            tasks.pop(key, None)
        else:
            tasks[key] = view
    return {
        "ready": ready,
        "batch": batch,
        "heap": heap,
        "tasks": tasks,
        "output": state["output"] + do.get("out", 0),
    }


def state_after(document: Document, index: int) -> State:
    """Return the state after step `index`; -1 is the state before step 0."""
    keyframes = document["keyframes"]
    found = bisect.bisect_right(keyframes, index + 1, key=lambda frame: frame["step"]) - 1
    state, first = keyframes[found]["state"], keyframes[found]["step"]
    for step in document["steps"][first : index + 1]:
        state = replayed(state, step)
    return state  # type: ignore[no-any-return]
