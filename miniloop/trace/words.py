"""The plain English of a trace: labels of entries, reasons, and a sentence for each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .causes import CALLBACKS, callback_name, stepped_by
from .places import Place, cut, short

if TYPE_CHECKING:
    from .watch import Watch


def who(watch: Watch, task: int | None) -> str:
    """Return who acts: a task, or the program outside the loop, or a callback."""
    if task is not None:
        return watch.names[task]
    return "the program" if watch._step["kind"] == "outside" else "a callback"


def call_at_line(watch: Watch, task: int | None, call: str, line: int | None) -> str:
    """Return that somebody has called something in a line."""
    at = "" if line is None else f", line {line}"
    text = call if " " in call else f"called {call}()"
    return f"{who(watch, task)} {text}{at}" if " " not in call else f"{who(watch, task)}: {call}{at}"


def who_called(where: Place | None, call: str, watch: Watch) -> str:
    """Return who has made a call that happens now."""
    if where is None:
        return in_callback(watch) or call_at_line(watch, watch.task, call, None)
    return call_at_line(watch, watch.task, where.call or call, where.line)


def in_callback(watch: Watch) -> str:
    """Return what a callback of the library does that runs now, or nothing."""
    entry = watch._entry
    if watch.task is None and entry.get("label"):
        sleep = entry.get("sleep")
        if sleep:
            line = entry["cause"].get("line")
            return f"its {sleep}{'' if line is None else f', line {line},'} was due"
        label = str(entry["label"])
        if label.startswith("gather counts that "):
            return f"its gather has all it waits for: {label.removeprefix('gather counts that ')}"
        return label
    return ""


def why_done(kind: str, other: int | None, where: Place | None, watch: Watch) -> str:
    """Return why a future has ended."""
    if other is not None:
        return f"{watch.names[other]} {ENDS[kind]}"
    return who_called(where, kind, watch)


ENDS = {"task_done": "is done", "task_failed": "has failed", "task_cancelled": "was cancelled"}


def wakes(kind: str, other: int | None, where: Place | None, name: str, watch: Watch) -> str:
    """Return the label of a step that the end of a future brings about."""
    if other is not None:
        return f"{watch.names[other]} {ENDS[kind]}: wakes {name}"
    entry = watch._entry
    if kind == "cancel":
        return f"cancel: wakes {name}"
    if watch.task is None and entry.get("sleep"):
        return f"sleep is over: wakes {name}"
    if where is None and str(entry.get("label", "")).startswith("gather"):
        return f"gather {'is complete' if kind == 'set_result' else 'has failed'}: wakes {name}"
    call = where.call if where is not None and where.call else kind
    return f"{call}: wakes {name}"


def of_callback(entry: Any, future: Any, watch: Watch) -> str:
    """Return the label of a callback."""
    callback = getattr(entry, "_callback", None)
    if callback is None:
        return "a callback that was cancelled"
    task = stepped_by(entry)
    if task is not None:
        return "step of a task"
    name = callback_name(callback)
    known = CALLBACKS.get(name)
    if known is not None:
        number = None if future is None else watch.number(future)
        return known.format(task="a future" if number is None else watch.names[number])
    return f"callback {cut(name.replace('.<locals>', ''), 60)}"


def of_timer(timer: Any, where: Place | None, task: int | None, watch: Watch) -> dict[str, Any]:
    """Return what to show of a timer, in the heap and when its time has come."""
    name = callback_name(getattr(timer, "_callback", None))
    whose = "" if task is None else watch.names[task]
    call = where.call if where is not None else ""
    if name == "_set_result_unless_cancelled" and whose:
        delay = timer._when - watch.now()
        sleep = f"sleep({round(delay, 3):g})"
        return {
            "kind": "timer",
            "label": f"sleep is over: wakes {whose}",
            "heap_label": f"{sleep} of {whose}",
            "why": f"{whose} called {sleep}" + ("" if where is None else f", line {where.line}"),
            "sleep": sleep,
        }
    at = "" if where is None else f", line {where.line}"
    if name == "Timeout._on_timeout" and whose:
        label = f"timeout is over: cancels {whose}"
        return {
            "kind": "timer",
            "label": label,
            "heap_label": f"timeout of {whose}",
            "why": f"{whose} set a timeout{at}",
        }
    label = CALLBACKS.get(name, "").format(task="") or f"callback {cut(name, 60)}"
    return {
        "kind": "timer",
        "label": label,
        "heap_label": f"{call or 'call_at'}: {label.removeprefix('callback ')}",
        "why": who_called(where, "call_at", watch),
    }


def from_outside(cause: dict[str, Any], watch: Watch) -> str:
    """Return why the callback of a descriptor or signal runs."""
    what = "a signal has come" if cause["kind"] == "signal" else "its descriptor is ready"
    if "line" not in cause:
        return what
    task = cause.get("task")
    name = "the program" if task is None else watch.names[task]
    return f"{what}; {name} asked for it, line {cause['line']}"


def from_thread(cause: dict[str, Any], known: bool, watch: Watch) -> str:
    """Return why a callback runs that a thread has sent."""
    if not known:
        at = f", line {cause['line']}" if "line" in cause else ""
        return f"a thread called call_soon_threadsafe(){at}"
    task = cause.get("task")
    name = "the program" if task is None else watch.names[task]
    at = f", line {cause['line']}" if "line" in cause else ""
    return f"a thread has done what {name} gave it{at}"


def of_error(error: Any) -> str:
    """Return an exception in a few words: its class, and its first argument if that is plain."""
    if isinstance(error, type):
        return error.__name__
    args = getattr(error, "args", ())
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


def sentence(step: dict[str, Any], entry: dict[str, Any], watch: Watch) -> str:
    """Return what happens in a step, and why."""
    return SENTENCES[step["kind"]](step, entry, watch)


def _outside(step: dict[str, Any], entry: dict[str, Any], watch: Watch) -> str:
    made = [f"makes the task {names['name']}" for _, names in step["made"]]
    prints = _prints(step)
    does = ", ".join([*dict.fromkeys(made), *prints])
    return f"Outside the loop: the program {does}." if does else "Outside the loop."


def _wait(step: dict[str, Any], entry: dict[str, Any], watch: Watch) -> str:
    timeout = step["timeout"]
    if timeout is None:
        return (
            "The loop waits without a time limit: nothing is ready and no timer is set. "
            "Only the outside world can wake it."
        )
    if timeout <= 0:
        return "A new tick: something is ready, so the loop looks at the outside world and goes on."
    return f"A new tick: nothing is ready, so the loop waits {timeout:g} s for the first timer."


def _descriptors(step: dict[str, Any], entry: dict[str, Any], watch: Watch) -> str:
    return f"{_count(len(step['push']), 'descriptor is', 'descriptors are')} ready: its callback \
joins the queue."


def _due(step: dict[str, Any], entry: dict[str, Any], watch: Watch) -> str:
    labels = [watch._live[number]["label"] for number in step["push"] if number in watch._live]
    shown = "; ".join(labels[:3]) + ("; …" if len(labels) > 3 else "")
    timers = _count(len(step["push"]), "timer is due and moves", "timers are due and move")
    return f"{timers} from the heap to the queue: {shown}."


def _run(step: dict[str, Any], entry: dict[str, Any], watch: Watch) -> str:
    if step["task"] is None:
        does = [*_makes(step), *_prints(step)]
        more = f" It {_and(does)}." if does else ""
        return f"Callback: {entry.get('label', 'a callback')}. Why: {entry.get('why', '')}.{more}"
    return _task_sentence(step, entry, watch)


def _task_sentence(step: dict[str, Any], entry: dict[str, Any], watch: Watch) -> str:
    task = step["task"]
    name = watch.names[task]
    verb = "starts" if step.get("first") else "goes on"
    if step["kind"] == "eager":
        verb = "starts at once, inside the step that made it"
    at = f" in line {step['line']}" if "line" in step and verb == "goes on" else ""
    thrown = f", and {step['throws']} is thrown in" if "throws" in step else ""
    does = [*_makes(step), *_prints(step)]
    if task in step["tasks"]:
        view = step["tasks"][task]
        if view is None:
            how, value = next(
                ((how, value) for number, how, value in step["ended"] if number == task),
                ("done", ""),
            )
            does.append(_ends(how, value))
        elif view["state"] == "ready":
            does.append("lets the others go first")
        elif "for" in view:
            line = f" in line {view['line']}" if "line" in view else ""
            does.append(f"waits{line} for {view['for']}")
    more = f" It {_and(does)}." if does else ""
    return f"{name} {verb}{at}{thrown}: {entry.get('why', '')}.{more}"


def _ends(how: str, value: str) -> str:
    if how == "done":
        return "ends" if value == "None" else f"ends and returns {value}"
    return f"is cancelled" if how == "cancelled" else f"fails with {value}"


def _makes(step: dict[str, Any]) -> list[str]:
    names = list(dict(step["made"]).values())
    if not names:
        return []
    shown = ", ".join(one["name"] for one in names[:4]) + (", …" if len(names) > 4 else "")
    return [f"makes the {'task' if len(names) == 1 else 'tasks'} {shown}"]


def _prints(step: dict[str, Any]) -> list[str]:
    lines = step["out"]
    if not lines:
        return []
    if len(lines) == 1:
        return [f"prints “{cut(lines[0]["text"], 60)}”"]
    return [f"prints {len(lines)} lines"]


def _back(step: dict[str, Any], entry: dict[str, Any], watch: Watch) -> str:
    if step["task"] is None:
        return "The callback goes on, after the eager task."
    name = watch.names[step["task"]]
    does = _task_sentence(step, {"why": ""}, watch).partition(".")[2]
    return f"{name} goes on where it made the eager task.{does}"


def _and(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _count(number: int, one: str, many: str) -> str:
    return f"One {one}" if number == 1 else f"{number} {many}"


SENTENCES: dict[str, Callable[[dict[str, Any], dict[str, Any], Any], str]] = {
    "outside": _outside,
    "wait": _wait,
    "descriptors": _descriptors,
    "due": _due,
    "run": _run,
    "eager": _task_sentence,
    "back": _back,
}
