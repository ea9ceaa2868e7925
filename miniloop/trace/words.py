"""The plain English of a trace: labels of entries, reasons, and a sentence for each step."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .causes import CALLBACKS
from .places import Place, Wait, cut, short

if TYPE_CHECKING:
    from .account import Account

Step = dict[str, Any]
Entry = dict[str, Any]


def who(account: Account, task: int | None) -> str:
    """Return the name of what acts: a task, a callback, or the program outside the loop."""
    if task is not None:
        return account.names[task]
    return "the program" if account.step["kind"] == "outside" else "a callback"


def call_at_line(account: Account, task: int | None, call: str, line: int | None) -> str:
    """Return a clause that says which task or callback has called something, and in which line."""
    name = who(account, task)
    at = "" if line is None else f", line {line}"
    return f"{name}: {call}{at}" if " " in call else f"{name} called {call}(){at}"


def who_called(where: Place | None, call: str, account: Account) -> str:
    """Return a clause that says which task or callback makes the present call."""
    if where is None:
        return in_callback(account, call) or call_at_line(account, account.task, call, None)
    return call_at_line(account, account.task, where.call or call, where.line)


def in_callback(account: Account, kind: str = "") -> str:
    """Return what the running callback of the library does, or nothing if the program runs.

    `kind` is how the callback ends the future that a task waits for.
    """
    entry = account.entry
    if account.task is not None or not entry.get("label"):
        return ""
    if "reason" in entry:
        return str(entry["reason"])
    if entry["cause"]["kind"] == "descriptor" and entry["label"] not in WAKES_LOOP:
        return "its socket or file is ready"
    label = str(entry["label"])
    for counts, reasons in COUNTS.items():
        if label.startswith(counts):
            return f"{reasons.get(kind, reasons[''])}{label.removeprefix(counts)}"
    return label


WAKES_LOOP = {text for name, text in CALLBACKS.items() if name.endswith("._read_from_self")}

COUNTS = {
    "gather counts that ": {
        "": "its gather has all it waits for: ",
        "set_exception": "its gather has failed: ",
    },
    "the TaskGroup counts that ": {
        "": "its TaskGroup has no task left: ",
        "cancel": "its TaskGroup cancels it: ",
    },
    "wait() counts that ": {"": "its wait() is over: "},
    "as_completed notes that ": {"": "as_completed has one more: "},
    "shield passes on that ": {"": "what it shields has ended: "},
}
"""The beginnings of labels of callbacks that count, and what each means to the waiting task."""


def why_done(kind: str, other: int | None, where: Place | None, account: Account) -> str:
    """Return a clause that says why a future has ended."""
    if other is not None:
        return f"{account.names[other]} {ENDS[kind]}"
    if kind == "cancel" and where is not None and where.call == "run":
        return f"run(), line {where.line}, cancels the tasks that are left"
    return who_called(where, kind, account)


ENDS = {
    "task_done": "is done",
    "task_failed": "has failed",
    "task_cancelled": "was cancelled",
    "set_result": "is done",
    "set_exception": "has failed",
    "cancel": "was cancelled",
}
"""How a future has ended, by the kind of cause that its end is."""


def wakes(kind: str, other: int | None, where: Place | None, name: str, account: Account) -> str:
    """Return the label of a task's step that follows from the end of a future."""
    if other is not None:
        return f"{account.names[other]} {ENDS[kind]}: wakes {name}"
    entry = account.entry
    if kind == "cancel":
        return f"cancel: wakes {name}"
    if account.task is None and "reason" in entry:
        return str(entry["label"])
    if where is None and str(entry.get("label", "")).startswith("gather"):
        return f"gather {'is complete' if kind == 'set_result' else 'has failed'}: wakes {name}"
    call = where.call if where is not None and where.call else kind
    return f"{call}: wakes {name}"


def of_callback(
    name: str | None, account: Account, kind: str | None = None, other: int | None = None
) -> str:
    """Return the label of a callback.

    `name` is its qualified name, an empty text if it is a foreign task's step, or None if it was
    cancelled. `kind` and `other` are about the future that it is told of, if there is one: how it
    has ended, and which task it is.
    """
    if name is None:
        return "a callback that was cancelled"
    if not name:
        return "step of a task"
    known = CALLBACKS.get(name)
    if known is None:
        return f"callback {cut(name.replace('.<locals>', ''), 60)}"
    future = "a future" if other is None else account.names[other]
    return known.format(done=f"{future} {ENDS[kind or 'set_result']}")


