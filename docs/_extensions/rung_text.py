"""What the pages of the ladder show of a rung: its new lines, its program, its schedules."""

import ast
import difflib
import functools
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
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
    if not lines:
        raise ValueError(f"rung {rung.number} has no {name}")
    return added(source_of(before, name), lines)


def added(old: list[str], lines: list[str]) -> list[int]:
    """Return which lines are not among the old ones, from 1; none if there are no old ones."""
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


@functools.cache
def pieces(rung: Rung) -> dict[str, str]:
    """Return the text of each function, method and definition of a rung by its name.

    A class without methods is one piece. They come in the order of the file.
    """
    text = rung.path.read_text(encoding="utf-8").partition(MAIN)[0]
    lines = text.splitlines()
    found: dict[str, str] = {}

    def add(nodes: list[ast.stmt], owner: str) -> None:
        for node in nodes:
            if isinstance(node, ast.ClassDef) and any(map(is_function, node.body)):
                add(node.body, f"{node.name}.")
            elif name := getattr(node, "name", "") or target(node):
                first = min([node.lineno, *[one.lineno for one in decorators(node)]]) - 1
                while lines[first - 1].startswith("#"):
                    first -= 1
                found[owner + name] = textwrap.dedent("\n".join(lines[first : node.end_lineno]))

    add(ast.parse(text).body, "")
    return found


def is_function(node: ast.AST) -> bool:
    """Return whether a node defines a function."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def decorators(node: ast.AST) -> list[ast.expr]:
    """Return the decorators of a node, if it can have any."""
    return getattr(node, "decorator_list", [])


def target(node: ast.AST) -> str:
    """Return the name that a plain assignment defines, or nothing."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


@functools.cache
def used(text: str) -> tuple[set[str], set[str]]:
    """Return the names that a text uses, and those of the attributes that it uses."""
    nodes = list(ast.walk(ast.parse(text)))
    return (
        {node.id for node in nodes if isinstance(node, ast.Name)},
        {node.attr for node in nodes if isinstance(node, ast.Attribute)},
    )


def uses(text: str, name: str) -> bool:
    """Return whether a text uses a piece of that name: `Class.method`, `Class` or `function`.

    A class is made by its `__init__`. Methods are told by their names alone, whatever the object.
    """
    owner, _, last = name.rpartition(".")
    if last == "__init__":
        owner, last = "", owner
    names, attributes = used(text)
    return last in (attributes if owner else names)


def named(page: str) -> list[str]:
    """Return the names of the code that the text of a page shows, but for the program."""
    found = re.findall(r"^\.\. rung-code:: \d(.*)$", page, re.MULTILINE)
    return [name for names in found for name in names.split() if name != "main"]


def rest(rungs: Sequence[Rung], pages: Sequence[str]) -> tuple[dict[str, str], dict[str, int]]:
    """Return what the page of the last of some rungs has to show besides the code that it names.

    First come the texts of all that this code uses, directly or by way of other code, and that no
    page has shown as it is now. Then, for what the code uses directly and an earlier page shows as
    it is, the number of that page's rung.
    """
    shown: dict[tuple[str, str], int] = {}
    new: dict[str, str] = {}
    old: dict[str, int] = {}
    for rung, page in zip(rungs, pages, strict=True):
        has, names = pieces(rung), named(page)
        here = {name for name in has if any(f"{name}.".startswith(f"{one}.") for one in names)}
        listed = [*[has[name] for name in here], main_of(rung)]
        found = set(here)
        seen = list(listed)
        while seen:
            text = seen.pop()
            more = {name for name in has.keys() - found if uses(text, name)}
            found |= more
            seen += [has[name] for name in more]
        others = [name for name in has if name in found - here]
        new = {name: has[name] for name in others if (name, has[name]) not in shown}
        listed += new.values()
        old = {
            name: shown[name, has[name]]
            for name in others
            if name not in new and any(uses(text, name) for text in listed)
        }
        shown |= {(name, has[name]): rung.number for name in [*here, *new]}
    return new, old


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
