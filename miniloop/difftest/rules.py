"""Which rule a difference breaks, where that can be told from the shrunk program.

A guess by what the program is made of: the first entry whose operations all stand in it.
"""

from __future__ import annotations

from .compare import Difference
from .programs import operations

RULES: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(names.split()), rule)
    for names, rule in {
        "debug": "in debug mode what cannot be called is refused at once",
        "eager": "an eager task takes its first step inside create_task()",
        "handle_cancel call_soon": "a handle that was cancelled does not run",
        "handle_cancel call_later": "a timer that was cancelled does not run",
        "call_later call_soon": "timers that are due go behind what was ready before",
        "call_at call_soon": "timers that are due go behind what was ready before",
        "call_later sleep": "timers run in the order of their deadlines, after what was ready",
        "call_later ticks": "timers run in the order of their deadlines, after what was ready",
        "each_left": "an async generator that is left is closed by a task of the loop",
        "one_of": "an async generator that is left is closed by a task of the loop",
        "from_thread": "call_soon_threadsafe() queues behind what was ready before",
        "threadsafe context_set": "call_soon_threadsafe() takes the context along",
        "remove_reader": "remove_reader() returns whether there was a reader",
        "add_writer": "remove_writer() returns whether there was a writer",
        "remove_writer": "remove_writer() returns whether there was a writer",
        "add_reader": "descriptors are looked at once a tick, and queue behind what was ready",
    }.items()
)
TIMERS = {"call_later", "call_at"}
DUE_TIMERS = "timers that are due go behind what was ready before"
STOPS = "stop() runs out the batch, and nothing that the batch adds"


def rule_broken(difference: Difference) -> str | None:
    """The rule, or None where none is known."""
    program = difference.program
    if program is None:
        return None
    if any(event.who == "process" for event in difference.right.events):
        return None
    used = {op[0] for op in operations(program.phases)}
    for _, block in program.functions:
        used.update(op[0] for op in operations(block))
    if goes_on(difference):
        return STOPS
    at = first_event(difference)
    left, right = (
        side.events[at] if at < len(side.events) else None
        for side in (difference.left, difference.right)
    )
    if left and right and "cancel_left" in used and left.what.startswith("throw Cancelled"):
        return STOPS  # a step more had been taken when the loop had stopped
    if left and right and "#" in left.who and right.what.startswith("k") and used & TIMERS:
        return DUE_TIMERS
    for names, rule in RULES:
        if names <= used:
            return rule
    return None


def first_event(difference: Difference) -> int:
    """The number of the first event that differs."""
    left, right = difference.left.events, difference.right.events
    for number, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return number
    return min(len(left), len(right))


def goes_on(difference: Difference) -> bool:
    """Whether the right loop still runs something where the left one has returned to the caller."""
    left, right = difference.left.events, difference.right.events
    at = first_event(difference)
    returned = at == len(left) or left[at].who == "main" or left[at].what.startswith("main.")
    inside = at < len(right) and right[at].who not in ("main", "process", "handler")
    return returned and inside and not right[at].what.startswith("main.")
