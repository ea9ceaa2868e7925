"""Run programs without compiling them, which would take most of the time of a hunt.

Each operation is compiled once, into a function of its own that takes the values of its fields.
Programs are put together from these: a function of a program calls its operations in turn. That
adds frames, but nothing else, because awaiting a coroutine does not go through the loop. So a
linked program has the schedule of the printed one, except that a place in it is the label of an
operation, not a line. A test compares the two, and a hunt always shows its findings on the printed
program.

All linked programs share their globals, `NAMES`, because functions keep the globals with which they
were made. So only one program runs at a time.

Some functions are compiled from their text: those with a `yield` in a block, which cannot stand in
a function of its own, and those in which one operation may overwrite the variable of another.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, CoroutineType, FunctionType, GeneratorType
from typing import Any, TypeVar

from .grammar import OPERATIONS, domain_of
from .programs import (
    HEADS_OF,
    NAME,
    NEEDS,
    Block,
    Op,
    Program,
    declaration,
    function,
    modules,
)

T = TypeVar("T")

FILE_NAME = "<linked>"
COMPILED = "<linked text>"
BLOCK = "await run_block(group, block)"
SEVERAL = "operation_with_several_waits"
INLINE = re.compile(r"\b(?:await|yield)\b|\basync (?:with|for)\b")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A compiled operation with the values of its fields."""

    function: Callable[..., Any] | None
    """Called with the task group around it, its label and its block. None means that the function
    is compiled from its text."""
    waits: bool
    names: frozenset[str]
    """The names that it mentions: futures, locks, other functions, ..., and `start`."""
    functions: tuple[str, ...]
    """The functions among these."""
    modules: frozenset[str]
    """The modules that it uses, other than asyncio."""


# An operation at its place in a program: its function, whether to await it, its label, its block.
# For a `yield` of an async generator: what to yield, None, its label, and no block.
Step = tuple[Any, bool | None, str, list[Any]]

NAMES: dict[str, Any] = {}
"""The globals of linked programs, which find them as `names`."""

LITERALS = ("delay", "key", "limit", "n", "on", "pause")
"""The domains whose values are literals."""


@functools.cache
def code_of(source: str, is_coroutine: bool = False) -> CodeType:
    """Return the code of the one function in a text."""
    module_code = compile(source, FILE_NAME, "exec", dont_inherit=True)
    code = next(const for const in module_code.co_consts if isinstance(const, CodeType))
    if is_coroutine:
        # As `types.coroutine` does, so that it may await coroutines, too.
        code = code.replace(co_flags=code.co_flags | inspect.CO_ITERABLE_COROUTINE)
    return code


# The texts of functions that call the operations of a function in turn, by kind of function.
DRIVER = """
{head} driver(group, steps):
    for step, waits, label, block in steps:
        if waits:
            step = step(group, label, block)
            step.__name__ = label
            {wait} step
        {otherwise}:
            step(group, label, block)
"""
YIELDS = """elif waits is None:
            yield step
        else"""
K_DRIVER = """
def driver(*args, steps, name):
    print(name, *args)
    for step, _, label, block in steps:
        step(None, label, block)
"""
C_DRIVER = code_of(DRIVER.format(head="async def", wait="await", otherwise="else"))
G_DRIVER = code_of(DRIVER.format(head="async def", wait="await", otherwise=YIELDS))
Y_DRIVER = code_of(DRIVER.format(head="def", wait="yield from", otherwise="else"), True)
DRIVERS = {"c": C_DRIVER, "g": G_DRIVER, "y": Y_DRIVER, "k": code_of(K_DRIVER)}

NOTHING: list[Step] = []
NAMES.update(names=NAMES, run_block=FunctionType(C_DRIVER, NAMES))