def of_timer(
    name: str, delay: float, where: Place | None, task: int | None, account: Account
) -> dict[str, Any]:
    """Return the words for a timer that is due in `delay` seconds: in the heap, and when due.

    `name` is the qualified name of its callback.
    """
    whose = "" if task is None else account.names[task]
    call = where.call if where is not None else ""
    at = "" if where is None else f", line {where.line}"
    if name == "_set_result_unless_cancelled" and whose:
        sleep = f"sleep({round(delay, 3):g})"
        return {
            "kind": "timer",
            "label": f"sleep is over: wakes {whose}",
            "heap_label": f"{sleep} of {whose}",
            "why": f"{whose} called {sleep}{at}",
            "reason": f"its {sleep}{at and at + ','} was due",
        }
    if name == "Timeout._on_timeout" and whose:
        return {
            "kind": "timer",
            "label": f"timeout is over: cancels {whose}",
            "heap_label": f"timeout of {whose}",
            "why": f"{whose} set a timeout{at}",
            "reason": f"its timeout{at and at + ','} is over",
        }
    label = CALLBACKS.get(name, "").format(done="") or f"callback {cut(name, 60)}"
    return {
        "kind": "timer",
        "label": label,
        "heap_label": f"{call or 'call_at'}: {label.removeprefix('callback ')}",
        "why": who_called(where, "call_at", account),
    }


def from_outside(cause: dict[str, Any], account: Account) -> str:
    """Return why the callback of a descriptor or signal runs."""
    what = "a signal has come" if cause["kind"] == "signal" else "its descriptor is ready"
    if "line" not in cause:
        return what
    task = cause.get("task")
    name = "the program" if task is None else account.names[task]
    return f"{what}; {name} asked for it, line {cause['line']}"


def from_thread(cause: dict[str, Any], known: bool, account: Account) -> str:
    """Return why a callback runs that a thread has put into the queue."""
    at = f", line {cause['line']}" if "line" in cause else ""
    if not known:
        return f"a thread called call_soon_threadsafe(){at}"
    task = cause.get("task")
    name = "the program" if task is None else account.names[task]
    return f"a thread has done what {name} gave it{at}"


def of_wait(wait: Wait, account: Account) -> str:
    """Return what a task waits for."""
    if not wait.joint or not wait.on:
        return wait.what
    names = [account.names[task] for task in wait.on[:4]] + (["…"] if len(wait.on) > 4 else [])
    return f"{wait.what}{wait.joint}{', '.join(names)}"


def of_error(error: Any) -> str:
    """Return an exception in a few words: its class, and its first argument if that is plain."""
    if isinstance(error, type):
        return error.__name__
    args: Any = getattr(error, "args", ())
    if len(args) == 1 and isinstance(args[0], str | int | float):
        return f"{type(error).__name__}({short(args[0])})"
    return f"{type(error).__name__}()"


def end_of_task(error: BaseException, value: Callable[[object], str]) -> tuple[str, str]:
    """Return how a task has ended, and its result or error as text."""
    if isinstance(error, StopIteration):
        return "done", value(error.value)
    name = type(error).__name__
    return ("cancelled" if name == "CancelledError" else "failed"), cut(of_error(error))


# -- sentences -----------------------------------------------------------------------------------


def sentence(
    step: dict[str, Any], names: list[str], entries: list[dict[str, Any]], why: str = ""
) -> str:
    """Return a sentence that says what happens in a step, and why.

    `names` has the names of the tasks, `entries` all entries so far. `why` is the reason for a step
    that has no entry.
    """
    entry = entries[step["entry"]] if "entry" in step else {"why": why}
    return SENTENCES[step["kind"]](step, entry, names, entries)


def _outside(step: Step, entry: Entry, names: list[str], entries: list[Entry]) -> str:
    does = _does(step)
    return f"Outside the loop: the program {_and(does)}." if does else "Outside the loop."


def _wait(step: Step, entry: Entry, names: list[str], entries: list[Entry]) -> str:
    timeout = step["timeout"]
    if timeout is None:
        return (
            "The loop waits without a time limit: nothing is ready and no timer is set. "
            "Only the outside world can wake it."
        )
    if timeout <= 0:
        return "A new tick: something is ready, so the loop does not wait."
    return f"A new tick: nothing is ready. The loop waits {timeout:g} s for the first timer."


def woken_by(step: Step, entries: list[Entry]) -> str:
    """Return what has ended the wait before a step, if that was something outside the loop.

    Returns an empty text if the wait has come to its own end. `step` is one of a document, or of
    an account.
    """
    if step["kind"] != "descriptors":
        return ""
    pushed = step["do"]["push"] if "do" in step else step["push"]
    kinds = [entries[number]["cause"]["kind"] for number in pushed]
    return f"a {kinds[0]}"


def limited(timeout: float | None, woken: str) -> str:
    """Return a sentence for a wait that was ended from outside. `timeout` was only its limit."""
    limit = "without a time limit" if timeout is None else f"at most {timeout:g} s"
    return f"A new tick: nothing is ready. The loop waits for {woken}, {limit}."


def _descriptors(step: Step, entry: Entry, names: list[str], entries: list[Entry]) -> str:
    return f"{_count(len(step['push']), 'descriptor is', 'descriptors are')} ready: its callback \
joins the queue."


def _due(step: Step, entry: Entry, names: list[str], entries: list[Entry]) -> str:
    labels = [entries[number]["label"] for number in step["push"]]
    shown = "; ".join(labels[:3]) + ("; …" if len(labels) > 3 else "")
    timers = _count(len(step["push"]), "timer is due and moves", "timers are due and move")
    return f"{timers} from the heap to the queue: {shown}."


