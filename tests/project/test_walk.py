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
    for numbers, most in zip(found, ((185, 67, 13, 124), (239, 80, 16, 164)), strict=True):
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
