"""A trace in the JSON that ui.perfetto.dev and chrome://tracing read.

Each task is a thread. On virtual time a step takes no time at all, so each is drawn STEP
microseconds long, one after the other: what is true is the order, and the waits between.
"""

from __future__ import annotations

import json
from typing import Any

from .document import Document

STEP = 100.0
"""Microseconds for which a step is drawn."""

PROCESS, LOOP, FIRST_TASK = 1, 1, 2
"""The number of the process, and those of the threads: of the loop and its callbacks, and of the
tasks. Perfetto takes the thread with its process's number for the main one, and 0 for none."""


def rendered(document: Document) -> str:
    """Return the events as JSON."""
    events: list[dict[str, Any]] = [
        named("process_name", LOOP, f"{document['script']} on {document['loop']}"),
        named("thread_name", LOOP, "the loop"),
    ]
    events += [
        named("thread_name", number + FIRST_TASK, task["name"])
        for number, task in enumerate(document["tasks"])
    ]
    began = times(document)
    waiting: dict[str, tuple[float, str]] = {}
    for index, step in enumerate(document["steps"]):
        if step["kind"] == "end":
            continue
        thread = step["task"] + FIRST_TASK if "task" in step else LOOP
        start = began[index]
        if "task" in step:
            end_wait(events, waiting, step["task"], start)
        name = step["kind"]
        if "entry" in step:
            name = document["entries"][step["entry"]]["label"]
        args = {"say": step["say"], "tick": step["tick"], "step": index}
        if "line" in step:
            args["line"] = step["line"]
        last = began[index + 1] if step["kind"] == "wait" else start + STEP
        events.append(slice_of(name, step["kind"], thread, start, last - start, args))
        for number in step["do"].get("push", ()):
            events.append(flow("s", number, thread, start + STEP / 2))
        if "entry" in step:
            events.append({**flow("f", step["entry"], thread, start), "bp": "e"})
        for key, view in step["do"].get("tasks", {}).items():
            if view is not None and view["state"] == "waiting":
                waiting[key] = (start + STEP, view["for"])
    last = began[-1]
    for key in list(waiting):
        end_wait(events, waiting, int(key), last)
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}) + "\n"


def times(document: Document) -> list[float]:
    """Return when each step begins, in microseconds: none before the one before has ended."""
    now, found = 0.0, []
    for step in document["steps"]:
        now = max(now, step["time"] * 1e6)
        found.append(now)
        now += STEP
    return found


def end_wait(
    events: list[dict[str, Any]], waiting: dict[str, tuple[float, str]], task: int, now: float
) -> None:
    """Draw the wait of a task that is over."""
    found = waiting.pop(str(task), None)
    if found is not None and now > found[0]:
        name = f"waits for {found[1]}"
        events.append(slice_of(name, "waiting", task + FIRST_TASK, found[0], now - found[0], {}))


def named(kind: str, thread: int, name: str) -> dict[str, Any]:
    """Return an event that gives the process or a thread its name."""
    return {"ph": "M", "name": kind, "pid": PROCESS, "tid": thread, "args": {"name": name}}


def slice_of(
    name: str, kind: str, thread: int, start: float, length: float, args: dict[str, Any]
) -> dict[str, Any]:
    """Return an event with a beginning and a length."""
    return {
        "ph": "X",
        "name": name,
        "cat": kind,
        "pid": PROCESS,
        "tid": thread,
        "ts": start,
        "dur": length,
        "args": args,
    }


def flow(phase: str, number: int, thread: int, time: float) -> dict[str, Any]:
    """Return one end of the arrow from a cause to its effect."""
    return {
        "ph": phase,
        "name": "cause",
        "cat": "cause",
        "id": number,
        "pid": PROCESS,
        "tid": thread,
        "ts": time,
    }
