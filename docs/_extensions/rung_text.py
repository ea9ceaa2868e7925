"""What the pages of the ladder show of a rung: its new lines, its program, its schedules."""

import ast
import difflib
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from tests.ladder.rungs import Rung

MAIN = 'if __name__ == "__main__":'


def main_of(rung: Rung) -> str:
    """Return the program at the end of a rung."""
    main = rung.path.read_text(encoding="utf-8").partition(MAIN + "\n")[2]
    return textwrap.dedent(main).strip("\n")


def new_lines(rung: Rung, before: Rung, name: str) -> list[int]:
    """Return which lines of a class or function are new, from 1; none if all of it is."""
    lines = source_of(rung, name)
    old = source_of(before, name)
    if not lines:
        raise ValueError(f"rung {rung.number} has no {name}")
    new: list[int] = []
    for tag, _, _, start, end in difflib.SequenceMatcher(None, old, lines, False).get_opcodes():
        if tag in ("insert", "replace"):
            new += [n + 1 for n in range(start, end) if lines[n].strip()]
    return new if old else []


def source_of(rung: Rung, name: str) -> list[str]:
    """Return the lines of a class, method or function, or none if the rung does not have it."""
    thing: Any = rung.module
    for part in name.split("."):
        thing = vars(thing).get(part)
        if thing is None:
            return []
    return inspect.getsource(thing).rstrip("\n").split("\n")


def on_asyncio(rung: Rung) -> str:
    """Return the program at the end of a rung as one that takes the same names from asyncio."""
    main = main_of(rung)
    has = vars(rung.module)
    used = sorted({node.id for node in ast.walk(ast.parse(main)) if isinstance(node, ast.Name)})
    own = [name for name in used if getattr(has.get(name), "__module__", "") == rung.path.stem]
    names = ["SelectorEventLoop as EventLoop" if name == "EventLoop" else name for name in own]
    modules = [f"import {name}" for name in used if inspect.ismodule(has.get(name))]
    return "\n".join([*modules, f"from asyncio import {', '.join(names)}", "", main, ""])


def told(schedule: dict[str, Any], exact: bool) -> list[str]:
    """Return a schedule in words, one event a line, and a line before each tick."""
    lines: list[str] = []
    tick = 0

    def up_to(number: int) -> Iterator[str]:
        nonlocal tick
        while exact and tick < number:
            timeout = schedule["timeouts"][tick]
            waits = "" if timeout == 0 else ", wait" if timeout is None else f", wait {timeout} s"
            tick += 1
            yield f"tick {tick}{waits}"

    for number, _, who, what in schedule["rows"]:
        lines += up_to(number)
        lines.append(("  " if exact and tick else "") + event(who, what))
    return [*lines, *up_to(len(schedule["timeouts"]))]


STEP = re.compile(r"(?:send|throw (?P<error>.*)) -> (?P<how>\S+)(?P<what>.*)")


def event(who: str, what: str) -> str:
    """Return one event in words."""
    if who == "print":
        return f"print: {what}"
    if who == "handler":
        return f"report: {what}"
    if who == "main":
        return "waits for ever" if what == "ends with Stuck()" else f"program {what}"
    step = STEP.fullmatch(what)
    if step is None:
        return f"{who} {what}"
    ways = {"returned": "returns", "raised": "raises", "line": "waits in line"}
    text = f"{who.partition('#')[0]} {ways.get(step['how'], step['how'])}{step['what']}"
    return f"{step['error']} into {text}" if step["error"] else text


def beside(left: list[str], right: list[str], name: str) -> Iterator[str]:
    """Yield two columns, with an arrow where they differ first."""
    height = max(len(left), len(right))
    left, right = (lines + [""] * (height - len(lines)) for lines in (left, right))
    width = max(map(len, [*left, "asyncio"]))
    first = next(n for n, (one, other) in enumerate(zip(left, right, strict=True)) if one != other)
    yield f"   {'asyncio':<{width}}  │ {name}"
    yield f"   {'─' * width}──┼─{'─' * max(map(len, [*right, name]))}"
    for number, (one, other) in enumerate(zip(left, right, strict=True)):
        yield f"{'=>' if number == first else '  '} {one:<{width}}  │ {other}".rstrip()
