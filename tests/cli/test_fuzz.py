"""`python -m miniloop fuzz`: what it finds, how it says so, and foreign loops under watch."""

import re
import sys
from pathlib import Path

import pytest

from miniloop.cli import fuzz as cli
from miniloop.difftest import foreign
from miniloop.difftest.fuzz import Hunt
from miniloop.difftest.programs import Program
from tests.cli.both_ways import Ended, run

# Each of these is a loop as a stranger might bring it along: a module with a factory.
LOOPS = """
import asyncio, os, signal, time

class Real:
    '''asyncio's loop behind a face that takes no selector.'''
    def __init__(self):
        self._loop = asyncio.SelectorEventLoop()
    def __getattr__(self, name):
        return getattr(self._loop, name)

def good():
    return asyncio.new_event_loop()

class Twice(asyncio.SelectorEventLoop):
    '''Runs what is scheduled in mid-batch in the same tick.'''
    def _run_once(self):
        super()._run_once()
        ready = len(self._ready)
        while ready and not self._stopping and self._ready:
            self._ready.popleft()._run()
            ready -= 1

class Backwards(asyncio.SelectorEventLoop):
    def _run_once(self):
        self._ready.reverse()
        super()._run_once()

class Crashing(asyncio.SelectorEventLoop):
    def call_soon(self, callback, *args, context=None):
        if args == (1,):
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().call_soon(callback, *args, context=context)

class Leaving(asyncio.SelectorEventLoop):
    def call_soon(self, callback, *args, context=None):
        if args == (1,):
            os._exit(0)
        return super().call_soon(callback, *args, context=context)

class Hanging(asyncio.SelectorEventLoop):
    def call_soon(self, callback, *args, context=None):
        if args == (1,):
            time.sleep(1000)
        return super().call_soon(callback, *args, context=context)

def broken():
    raise OSError("no luck")

def number():
    return 3
"""

# A module that cannot be imported, for a reason of its own.
LEAVES = "import sys; sys.exit('not today')"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "loops.py").write_text(LOOPS)
    (tmp_path / "leaves.py").write_text(LEAVES)
    return tmp_path


def fuzz(folder: Path, *args: str) -> Ended:
    return run([sys.executable, "-m", "miniloop", "fuzz", *args], folder)


def test_miniloop_and_asyncio_agree(folder: Path) -> None:
    ended = fuzz(folder, "--examples", "1100", "--jobs", "2")
    assert (ended.stderr, ended.status) == ("", 0)
    first, *rest = ended.stdout.splitlines()
    assert first.startswith("1,100 programs compared (median ")
    assert " 0 differ, in 0 groups; " in first
    assert re.search(r" \d+ programs a second and core \([\d,]+ to [\d,]+ in pieces of ", first)
    assert any(line.endswith(" or not counted: too many events") for line in rest)


def test_a_foreign_loop_with_a_selector_is_compared_to_the_tick(folder: Path) -> None:
    ended = fuzz(folder, "--loop", "loops:Backwards", "--examples", "3")
    assert (ended.stderr, ended.status) == ("", 1)
    assert "=> " in ended.stdout
    assert "select(0)" in ended.stdout
    assert "\nloop = asyncio.new_event_loop()\n" in ended.stdout
    assert "\nreproduce: python -m miniloop fuzz --loop loops:Backwards --against asyncio" in (
        ended.stdout
    )


def test_a_finding_is_reproduced_by_its_line(folder: Path) -> None:
    options = ["--examples", "10", "--without", "debug", "--without", "readiness"]
    found = fuzz(folder, "--loop", "loops:Backwards", *options)
    line = next(line for line in found.stdout.splitlines() if line.startswith("reproduce: "))
    again = run([sys.executable, *line.split()[2:]], folder)
    assert again.status == 1
    assert line in again.stdout.splitlines()


def test_a_group_can_be_allowed(folder: Path) -> None:
    options = ["--loop", "loops:Backwards", "--examples", "3"]
    found = fuzz(folder, *options)
    names = [
        line.split()[2].rstrip(":") for line in found.stdout.splitlines() if "=== group" in line
    ]
    assert names
    allowed = fuzz(folder, *options, *(part for name in names for part in ("--allow", name)))
    assert f"begins as one of the group {names[0]}, which is allowed" in allowed.stdout
    assert f"=== group {names[0]}" not in allowed.stdout
    assert not allowed.stderr
    unmet = fuzz(folder, "--examples", "3", "--allow", names[0])
    assert unmet.stderr == f"--allow {names[0]}: no finding of this group\n"


def test_a_loop_without_selector_runs_in_real_time(folder: Path) -> None:
    ended = fuzz(folder, "--loop", "loops:good", "--examples", "15")
    assert (ended.stderr, ended.status) == ("", 0), ended.stdout
    assert " 0 differ, in 0 groups" in ended.stdout


def test_progress_is_told_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr(cli.time, "perf_counter", lambda: now)
    progress = cli.Progress(5_000, now)
    told = []
    for seconds in (9, 20, 5, 29, 2):  # a line at 34 seconds, another at 65
        now += seconds
        progress.show(Hunt(programs=int(now - 100) * 10))
        told.append(capsys.readouterr().err)
    line = "340 of 5,000 programs, 10 a second, 0 kinds of difference\n"
    assert told == ["", "", line, "", line.replace("340", "650")]


