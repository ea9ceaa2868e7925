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
    assert budget.count(SAMPLE).code == 1 + 1 + 3 + 5 + 1


def test_counts_nothing_where_there_is_no_code() -> None:
    assert budget.count('"""Only a docstring."""\n\n# and a comment\n').code == 0


def test_a_string_that_is_used_is_code() -> None:
    assert budget.count('x = "one"\nprint("two")\n').code == 2


def test_marks_are_counted_where_there_is_code() -> None:
    source = "x = 1  # fast: a\ny = 2  # asyncio: b\nz = 3\n# fast: no code\n"
    source += "t = f()  # type: ignore[arg-type]  # fast: c\n"
    assert budget.count(source) == (4, 2, 1)
    assert budget.count(source).unmarked == 1


def test_functions_can_be_counted_alone() -> None:
    source = "@f\ndef a():\n    return 1\n\n\ndef b():\n    return 2  # fast: d\n"
    assert budget.count(source, ["a"]) == (3, 0, 0)
    assert budget.count(source, ["b"]) == (2, 1, 0)


def test_running_totals_add_up() -> None:
    rows = list(budget.rows())
    assert rows[-1].running_total == sum(row.count.code for row in rows) > 0
    assert budget.sums()["core and runners"][0].code == rows[-1].running_total


def test_four_of_five_lines_of_the_hour_are_unmarked() -> None:
    hour = budget.hour()
    assert hour.unmarked / hour.code >= budget.UNMARKED_AIM


def test_the_command_prints_all_sums() -> None:
    command = [sys.executable, "-m", "tests.budget"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in budget.sums():
        assert f"\n{name}: " in done.stdout
