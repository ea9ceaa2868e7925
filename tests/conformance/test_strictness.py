"""The conformance suite can fail: on a broken loop, on a loop that hangs, on a wrong register."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.facade import BORROWED_MODULES, BORROWED_NAMES
from tests.conformance.register import BadRegister, Entry, Register, read_register
from tests.conformance.score import (
    INTEROP_LOOP,
    ROOT,
    FileScore,
    Setup,
    score_file,
    this_python,
)

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


# -- inside asyncio itself -------------------------------------------------------------------------

OF_STREAMS = ["test_streams.StreamTests.test_[er]*"]
OF_PROTOCOLS = ["test_protocols.*"]
OF_SENDFILE = ["test_sendfile.SelectEventLoopTests.test_sendfile"]
SPAWNING = ["test_events.TestPyGetEventLoop.test_get_event_loop_new_process"]


def run_inside(only: list[str], loop: str, register: Register = NOTHING_EXCLUDED) -> FileScore:
    setup = Setup(interop_loop=loop, limit=15)
    return score_file(PYTHON, only[0].partition(".")[0], register, setup, only)


def test_a_sound_interop_loop_has_no_problems() -> None:
    score = run_inside(OF_STREAMS, INTEROP_LOOP)
    assert len(score.passed()) > 20
    assert score.problems == []
    assert all(outcome.ticks > 0 for outcome in score.outcomes.values())
    assert sum(outcome.steps for outcome in score.outcomes.values()) > 20


def test_an_interop_loop_in_the_wrong_order_is_noticed() -> None:
    score = run_inside(OF_SENDFILE, "tests.conformance.broken:InteropLastInFirstOut")
    assert set(OF_SENDFILE) & score.missed


def test_no_loop_of_asyncio_runs() -> None:
    score = run_inside(OF_STREAMS, "asyncio:SelectorEventLoop")
    assert score.problems
    assert score.passed() == set()
    assert all("a loop of asyncio runs" in o.detail for o in score.outcomes.values())


def test_a_test_that_never_reaches_miniloop_is_noticed() -> None:
    problems = run_inside(OF_PROTOCOLS, INTEROP_LOOP).problems
    assert len(problems) == 5
    assert all("no loop of miniloop has run in it" in problem for problem in problems)


def test_a_test_that_reaches_miniloop_unexpectedly_is_noticed() -> None:
    register = Register(io_without_loop=("test_streams.*",))
    score = run_inside(OF_STREAMS, INTEROP_LOOP, register)
    assert len(score.problems) == len(score.passed(score.public)) > 5
    assert "the register says it runs none" in score.problems[0]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11's test forks")
def test_a_spawned_process_has_the_interop_loop_too() -> None:
    assert run_inside(SPAWNING, INTEROP_LOOP).problems == []
    score = run_inside(SPAWNING, "tests.conformance.broken:WrongWhenSpawned")
    assert "'wrong' != 'hello'" in score.outcomes[SPAWNING[0]].detail


# -- the register ----------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "table",
    [
        '[io_on_core]\ntests = ["a"]',
        '[interop]\ntests = ["a"]\nreason = "b"\nbut = ["c"]',
        '[io_on_cor]\ntests = ["a"]\nreason = "b"',
    ],
)
def test_a_table_that_is_not_known_or_not_whole_is_refused(table: str, tmp_path: Path) -> None:
    path = tmp_path / "register.toml"
    path.write_text(table)
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