@functools.cache
def fragment(op: Op, kind: str) -> Fragment:
    """Return an operation, without its block, for a kind of function: c, k, y or p."""
    operation = OPERATIONS[op[0]]
    template = operation.template.replace("'{here}'", "{here}").replace("{block}", BLOCK)
    fields = dict(zip(operation.fields, op[1:], strict=False))
    texts: dict[str, str] = {}
    given: dict[str, object] = {}
    for field, value in fields.items():
        texts[field], parameter = passed(field, value, template)
        given |= parameter
    # A task group is passed on to the operations inside it. Only the innermost one is ever used.
    text = template.format(here="here", depth="", **texts).replace(", )", ")")
    waits = kind != "k" and kind != "p" and INLINE.search(text) is not None
    head = "async def" if waits and kind == "c" else "def"
    parameters = ", ".join(["group", "here", "block", *given])
    waits_in = [line for line in text.split("\n") if INLINE.search(line) and BLOCK not in line]
    name = SEVERAL if len(waits_in) > 1 else "operation"
    source = f"{head} {name}({parameters}):\n    " + text.replace("\n", "\n    ")
    made = FunctionType(code_of(source, waits and kind == "y"), NAMES)
    made.__defaults__ = tuple(given.values())
    return described(template.format(here="here", depth="", **fields), made, waits)


def passed(field: str, value: str, template: str) -> tuple[str, dict[str, object]]:
    """Return the text for the value of a field in an operation, and the parameter that it needs.

    With a text for each value there would be thousands of texts to compile.
    """
    domain = domain_of(field)
    parameter = field + "_"
    if NAME.fullmatch(value):
        return f"names[{parameter}]", {parameter: value}
    if domain == "thing":
        return f"{parameter}()", {parameter: FunctionType(code_of(f"lambda: {value}"), NAMES)}
    if domain in LITERALS and f"'{{{field}}}'" not in template:
        return parameter, {parameter: ast.literal_eval(value)}
    return value, {}


def described(text: str, made: Callable[..., Any] | None, waits: bool) -> Fragment:
    """Return a fragment, and the names in its text."""
    found = set(NAME.findall(text))
    (line,) = modules(text, found)
    imported = line.removeprefix("import ").split(", ")
    functions = tuple(sorted(found & HEADS_OF.keys()))
    if "start" in text:
        found.add("start")
    # Equal ones are one object. If each of thousands of fragments had its own, they would not stay
    # in the processor's cache.
    return Fragment(
        made,
        waits,
        shared(frozenset(found)),
        shared(functions),
        shared(frozenset(imported) - {"asyncio"}),
    )


@functools.cache
def shared(value: T) -> T:
    """Return the first of several equal objects."""
    return value


@functools.cache
def compiled(text: str) -> CodeType:
    """A compiled piece of a program's text."""
    return compile(text, COMPILED, "exec", dont_inherit=True)


class Entangled(Exception):
    """Raised if an operation cannot be a function of its own."""


