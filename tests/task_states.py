"""The states of a task, read from the table in the docstring of `miniloop/core/tasks.py`.

The documentation draws its diagram from what is read here, and a test holds the table to what tasks
do.
"""

import re
from typing import NamedTuple

from miniloop.core import tasks

BORDER = re.compile(r"^=+(?: +=+)+$", re.MULTILINE)


class State(NamedTuple):
    """One row of the table."""

    name: str
    meaning: str
    ways: tuple[tuple[str, str], ...]  # what happens, and the state that comes of it


def states(docstring: str = tasks.__doc__ or "") -> list[State]:
    """Return the rows of the table with the heads state, "what that means", "what happens next".

    Raises ValueError if there is no such table, or if a way leads to a state that is not in it.
    """
    borders = list(BORDER.finditer(docstring))
    if len(borders) != 3:
        raise ValueError("the docstring has no table of states, or more tables than one")
    top, middle, bottom = borders
    columns = [match.start() for match in re.finditer(r"=+", top.group())]
    rows: list[list[str]] = []
    for line in docstring[middle.end() : bottom.start()].strip("\n").splitlines():
        cells = [
            line[start:end].strip()
            for start, end in zip(columns, [*columns[1:], None], strict=True)
        ]
        if cells[0]:
            rows.append(cells)
        else:  # the row goes on
            rows[-1] = [
                f"{cell} {more}".strip() for cell, more in zip(rows[-1], cells, strict=True)
            ]
    found = [State(name, meaning, _ways(following)) for name, meaning, following in rows]
    names = {state.name for state in found}
    for state in found:
        for event, after in state.ways:
            if after not in names:
                raise ValueError(f"{state.name}: {event}: there is no state {after!r}")
    return found


def _ways(text: str) -> tuple[tuple[str, str], ...]:
    """Read "it yields None: *ready*; it returns: *done*"."""
    return tuple(re.findall(r"(?:^|; )([^;]+): \*(\w+)\*", text))
