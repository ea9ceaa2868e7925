"""The code-line counter counts code, and nothing else."""

import subprocess
import sys

from tests import budget
from tests.reading_order import ROOT

SAMPLE = '''\
"""A module docstring

over three lines."""

import sys  # counted, comment or not

# not counted


class A:
    """Not counted."""

    text = """counted
    counted

    and the blank line between is not"""

    def method(self, a, b):
        "Not counted either."
        return (
            a,
            b,
        )


def one_line(): "docstring"; return f"{sys.argv}"
'''


def test_counts_code_lines_only() -> None:
    assert budget.code_lines(SAMPLE) == 1 + 1 + 3 + 5 + 1


def test_counts_nothing_where_there_is_no_code() -> None:
    assert budget.code_lines('"""Only a docstring."""\n\n# and a comment\n') == 0


def test_a_string_that_is_used_is_code() -> None:
    assert budget.code_lines('x = "one"\nprint("two")\n') == 2


def test_running_totals_add_up() -> None:
    rows = list(budget.count_core())
    lines = {row.module: row.lines for row in rows}
    assert rows[-1].running_total == sum(lines.values()) > 0
    above_loop = list(lines)[list(lines).index("loop") + 1 :]
    first = {name: n for name, n in lines.items() if name not in set(above_loop) - {"combinators"}}
    assert budget.first_part(rows) == sum(first.values())


def test_the_command_prints_both_sums() -> None:
    command = [sys.executable, "-m", "tests.budget"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    first_part, whole = done.stdout.splitlines()[-2:]
    assert first_part.startswith("up to loop, and combinators: ")
    assert whole.startswith("whole core: ")
