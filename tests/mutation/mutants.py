"""The mutants: one small change each, made by mutmut's operators.

mutmut itself runs a test suite in one process, with all mutants in one module behind switches. Here
a mutant is a text of its own, so that what runs is exactly what stands in the report.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

# What a mutant of these shows or hides is text: the property suite compares when things happen.
TEXT_ONLY = {"__repr__", "_repr_info", "default_exception_handler", "_format_handle"}
# Calls that make text, as in a log or a warning.
TO_BE_READ = {"debug", "warn", "warning", "error", "_warn", "_format_callback_source"}
# Type checkers only.
NOT_RUN = {"overload"}
# Functions and classes that no schedule depends on: the recorder has a factory of its own in the
# place of the first, and the others make text, or name the states that it shows.
LEFT_OUT = {"eager_task_factory", "_repr", "Queue._format", "_State", "_BarrierState"}
# Lines with this mark make call graphs, which are no part of a schedule. Their tests have random
# programs of their own.
FOR_CALL_GRAPHS = "asyncio: for call graphs"
# Calls whose arguments mean nothing to a running program.
FOR_TYPES = {"TypeVar", "cast", "Generic"}


@dataclass(frozen=True)
class Mutant:
    """A module of the core with one change."""

    module: str
    function: str
    line: int
    before: str
    after: str
    """The changed lines, as they were and as they are."""
    source: str
    """The whole text of the changed module."""

    @property
    def key(self) -> str:
        """What the mutant is known by, whatever line it stands in."""
        return f"{self.module}.{self.function}: {self.before} -> {self.after}"


class Collector(cst.CSTVisitor):
    """Finds the changes that mutmut's operators would make to a module."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[tuple[str, int, cst.CSTNode, cst.CSTNode]] = []
        self._functions: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(
            node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom | cst.Raise
        ):
            # Of `raise`, the type is looked at, and no operator changes that.
            return False
        if isinstance(node, cst.FunctionDef) and self._is_skipped(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._functions.append(node.name.value)
        if isinstance(node, cst.Call) and called(node) in FOR_TYPES | TO_BE_READ:
            return False
        if isinstance(node, cst.Assign) and is_text(node.value):
            return False
        in_function = any(name[0].islower() or name[0] == "_" for name in self._functions)
        if in_function or isinstance(node, cst.BaseNumber):
            self._mutate(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef) and self._is_skipped(original_node):
            return
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._functions.pop()

    def _is_skipped(self, node: cst.FunctionDef) -> bool:
        decorators = {getattr(d.decorator, "value", None) for d in node.decorators}
        return node.name.value in TEXT_ONLY or bool(decorators & NOT_RUN)

    def _mutate(self, node: cst.CSTNode) -> None:
        if is_text(node):
            return
        position = self.get_metadata(PositionProvider, node, None)
        line = position.start.line if position else 0
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for changed in operator(node):
                    self.changes.append((".".join(self._functions), line, node, changed))


def called(node: cst.Call) -> str:
    """The name of the function or method."""
    name = getattr(node.func, "attr", node.func)
    return str(getattr(name, "value", ""))


def is_text(node: cst.CSTNode) -> bool:
    """Whether it is a message, or a docstring, or makes one."""
    if isinstance(node, cst.Call):
        return called(node) in TO_BE_READ | {"repr"}
    strings = cst.SimpleString | cst.FormattedString | cst.ConcatenatedString
    return isinstance(node, strings) and " " in cst.Module([]).code_for_node(node)


def sample(package: Path, modules: Sequence[str], size: int, seed: int) -> list[Mutant]:
    """So many mutants, drawn from all of these modules, each of which is named as "core/loop" is.

    A hash of each change decides whether it is drawn. So the same seed draws the same ones again
    from functions that have not changed, and their results stay known. Two mutants never compile to
    the same, nor does one to what the module is without a change.
    """
    texts = [(package / f"{module}.py").read_text("utf-8") for module in modules]
    choices = []
    for module, text in zip(modules, texts, strict=True):
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        collector = Collector()
        wrapper.visit(collector)
        choices += [(module, text, wrapper.module, *change) for change in collector.changes]
    before: Counter[str] = Counter()
    choices.sort(key=lambda change: turn(seed, change, before))
    seen = {compiled(text) for text in texts} | {""}
    drawn: list[Mutant] = []
    for module, text, tree, function, line, node, changed in choices:
        if len(drawn) == size:
            break
        if function in LEFT_OUT or FOR_CALL_GRAPHS in text.splitlines()[line - 1]:
            continue
        source = tree.deep_replace(node, changed).code
        meaning = compiled(source)
        if meaning not in seen:
            seen.add(meaning)
            lines = changed_lines(text, source)
            drawn.append(Mutant(module, function or "<module>", line, *lines, source))
    return drawn


def turn(seed: int, change: tuple[Any, ...], before: Counter[str]) -> str:
    """A hash of a change, and of how often its function had the same one `before`."""
    module, _, tree, function, _, node, changed = change
    what = f"{seed} {module} {function}: {' -> '.join(map(tree.code_for_node, (node, changed)))}"
    before[what] += 1
    return hashlib.sha256(f"{what} {before[what]}".encode()).hexdigest()


def compiled(source: str) -> str:
    """The syntax tree as text, empty if there is none.

    Annotations are left out, and an assigned False reads as None: no line of the core asks whether
    something is False rather than not true, so that these say the same. So does what is assigned to
    a name that is never read again.
    """
    try:
        tree = ast.parse(source)
        compile(tree, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        if isinstance(node, ast.AnnAssign | ast.Assign) and is_false(node):
            node.value = ast.Constant(None)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for assignment in let_go(node):
                assignment.value = ast.Constant(None)
    return ast.dump(tree)


def let_go(function: ast.AST) -> Iterator[ast.Assign]:
    """The assignments of constants to names that the function does not read after that."""
    nodes = list(ast.walk(function))
    reads = [n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    again = ast.For | ast.AsyncFor | ast.While | ast.Global | ast.Nonlocal
    if any(isinstance(node, again) for node in nodes):
        return  # a line further up may come after it
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names = {getattr(target, "id", None) for target in node.targets}
            read = {one.id for one in reads if one.lineno >= node.lineno}
            if None not in names and not names & read:
                yield node


def is_false(node: ast.Assign | ast.AnnAssign) -> bool:
    """Whether False is assigned, and nobody minds if it were None."""
    false = isinstance(node.value, ast.Constant) and node.value.value is False
    return false and "_never_retrieved" not in ast.unparse(node)


def changed_lines(one: str, other: str) -> tuple[str, str]:
    """The lines that differ, on one line each."""
    left, right = one.splitlines(), other.splitlines()
    before, after = [], []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, False).get_opcodes():
        if tag != "equal":
            before += left[a:b]
            after += right[c:d]
    return " ".join(map(str.strip, before)), " ".join(map(str.strip, after))