def _run(step: Step, entry: Entry, names: list[str], entries: list[Entry]) -> str:
    if step.get("task") is None:
        if "skipped" in step:
            label = entry.get("label", "a callback")
            return f"Callback: {label}. It was cancelled, so it does not run."
        does = _does(step)
        more = f" It {_and(does)}." if does else ""
        return f"Callback: {entry.get('label', 'a callback')}. Why: {entry.get('why', '')}.{more}"
    return _task_sentence(step, entry, names, entries)


def _task_sentence(step: Step, entry: Entry, names: list[str], entries: list[Entry]) -> str:
    task = step["task"]
    name = names[task]
    verb = "starts" if step.get("first") else "goes on"
    if step.get("first") and "throws" in step:
        verb = "never begins"
    if step["kind"] == "eager":
        verb = "starts at once, inside the step that made it"
    why = entry.get("why", "")
    at = f" in line {step['line']}" if "line" in step and verb == "goes on" else ""
    here, at = at, "" if at and f"line {step['line']}," in f"{why}," else at
    thrown = blamed = ""
    if "throws" in step:
        thrown = f", and {step['throws']} is thrown in"
        if "thrown" in step:
            thrown, blamed = "", f" {step['throws']} is thrown in: {step['thrown']['why']}."
    does = _does(step)
    views = {int(key): view for key, view in step.get("tasks", {}).items()}  # text, out of JSON
    if task in views:
        view = views[task]
        if view is None:
            how, value = next(
                ((how, value) for number, how, value in step.get("ended", ()) if number == task),
                ("done", ""),
            )
            does.append(_ends(how, value))
        elif view["state"] == "ready":
            line = f" in line {view['line']}" if "line" in view else ""
            cut_short = view.get("cancel") and entry_of_own(step, entries)
            does.append(
                f"waits{line}, and its own cancellation ends the wait at once"
                if cut_short
                else "lets the others go first"
            )
        elif "for" in view:
            line = f" in line {view['line']}" if "line" in view else ""
            line = " there" if here == line else line
            does.append(f"waits{line} for {view['for']}")
    more = f" It {_and(does)}." if does else ""
    return f"{name} {verb}{at}{thrown}: {why}.{blamed}{more}"


def entry_of_own(step: Step, entries: list[Entry]) -> bool:
    """Return True if a task has cancelled itself before it waits.

    Then its own step, which goes over to the wait, has put it back into the queue. `step` is one of
    a document, or of an account.
    """
    pushed = step["do"].get("push", ()) if "do" in step else step.get("push", ())
    return any(
        entries[number].get("task") == step["task"] and entries[number]["cause"]["kind"] == "cancel"
        for number in pushed
    )


def _ends(how: str, value: str) -> str:
    if how == "done":
        return "ends" if value == "None" else f"ends and returns {value}"
    return "is cancelled" if how == "cancelled" else f"fails with {value}"


def _does(step: Step) -> list[str]:
    """Return what a step has made, set and printed, in the order in which it has done so."""
    if "did" not in step:
        return []
    rows = {
        "make": iter(dict(step.get("made", ())).values()),
        "set": iter(step.get("sets", ())),
        "print": iter(step.get("out", ())),
    }
    said: list[str] = []
    for kind, deeds in itertools.groupby(one for one in step.get("did", ()) if one in rows):
        said += DEEDS[kind]([next(rows[kind]) for _ in deeds])
    return said


def _makes(rows: list[Step]) -> list[str]:
    shown = ", ".join(row["name"] for row in rows[:4]) + (", …" if len(rows) > 4 else "")
    return [f"makes the {'task' if len(rows) == 1 else 'tasks'} {shown}"]


def _sets(rows: list[Step]) -> list[str]:
    return [
        f"sets {row['name']} to {row['value']}" if "value" in row else f"resets {row['name']}"
        for row in rows
    ]


def _prints(rows: list[Step]) -> list[str]:
    if len(rows) == 1:
        return [f"prints “{cut(rows[0]['text'], 60)}”"]
    return [f"prints {len(rows)} lines"]


DEEDS = {"make": _makes, "set": _sets, "print": _prints}
"""How each kind of thing is told that a step does, by its name in the account's `did`."""


def _back(step: Step, entry: Entry, names: list[str], entries: list[Entry]) -> str:
    if step.get("task") is None:
        return "The callback goes on, after the eager task."
    name = names[step["task"]]
    does = _task_sentence(step, {"why": ""}, names, entries).partition(".")[2]
    return f"{name} goes on where it made the eager task.{does}"


def _and(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _count(number: int, one: str, many: str) -> str:
    return f"One {one}" if number == 1 else f"{number} {many}"


SENTENCES: dict[str, Callable[[Step, Entry, list[str], list[Entry]], str]] = {
    "outside": _outside,
    "wait": _wait,
    "descriptors": _descriptors,
    "due": _due,
    "run": _run,
    "eager": _task_sentence,
    "back": _back,
}
