"""The rule that a loop breaks, named where a test compares the loop on a program of its own."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from miniloop import lab
from miniloop.difftest import side
from miniloop.difftest.fuzz import numbered_program
from miniloop.testing import assert_same_schedule
from miniloop.testing.assertion import SchedulesDiffer
from tests.lab.strangers import RealStacked, Stacked

RULE = "rule broken: last-in-first-out: The ready queue is first in, first out."


async def three():
    async def child(name):
        print(name)
        await asyncio.sleep(0)

    await asyncio.gather(*(child(name) for name in "abc"))


SCRIPT = """
import asyncio

async def child(name):
    print(name)
    await asyncio.sleep(0)

async def main():
    await asyncio.gather(*(child(name) for name in "abc"))

asyncio.run(main())
"""


def error_of(program, *loops):
    with pytest.raises(SchedulesDiffer) as caught:
        assert_same_schedule(program, loops=loops)
    return caught.value


# Each diagnosis takes some eighty forks. Half of these tests run on one Python only.
@pytest.mark.parametrize("loop", [Stacked, pytest.param(RealStacked, marks=pytest.mark.long)])
def test_of_a_function(loop):
    error = error_of(three, "asyncio", loop)
    assert RULE in str(error)
    assert "last-in-first-out" in error.rules


def test_of_a_script():
    error = error_of(SCRIPT, "asyncio", Stacked)
    assert RULE in str(error)


@pytest.mark.long
def test_of_a_script_on_a_loop_of_the_lab():
    other = error_of(SCRIPT, "asyncio", lab.broken("batch-in-reverse").side())
    assert other.rules[0] == "batch-in-reverse"
    assert "last-in-first-out" not in other.rules


def test_of_a_program():
    found = []
    for number in range(8):  # on which of them the loops differ depends on the Python
        try:
            assert_same_schedule(numbered_program(0, number), loops=("asyncio", Stacked))
        except SchedulesDiffer as error:
            found.append(str(error))
    assert any(RULE in error for error in found)


class Rotating(asyncio.SelectorEventLoop):
    """Begins long batches with their last entry, as no loop of the lab does."""

    def _run_once(self):
        if len(self._ready) > 2:
            self._ready.rotate(1)
        super()._run_once()


@pytest.mark.long
def test_nothing_is_named_that_does_something_else():
    error = error_of(three, "asyncio", Rotating)
    assert error.rules == ()
    assert "rule broken" not in str(error)


async def that_knows_its_library():
    print(asyncio.sleep.__module__)


def test_nothing_is_named_if_miniloop_itself_differs():
    assert error_of(that_knows_its_library, "asyncio", "miniloop").rules == ()
    assert error_of(that_knows_its_library, "miniloop", side("asyncio")).rules == ()


TEST_FILE = """
from tests.lab.strangers import Stacked
from tests.testing.test_rules import three

def test_my_loop(same_schedule):
    same_schedule(three, loops=("asyncio", Stacked))

def test_another(same_schedule):
    same_schedule(three)
"""


def test_a_report_for_ci_has_the_rule(tmp_path: Path):
    """As docs/own-loop.rst shows it."""
    (tmp_path / "test_loops.py").write_text(TEST_FILE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "miniloop.testing.plugin"]
    command += ["-p", "no:cacheprovider", "-c", "/dev/null", f"--rootdir={tmp_path}"]
    command += [f"--junitxml={tmp_path / 'report.xml'}", str(tmp_path / "test_loops.py")]
    # Where miniloop is installed, pytest would load the plugin a second time.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    suite = ET.parse(tmp_path / "report.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    broken, whole = suite.findall("testcase")
    named = [one.get("value") for one in broken.findall("properties/property[@name='rule broken']")]
    assert named[0] == "last-in-first-out"
    failure = broken.find("failure")
    assert failure is not None
    assert "the schedules on asyncio and Stacked differ" in failure.get("message", "")
    assert "rule broken: last-in-first-out: " in (failure.text or "")
    assert whole.find("failure") is None
    assert whole.find("properties") is None
