"""Count the core's code lines, and those that are marked: `python -m tests.budget`.

A code line is neither blank, nor only a comment, nor part of a docstring. A line that ends in
`# fast: ...` is there for speed; one that ends in `# asyncio: ...` is there only because asyncio
does so. A reader may skip both.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.reading_order import modules, path

HOUR = ("core.loop", "core.handles", "core.futures", "core.tasks")
# With these, of core.combinators.
SLEEP_AND_GATHER = (
    *("_sleep0", "sleep", "gather", "_GatheringFuture"),
    *("_end", "_has_result", "_failure_of", "_outcome"),
)
HOUR_AIM, QUEUES_AIM, CORE_AIM = 650, 1_250, 1_500
UNMARKED_AIM = 0.8  # of the lines of the hour

_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
_MARK = re.compile(r"#\s*(?:type: ignore\S*\s+#\s*)?(fast|asyncio):")


class Count(NamedTuple):
    """Code lines, and how many of them are marked."""

    code: int
    fast: int
    asyncio: int

    @property
    def unmarked(self) -> int:
        """The lines that teach."""
        return self.code - self.fast - self.asyncio

    def __add__(self, other: object) -> "Count":
        assert isinstance(other, Count)
        return Count(*(one + two for one, two in zip(self, other, strict=True)))


def code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that hold code."""
    docstrings = [
        ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in _LAYOUT:
            continue
        if any(start <= token.start < end for start, end in docstrings):
            continue
        lines.update(range(token.start[0], token.end[0] + 1))
    text = source.splitlines()
    return {line for line in lines if text[line - 1].strip()}


def count(source: str, only: Sequence[str] = ()) -> Count:
    """Count the lines of a source, or of some of its functions and classes."""
    lines = code_lines(source)
    if only:
        inside: set[int] = set()
        for node in ast.parse(source).body:
            if getattr(node, "name", None) in only:
                assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                inside |= set(range(first, (node.end_lineno or first) + 1))
        lines &= inside
    text = source.splitlines()
    marks = [mark[1] for line in lines if (mark := _MARK.search(text[line - 1]))]
    return Count(len(lines), marks.count("fast"), marks.count("asyncio"))


class Row(NamedTuple):
    """One file, with the code lines up to and including it."""

    module: str
    count: Count
    running_total: int


def rows() -> Iterator[Row]:
    """Yield a row for each file of the core and for runners, in reading order."""
    total = 0
    for module in modules():
        if module.startswith(("core.", "runners")):
            one = count(path(module).read_text(encoding="utf-8"))
            total += one.code
            yield Row(module, one, total)


def hour() -> Count:
    """Return the count of what is to be read in an hour."""
    source = path("core.combinators").read_text(encoding="utf-8")
    found = count(source, SLEEP_AND_GATHER)
    for module in HOUR:
        found += count(path(module).read_text(encoding="utf-8"))
    return found


def sums() -> dict[str, tuple[Count, int]]:
    """Return the parts that the plan of the house has figures for, with these figures."""
    parts = {row.module: row.count for row in rows()}
    nothing = Count(0, 0, 0)
    later = {"core.taskgroups", "core.exceptions", "runners"}
    queues = sum((one for name, one in parts.items() if name not in later), nothing)
    return {
        "the hour: loop, handles, futures, tasks, sleep, gather": (hour(), HOUR_AIM),
        "up to queues": (queues, QUEUES_AIM),
        "core and runners": (sum(parts.values(), nothing), CORE_AIM),
    }


def room(name: str) -> Count:
    """Return the count of a whole room: details, or io."""
    texts = [path(one).read_text(encoding="utf-8") for one in modules() if one.startswith(name)]
    return sum((count(text) for text in texts), Count(0, 0, 0))


def main() -> None:
    """Print the table."""
    print(f"{'file':<24}{'code':>8}{'fast':>8}{'asyncio':>8}{'unmarked':>10}{'so far':>10}")
    for module, one, total in rows():
        numbers = f"{one.code:>8,}{one.fast:>8}{one.asyncio:>8}{one.unmarked:>10,}{total:>10,}"
        print(f"{module.replace('.', '/') + '.py':<24}{numbers}")
    for name, (one, aim) in sums().items():
        share = one.unmarked / one.code
        print(f"{name}: {one.code:,} of about {aim:,}; {one.unmarked:,} unmarked, {share:.0%}")
    for name in ("details", "io"):
        print(f"{name}: {room(name + '.').code:,}")


if __name__ == "__main__":
    main()
