"""A linked program runs as the printed one does: what a hunt compares is what it would print."""

import re

import pytest

from miniloop.difftest import quiet, side
from miniloop.difftest.fuzz import numbered_program
from miniloop.difftest.linked import Linked
from miniloop.trace.recorder import TORN_DOWN

PIECES = 4
COUNT = 250
# Where a task suspended: a line of the printed program, a label of the linked one, or the name of a
# function that an operation defines.
PLACE = re.compile(r"(?<= -> )(?:line \d+|canceller|[a-z]\d(?:\.\w+)? ?(?:line \d+)?)(?: > .*)?$")


def events(schedule):
    return [
        event._replace(what=PLACE.sub("...", event.what)) if "#" in event.who else event
        for event in schedule.events
    ]


@pytest.mark.parametrize("name", ["asyncio", "miniloop"])
@pytest.mark.parametrize("piece", range(PIECES))
def test_same_schedule(name, piece):
    on = side(name)
    with quiet():
        for number in range(piece * COUNT, (piece + 1) * COUNT):
            program = numbered_program(12, number)
            printed, linked = on.run(program.code()), on.run(Linked(program))
            if any("RecursionError" in event.what for event in printed.events + linked.events):
                continue  # how deep it may go depends on how many frames there are
            assert events(linked) == events(printed), f"program {number}\n{program}"
            assert linked.timeouts == printed.timeouts, f"program {number}"
            # Destructors come in another order, and so what is found by them.
            cuts = ["" if run.cut.endswith(TORN_DOWN) else run.cut for run in (linked, printed)]
            assert cuts[0] == cuts[1], f"program {number}"


def test_a_place_is_the_label_of_its_operation():
    with quiet():
        for number in range(200):
            program = numbered_program(12, number)
            text = str(program)
            schedule = side("miniloop").run(Linked(program))
            for event in schedule.events:
                for name, count in re.findall(r"-> (c\d)\.(\d+)", event.what):
                    assert f"async def {name}()" in text
                    assert int(count) < text.count("\n")
