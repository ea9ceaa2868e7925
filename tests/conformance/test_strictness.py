"""The conformance suite can fail: on a broken loop, on a loop that hangs, on a wrong register."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.facade import BORROWED_MODULES, BORROWED_NAMES
from tests.conformance.register import BadRegister, Entry, Register, read_register
from tests.conformance.score import ROOT, FileScore, Setup, score_file, this_python

PYTHON = this_python()
pytestmark = pytest.mark.skipif(bool(PYTHON.why_not), reason=PYTHON.why_not or "runs")

A_FEW = ["test_locks.LockTests.test_*", "test_threads.*"]
NOTHING_EXCLUDED = Register()
ONE = ["test_threads.ToThreadTests.test_to_thread"]


def run(
    only: list[str], register: Register = NOTHING_EXCLUDED, loop: str | None = None
) -> FileScore:
    setup = Setup(loop=loop and f"tests.conformance.broken:{loop}", interop_loop=None, limit=1)
    return score_file(PYTHON, only[0].partition(".")[0], register, setup, only)


def test_a_sound_loop_has_no_problems() -> None:
    score = run(A_FEW)
    assert len(score.passed()) > 5
    assert score.problems == []


def test_a_loop_in_the_wrong_order_is_noticed() -> None:
    assert any("test_acquire" in problem for problem in run(A_FEW, loop="LastInFirstOut").problems)


@pytest.mark.parametrize(
    ("loop", "said"), [("Hanging", "TimeLimit"), ("Deaf", "the process ended in mid-test")]
)
def test_a_loop_that_hangs_is_ended(loop: str, said: str) -> None:
    (problem,) = run(ONE, loop=loop).problems
    assert said in problem


def test_an_excluded_test_that_passes_is_a_problem() -> None:
    register = Register((Entry(tests=tuple(ONE), reason="none", cause="nature"),))
    (problem,) = run(ONE, register).problems
    assert "passes, but the register excludes it" in problem


def test_an_entry_for_no_test_is_a_problem() -> None:
    register = Register((Entry(("test_threads.NoSuchTests.*",), reason="none", cause="nature"),))
    (problem,) = score_file(PYTHON, "test_threads", register).problems
    assert "no such test" in problem


def test_an_entry_for_another_python_excludes_nothing_here() -> None:
    entry = Entry(tests=tuple(ONE), reason="none", cause="nature", python=("3.0",))
    assert run(ONE, Register((entry,))).problems == []


@pytest.mark.parametrize(
    "entry",
    [
        'tests = ["a"]\ncause = "nature"',
        'tests = ["a"]\ncause = "weather"\nreason = "b"',
        'tests = ["a"]\ncause = "nature"\nreason = "b"\nfalky = true',
        'tests = []\ncause = "nature"\nreason = "b"',
    ],
)
def test_an_entry_that_says_too_little_is_refused(entry: str, tmp_path: Path) -> None:
    path = tmp_path / "register.toml"
    path.write_text(f"[[excluded]]\n{entry}\n")
    with pytest.raises(BadRegister):
        read_register(path)


OF_ASYNCIO = """
import asyncio, miniloop, sys
from tests.conformance.facade import Facade

modules = [m for name, m in sys.modules.items() if name.partition(".")[0] == "asyncio"]
real = {id(value) for module in modules for value in vars(module).values() if callable(value)}
Facade("miniloop").install()
for name, module in sys.modules.items():
    if name.partition(".")[0] == "asyncio":
        assert module not in modules
        for key, value in vars(module).items():
            if id(value) in real and value.__module__.startswith(("asyncio.", "_asyncio")):
                print(value.__module__.removeprefix("asyncio."), key)
"""


def test_what_the_stand_in_takes_from_asyncio_schedules_nothing() -> None:
    child = subprocess.run(
        [sys.executable, "-c", OF_ASYNCIO], cwd=ROOT, capture_output=True, text=True, check=True
    )
    taken = {tuple(line.split()) for line in child.stdout.splitlines()}
    assert ("protocols", "Protocol") in taken
    exceptions = {("queues", name) for name in ("QueueEmpty", "QueueFull", "QueueShutDown")}
    listed = {(home, name) for home, names in BORROWED_NAMES.items() for name in names}
    others = {(home, name) for home, name in taken if home not in BORROWED_MODULES}
    assert others - exceptions <= listed