def program(*ops: tuple[str, ...]) -> Program:
    return Program((("run", "c0"),), (("c0", ops), ("k0", ())))


ENDS = {
    "loops:Crashing": "crashes: SIGSEGV",
    "loops:Leaving": "leaves silently, exit status 0",
    "loops:Hanging": "hangs",
}


@pytest.mark.parametrize("name", ENDS)
def test_how_a_foreign_loop_ends_is_a_finding(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(foreign, "WATCH", 1.0)
    match = foreign.Match("asyncio", name)
    try:
        harmless = program(("call_soon", "h0", "k0", ""))
        assert match.difference(harmless) is None
        found = match.difference(program(("call_soon", "h0", "k0", ", 1")))
        assert found is not None
        assert [event.what for event in found.right.events] == [ENDS[name]]
        assert match.difference(harmless) is None  # a new process has taken over
    finally:
        match.close()


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["--loop", "nothing"], "no loop named 'nothing': choose from asyncio, "),
        (["--loop", "nowhere:Loop"], "nowhere:Loop: there is no module named 'nowhere'"),
        (["--loop", "loops:Nothing"], "loops:Nothing: module 'loops' has no 'Nothing'"),
        (["--loop", "loops:broken"], "loops:broken: the loop cannot be made: OSError: no luck"),
        (["--loop", "loops:number"], "loops:number: it makes no loop, but returns 3"),
        (["--loop", "leaves:loop"], "leaves:loop: cannot import leaves: SystemExit: not today"),
        (["--loop", ":loop"], ":loop: give a module and a name in it, as in uvloop:"),
        (
            ["--loop", "loops:"],
            "loops:: give a module and a name in it, as in uvloop:new_event_loop",
        ),
        (["--without", "luck"], "no feature named 'luck': choose from tasks, "),
    ],
)
def test_bad_arguments(args: list[str], line: str, folder: Path) -> None:
    ended = fuzz(folder, *args)
    assert (ended.stdout, ended.status) == ("", 2)
    assert ended.stderr.startswith("miniloop fuzz: ")
    assert ended.stderr.count("\n") == 1
    assert line in ended.stderr


def shows(loop: str, *programs: Program) -> list[bool]:
    """On which programs a loop differs from asyncio, each time of three."""
    match = foreign.Match("asyncio", loop)
    try:
        return [match.difference(match.fit(one), 3) is not None for one in programs]
    finally:
        match.close()


needs_uvloop = pytest.mark.wants("loops", "uvloop")
needs_rloop = pytest.mark.wants("loops", "rloop")


@needs_uvloop
def test_uvloop_goes_on_after_stop_and_runs_due_timers_first() -> None:
    chain = Program(
        (("run", "c0"),),
        (("c0", (("spawn", "t1", "c1"),)), ("c1", (("call_soon", "h0", "k0", ""),))),
    )
    timer = program(("call_later", "h0", "0", "k0", ", 2"), ("ticks", "3"))
    plain = program(("ticks", "3"))
    assert shows("uvloop:new_event_loop", chain, timer, plain) == [True, True, False]


@needs_rloop
def test_rloop_runs_a_cancelled_handle_that_has_one_argument() -> None:
    def cancelled(args: str) -> Program:
        return program(("call_soon", "h0", "k0", args), ("handle_cancel", "h0"), ("ticks", "3"))

    programs = [cancelled(args) for args in ("", ", 1", ", 1, 2")]
    assert shows("rloop:new_event_loop", *programs) == [False, True, False]


def test_asyncio_differs_from_itself_in_python() -> None:
    """A task that awaits itself: C tasks and Python tasks part there, in one known way."""
    source = """
import asyncio
async def own():
    try:
        await asyncio.current_task()
    except RuntimeError:
        pass
    await asyncio.sleep(0)
async def other(task):
    try:
        print(await task)
    except RuntimeError:
        print("RuntimeError")
async def main():
    task = asyncio.create_task(own())
    await asyncio.sleep(0)
    await other(task)
asyncio.new_event_loop().run_until_complete(main())
"""
    import asyncio

    from miniloop.difftest import Side, quiet, side
    from miniloop.difftest.sides import python_tasks_known_in_c

    code = compile(source, "<program>", "exec")
    with quiet():
        printed = {
            name: [e.what for e in side(name).run(code).events if e.who == "print"]
            for name in ("asyncio", "asyncio-python", "miniloop")
        }
        cut = side("asyncio-python").run(code).cut
        loop, task = asyncio.SelectorEventLoop, asyncio.tasks._PyTask  # type: ignore[attr-defined]
        unwatched = Side(
            "asyncio-python-unwatched", asyncio, loop, task, places=python_tasks_known_in_c()
        )
        found = [e.what for e in unwatched.run(code).events if e.who == "print"]
    assert printed == {
        "asyncio": ["RuntimeError"],
        "asyncio-python": [],
        "miniloop": ["RuntimeError"],
    }
    assert cut == "a Python task that awaits itself"
    assert found == ["None"]
