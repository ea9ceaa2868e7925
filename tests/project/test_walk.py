"""What a program visits of the package does not grow unseen."""

import re
import subprocess
import sys

import pytest

import miniloop
from tests import walk
from tests.reading_order import ROOT


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the numbers are those of 3.13 and later")
def test_a_program_visits_no_more_than_it_did() -> None:
    # In a process of its own: all_tasks() looks at what other tests have left as well.
    command = [sys.executable, "-m", "tests.walk"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = re.findall(
        r"^(\d+) calls, (\d+) functions, (\d+) files, (\d+) changes", done.stdout, re.MULTILINE
    )
    for numbers, most in zip(found, ((174, 64, 12, 113), (221, 76, 15, 148)), strict=True):
        assert all(int(one) <= other for one, other in zip(numbers, most, strict=True)), numbers


def test_a_task_is_made_and_stepped_in_the_core_alone() -> None:
    async def main() -> None:
        await miniloop.sleep(0)

    with miniloop.Runner() as runner:
        loop = runner.get_loop()

        def make_and_step() -> None:
            loop.create_task(main())
            loop._run_once()
            loop._run_once()

        found = walk.walk(make_and_step)
    assert {file.partition("/")[0] for file in found.files} == {"core"}


def test_the_way_of_a_value_goes_through_three_ticks() -> None:
    command = [
        sys.executable,
        "-c",
        "from tests.walk import *; print(*way_of_a_value(), sep='\\n')",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    way = [eval(line, {"Visit": walk.Visit}) for line in done.stdout.splitlines()]
    assert [visit.queue for visit in way if visit.queue is not None] == [
        ("guest",),
        ("kettle",),
        ("guest",),
    ]
    assert [(visit.tick, visit.name) for visit in way if visit.file == walk.YOURS] == [
        (1, "guest"),
        (2, "kettle"),
        (3, "guest"),
    ]
    assert [(visit.name, visit.passes) for visit in way if "tea" in visit.passes] == [
        ("kettle", "returns 'tea'"),
        ("Future.__await__", "returns 'tea'"),
    ]
    assert {visit.file for visit in way} == {
        *("core/loop", "core/tasks", "core/futures"),
        *("details/current", walk.YOURS),
    }
