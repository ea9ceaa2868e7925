"""A program as data, and the same program as Python."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from .grammar import DOMAINS, FUNCTIONS, OPERATIONS, PHASES

# One operation: its name, a value for each of its fields, and its block if it has one.
Op = tuple[Any, ...]
Block = tuple[Op, ...]

FILE_NAME = "<program>"

# The things that a program may mention without making them, by the first letter of their names.
DECLARATIONS = {
    "h": "{0} = asyncio.Handle(print, (), loop)",
    "e": "{0} = asyncio.Event()",
    "l": "{0} = asyncio.Lock()",
    "s0": "{0} = asyncio.Semaphore(1)",
    "s1": "{0} = asyncio.BoundedSemaphore(2)",
    "d": "{0} = asyncio.Condition()",
    "b": "{0} = asyncio.Barrier(2)",
    "q0": "{0} = asyncio.Queue(1)",
    "q1": "{0} = asyncio.PriorityQueue()",
    "q2": "{0} = asyncio.LifoQueue(2)",
    "v": "{0} = contextvars.ContextVar('{0}', default=0)",
    "j": "{0} = concurrent.futures.Future()",
    "o": "class Later:\n    def __await__(self): return asyncio.sleep(0.01, 5).__await__()\n"
    "{0} = Later()",
    # A reader may be called when another one has read already, and then must not block.
    "r": "r0, w0 = socket.socketpair(); r0.setblocking(False); w0.setblocking(False)",
}
MODULES = {
    "concurrent.futures": "concurrent.futures",
    "contextlib.": "contextlib",
    "contextvars.": "contextvars",
    "socket.": "socket",
    "sys.": "sys",
    "threading.": "threading",
    "time.sleep": "time",
    "types.": "types",
}
# The modules and functions that the declarations use.
NEEDS = {"j0": "concurrent.futures", "v0": "contextvars", "r0": "socket", "w0": "socket"}
HEADS = {
    "c": "async def {}():",
    "k": "def {}(*args):",
    "g": "async def {}():",
    "y": "@types.coroutine\ndef {}():",
}
NAME = re.compile(r"\b([a-z]\d)\b")
ASSIGNED = re.compile(r"^\s*([fth]\d) = ", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """Functions by name, and the phases of the main program, each a tuple of operations."""

    phases: Block
    functions: tuple[tuple[str, Block], ...] = ()

    def __str__(self) -> str:
        """Return the program as Python source that runs on its own."""
        imports, declarations, rest = self._parts
        return "\n".join([*imports, "loop = asyncio.new_event_loop()", *declarations, rest])

    def code(self) -> CodeType:
        """Return the compiled program."""
        return compile(str(self), FILE_NAME, "exec", dont_inherit=True)

    def line_count(self) -> int:
        """Return how many lines of the printed source are not empty."""
        return sum(1 for line in str(self).splitlines() if line.strip())

    def features(self) -> frozenset[str]:
        """Return the features that the program uses."""
        found = {OPERATIONS[op[0]].feature for op in operations(self.phases)}
        for _, block in self.functions:
            found.update(OPERATIONS[op[0]].feature for op in operations(block))
        return frozenset(found)

    @functools.cached_property
    def _parts(self) -> tuple[list[str], list[str], str]:
        bodies = dict(self.functions)
        phases = "\n".join(render(self.phases, PHASES))
        texts: dict[str, str] = {}
        waiting = NAME.findall(phases)
        while waiting:
            name = waiting.pop()
            if name in HEADS_OF and name not in texts:
                texts[name] = text = function(name, bodies.get(name, ()))
                waiting.extend(NAME.findall(text))
        text = "\n".join([*(texts[name] for name in FUNCTIONS if name in texts), phases])
        names = set(NAME.findall(text))
        return modules(text, names), declarations(text, names), text


HEADS_OF = {name: HEADS[name[0]].format(name) for name in FUNCTIONS}
FORGOTTEN = dict.fromkeys(
    [*HEADS_OF, *NEEDS, *NAME.findall(" ".join(itertools.chain(*DOMAINS.values())))]
)
"""All names that a program may use, set to None: this forgets what a program has made."""


def operations(block: Block) -> Iterator[Op]:
    """Yield all operations of a block, including nested ones."""
    for op in block:
        yield op
        if op[-1:] and isinstance(op[-1], tuple):
            yield from operations(op[-1])


def function(name: str, block: Block) -> str:
    """Return the text of one function."""
    lines = render(block, name)
    kind = name[0]
    if kind == "k":
        lines.insert(0, f"print('{name}', *args)")
    elif kind == "g" and "yield" not in "\n".join(lines):
        lines.append("yield 0")
    elif kind == "y" and "yield" not in "\n".join(lines):
        lines.append("yield")
    body = "\n".join(lines or ["pass"])
    assigned = sorted(set(ASSIGNED.findall(body)))
    if assigned:
        body = f"global {', '.join(assigned)}\n{body}"
    return HEADS_OF[name] + "\n    " + body.replace("\n", "\n    ")


def render(block: Block, place: str) -> list[str]:
    """Return the lines of a block."""
    lines: list[str] = []
    label = "main" if place == PHASES else place
    counter = 0

    def add(block: Block, indent: str, depth: int) -> None:
        nonlocal counter
        for op in block:
            counter += 1
            kind = OPERATIONS[op[0]]
            fields = dict(zip(kind.fields, op[1:], strict=False))
            inside = depth + (op[0] == "group")
            text = kind.template.replace("{block}", "\0").format(
                here=f"{label}.{counter}", depth=inside or "", **fields
            )
            text = text.replace(", )", ")")
            for line in text.split("\n"):
                if "\0" not in line:
                    lines.append(indent + line)
                elif op[-1]:
                    add(op[-1], indent + "    ", inside)
                else:
                    lines.append(indent + "    pass")

    add(block, "", 0)
    return lines


@functools.cache
def declaration(name: str) -> str | None:
    """Return the line that makes what a name stands for, or None if nothing has to be made."""
    form = DECLARATIONS.get(name) or DECLARATIONS.get(name[0])
    return form.format(name) if form else None


def declarations(text: str, names: set[str]) -> list[str]:
    """Return the lines that make what the text mentions."""
    if "w0" in names:
        names = names | {"r0"}
    futures = sorted(name for name in names if name[0] in "ft")
    lines = [line for name in sorted(names.difference(futures)) if (line := declaration(name))]
    if len(futures) > 1:
        each = f"(loop.create_future() for _ in range({len(futures)}))"
        lines.insert(0, f"{', '.join(futures)} = {each}")
    elif futures:
        lines.insert(0, f"{futures[0]} = loop.create_future()")
    if "start" in text:
        lines.append("start = loop.time()")
    return lines


def modules(text: str, names: set[str]) -> list[str]:
    """Return the import line, with asyncio first."""
    found = ["asyncio"]
    found += [module for use, module in MODULES.items() if use in text]
    found += [module for name, module in NEEDS.items() if name in names]
    return [f"import {', '.join(dict.fromkeys(found))}"]