class Linked:
    """A program that is ready to run, on one loop after the other."""

    def __init__(self, program: Program) -> None:
        self._used: list[Fragment] = []
        self._waiting: list[str] = []
        self._phases = self._steps(program.phases, "main", "p")
        self._functions: dict[str, FunctionType] = {}
        self._texts: dict[str, CodeType] = {}
        bodies = dict(program.functions)
        while self._waiting:
            name = self._waiting.pop()
            if name not in self._functions and name not in self._texts:
                self._add(name, bodies.get(name, ()))
        found = self._mentioned = set[str]().union(*[one.names for one in self._used])
        self._modules = {"asyncio"}.union(*[one.modules for one in self._used])
        if "w0" in found:
            found.add("r0")
        self._futures = []
        self._declarations = []
        for name in sorted(found):
            if name[0] in "ft":
                self._futures.append(name)
            elif (line := declaration(name)) is not None:
                self._declarations.append(compiled(line))
                if name in NEEDS:
                    self._modules.add(NEEDS[name])

    def _add(self, name: str, block: Block) -> None:
        """Make one function of the program."""
        kind = name[0]
        try:
            steps = self._steps(block, name, kind)
        except Entangled:
            text = function(name, block)
            one = described(text, None, False)
            self._used.append(one)
            self._waiting += one.functions
            self._texts[name] = compile(text, COMPILED, "exec", dont_inherit=True)
            return
        if kind == "y" and not any(waits for _, waits, _, _ in steps):
            steps.append((fragment(("pass_on",), "y").function, True, f"{name}.end", NOTHING))
        elif kind == "g" and not any(waits is None for _, waits, _, _ in steps):
            steps.append((0, None, f"{name}.end", NOTHING))
        self._functions[name] = made = FunctionType(DRIVERS[kind], NAMES, name)
        if kind == "k":
            made.__kwdefaults__ = {"steps": steps, "name": name}
        else:
            made.__defaults__ = (None, steps)

    def _steps(self, block: Block, place: str, kind: str) -> list[Step]:
        """Return the operations of a function, numbered as in the printed program."""
        self._number = 0
        return self._numbered(block, place + ".", "c" if kind == "g" else kind)

    def _numbered(
        self, block: Block, place: str, kind: str, around: tuple[str, ...] = ()
    ) -> list[Step]:
        found: list[Step] = []
        for op in block:
            self._number += 1
            label = f"{place}{self._number}"
            if type(op[-1]) is tuple:
                if op[0] == "reschedule" and op[0] in around:
                    raise Entangled
                one = fragment(op[:-1], kind)
                inner = self._numbered(op[-1], place, kind, (*around, op[0]))
            elif op[0] == "yield":
                if around:
                    raise Entangled
                found.append((int(op[1]), None, label, NOTHING))
                continue
            else:
                one = fragment(op, kind)
                inner = NOTHING
                if one.functions:  # operations with a block mention none
                    self._waiting += one.functions
            self._used.append(one)
            found.append((one.function, one.waits, label, inner))
        return found

    def run(self) -> None:
        """Run the program, with `NAMES` as its globals."""
        names = NAMES
        import_ = names["__builtins__"]["__import__"]
        for module in self._modules:
            names[module.partition(".")[0]] = import_(module)
        names["loop"] = loop = names["asyncio"].new_event_loop()
        for name in self._futures:
            names[name] = loop.create_future()
        for code in self._declarations:
            exec(code, names)
        if "start" in self._mentioned:
            names["start"] = loop.time()
        names.update(self._functions)
        for code in self._texts.values():
            exec(code, names)
        for call, _, label, block in self._phases:
            call(None, label, block)


def place(coro: Any) -> str:
    """Return where a linked coroutine is suspended: operations, and a line if that says more."""
    labels: list[str] = []
    last: Any = None
    while True:
        if type(coro) is CoroutineType:
            code = coro.cr_code
            if code is C_DRIVER:
                # Reading an attribute of a coroutine takes long, so this reads no more than needed.
                last = coro.cr_await
                labels.append(last.__name__)
                coro = last.cr_await
                continue
        elif type(coro) is GeneratorType:
            code = coro.gi_code
            if code is Y_DRIVER:
                last = coro.gi_yieldfrom
                labels.append(last.__name__)
                coro = last.gi_yieldfrom
                continue
        else:
            break
        if code.co_filename != COMPILED:
            if not labels:
                return str(code.co_name)
            break
        labels.append(f"{coro.__name__} line {line(coro)}")
        last = None
        coro = coro.cr_await if type(coro) is CoroutineType else coro.gi_yieldfrom
    if type(last) is CoroutineType and last.cr_code.co_name == SEVERAL:
        labels.append(f"line {line(last)}")
    return " > ".join(labels) or type(coro).__name__


def line(coro: Any) -> int:
    """Return the line at which a coroutine is suspended."""
    frame: Any = coro.cr_frame if type(coro) is CoroutineType else coro.gi_frame
    number: int = frame.f_lineno
    return number
