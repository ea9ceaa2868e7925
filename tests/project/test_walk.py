"""What a program visits of the package does not grow unseen."""

import sys

import pytest

import miniloop
from tests import walk


def walked(title: str) -> walk.Walk:
    program = walk.PROGRAMS[title]
    return walk.walk(lambda: miniloop.run(program()))


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the numbers are those of 3.13 and later")
def test_a_program_visits_no_more_than_it_did() -> None:
    for title, most in zip(walk.PROGRAMS, ((188, 68, 13, 127), (248, 82, 16, 170)), strict=True):
        found = walked(title)
        numbers = (len(found.steps), found.functions, len(found.files), found.changes)
        assert all(one <= other for one, other in zip(numbers, most, strict=True)), str(found)


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
