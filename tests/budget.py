"""Count the core's code lines: `python -m tests.budget`.

A code line is neither blank, nor only a comment, nor part of a docstring. `miniloop/__init__.py`
holds names only and is not counted.
"""

import ast
import io
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from tests.reading_order import PACKAGE, core_modules

FIRST_PART_BUDGET = 900  # all up to and including the loop, and combinators
CORE_BUDGET = 2_000

_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(source: str) -> int:
    """Return how many lines of `source` hold code."""
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
    return sum(1 for line in lines if text[line - 1].strip())


class Row(NamedTuple):
    """One file of the core, with the lines from the bottom floor up to and including it."""

    module: str
    lines: int
    running_total: int


def count_core() -> Iterator[Row]:
    """Yield a row for each file of the core, bottom floor first."""
    total = 0
    for module in core_modules():
        source = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
        lines = code_lines(source)
        total += lines
        yield Row(module, lines, total)


def first_part(rows: list[Row]) -> int:
    """Return the lines of what the plan has first: all up to the loop, and combinators."""
    by_name = {row.module: row for row in rows}
    return by_name["loop"].running_total + by_name["combinators"].lines


def main() -> None:
    """Print the table."""
    rows = list(count_core())
    print(f"{'file':<20}{'code lines':>12}{'so far':>10}")
    for row in rows:
        print(f"{row.module + '.py':<20}{row.lines:>12,}{row.running_total:>10,}")
    print(f"up to loop, and combinators: {first_part(rows):,} of about {FIRST_PART_BUDGET:,}")
    print(f"whole core: {rows[-1].running_total:,} of about {CORE_BUDGET:,}")


if __name__ == "__main__":
    main()
