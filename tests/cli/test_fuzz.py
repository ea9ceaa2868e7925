"""`python -m miniloop fuzz`: what it finds, how it says so, and foreign loops under watch."""

import json
import re
import sys
from pathlib import Path

import pytest

from miniloop import lab
from miniloop.cli import findings
from miniloop.cli import fuzz as cli
from miniloop.difftest import Difference, foreign, quiet, tokens
from miniloop.difftest.foreign import Match
from miniloop.difftest.fuzz import Finding, Hunt
from miniloop.difftest.programs import Program
from miniloop.difftest.real_time import BLOCKS
from miniloop.lab.diagnosis import groups
from miniloop.trace import Schedule
from tests.cli.both_ways import ROOT, Ended, run

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

class Rotating(asyncio.SelectorEventLoop):
    '''Begins long batches with their last entry, as no loop of the lab does.'''
    def _run_once(self):
        if len(self._ready) > 2:
            self._ready.rotate(1)
        super()._run_once()

class RealBackwards(Backwards):
    def __init__(self):
        super().__init__()

class Crashing(asyncio.SelectorEventLoop):
    def call_soon(self, callback, *args, context=None):
        if args == (1,):
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().call_soon(callback, *args, context=context)

class RealCrashing(Crashing):
    def __init__(self):
        super().__init__()

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
    first, second, *rest = ended.stdout.splitlines()
    assert first == "miniloop is compared with asyncio to the tick"
    assert second.startswith("1,100 programs compared (median ")
    assert ": 1,100 agree, 0 differ; " in second
    assert re.search(r" \d+ programs a second and core \([\d,]+ to [\d,]+ in pieces of ", second)
    # On older Pythons there are more reasons than the summary has lines for.
    assert any(" not compared to the end or not counted: " in line for line in rest)


def test_a_foreign_loop_with_a_selector_is_compared_to_the_tick(folder: Path) -> None:
    ended = fuzz(folder, "--loop", "loops:Backwards", "--examples", "3")
    assert (ended.stderr, ended.status) == ("", 1)
    assert ended.stdout.startswith(
        "loops:Backwards is compared with asyncio to the tick, on virtual time: it takes a selector"
    )
    assert "=> " in ended.stdout
    assert "select(0)" in ended.stdout
    assert "\n   loop = asyncio.new_event_loop()\n" in ended.stdout
    assert "\n   reproduce: python -m miniloop fuzz --loop loops:Backwards --against asyncio" in (
        ended.stdout
    )


def test_the_summary_names_the_rule_that_is_broken(folder: Path) -> None:
    ended = fuzz(folder, "--loop", "loops:Backwards", "--examples", "40")
    lines = ended.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("1. "))
    assert lines[at].startswith("1. batch-in-reverse: What is ready when a tick begins runs in ")
    found = re.fullmatch(r"   explains (\d+) of (\d+) programs that differ", lines[at + 1])
    assert found
    assert found[1] == found[2]
    assert not any(line.startswith("2. ") for line in lines)
    assert "No loop of the lab explains" not in ended.stdout
    assert "How the lab breaks a rule: python -m miniloop lab batch-in-reverse" in lines


def test_the_summary_of_many_groups_fits_one_screen(folder: Path) -> None:
    ended = fuzz(folder, "--loop", "loops:Rotating", "--examples", "25")
    assert ended.status == 1
    hint = re.search(
        r"\nNo loop of the lab explains (\d+) programs: it may lack one\.", ended.stdout
    )
    assert hint
    assert int(hint[1]) > 10
    assert re.search(r"\n   and \d+ more groups?\n", ended.stdout)
    assert ended.stdout.count("=> ") >= 1
    assert len(ended.stdout.splitlines()) <= 60


@pytest.mark.parametrize("rules", [0, 1, 2, len(lab.LOOPS)])
def test_the_summary_of_130_findings_fits_one_screen(rules: int) -> None:
    body = tuple(("sleep", "0") for _ in range(10))
    small = Program((("run", "c0"),), (("c0", body),))
    total = Hunt(programs=1000, cut={f"reason {number}": number for number in range(9)})
    for number in range(130):
        word = "".join("abcdefghij"[int(digit)] for digit in str(number))  # a kind has no digits
        left, right = (Schedule([(1, 0, "print", text)], [0]) for text in (word, "other"))
        named = (list(lab.LOOPS)[number % rules],) if rules else ()
        finding = Finding(Difference(small, "asyncio", "miniloop", left, right), 0, number, named)
        total.keep(finding)
        total.count(finding.key, number)
    found = groups(total)
    assert len(found) == (rules or 130)
    lines = findings.summary(total, found, Match("asyncio", "miniloop"), "fast", None)
    assert 20 < len(lines) <= 60 - 2  # and what is compared
    assert sum("=> " in line for line in lines) >= 1
    assert ("1. last-in-first-out: " in "\n".join(lines)) == bool(rules)


def test_details_are_written_to_a_new_folder(folder: Path) -> None:
    options = ["--loop", "loops:Backwards", "--examples", "8", "--details", "found"]
    ended = fuzz(folder, *options)
    assert (ended.stderr, ended.status) == ("", 1)
    first = folder / "found" / "01-batch-in-reverse-01.py"
    text = first.with_suffix(".txt").read_text()
    assert text.startswith("What is ready when a tick begins runs in the order ")
    assert first.read_text() in text
    assert "\n=> " in text
    assert "\nreproduce: python -m miniloop fuzz --loop loops:Backwards " in text
    command = next(line for line in ended.stdout.splitlines() if line.startswith("One of them"))
    options_of = command.partition("python -m miniloop ")[2].split()
    assert options_of[-1] == "found/01-batch-in-reverse-01.py"
    shown = run([sys.executable, "-m", "miniloop", *options_of], folder)
    assert shown.status == 1, shown
    assert "=> " in shown.stdout
    again = fuzz(folder, *options)
    assert again.status == 2
    assert again.stderr == (
        "miniloop fuzz: --details found: the folder is not empty: name a new one\n"
    )
    in_the_way = fuzz(folder, "--details", "loops.py")
    assert in_the_way.status == 2
    assert in_the_way.stderr == "miniloop fuzz: --details loops.py: File exists\n"


def test_a_finding_is_reproduced_by_its_line(folder: Path) -> None:
    """With a token, as docs/own-loop.rst says."""
    options = ["--examples", "10", "--without", "debug", "--without", "readiness"]
    found = fuzz(folder, "--loop", "loops:Backwards", *options)
    line = next(line for line in found.stdout.splitlines() if "   reproduce: " in line)
    token = line.split()[-1]
    assert line.split()[-2] == "--replay"
    assert len(token) <= 80
    again = run([sys.executable, *line.split()[2:]], folder)
    assert (again.stderr, again.status) == ("", 1)
    assert again.stdout.splitlines()[1].startswith("1 program compared ")
    shown = found.stdout[found.stdout.index("\n1. batch-in-reverse: ") :]
    program = shown[shown.index("   import ") : shown.index("   reproduce: ")]
    assert program in again.stdout
    assert line in again.stdout.splitlines()
    assert "\n1. batch-in-reverse: " in again.stdout


def test_a_program_that_is_too_long_for_a_token_is_drawn_and_shrunk_again(folder: Path) -> None:
    options = ["--loop", "loops:Backwards", "--seed", "3", "--start", "4", "--examples", "1"]
    found = fuzz(folder, *options, "--without", "debug")
    token = tokens.token_of(None, tokens.Drawn(3, 4, frozenset({"debug"})))
    again = fuzz(folder, "--loop", "loops:Backwards", "--replay", token)
    assert found.status == again.status == 1
    found_lines, again_lines = found.stdout.splitlines(), again.stdout.splitlines()
    assert found_lines[2:] == again_lines[2:]
    agreeing = fuzz(folder, "--loop", "loops:good", "--replay", token)
    assert agreeing.status == 0
    assert " 0 differ" in agreeing.stdout


def test_what_is_found_is_written_as_json(folder: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "miniloop/cli/fuzz.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    options = ["--loop", "loops:Backwards", "--examples", "6", "--json", "found.json"]
    ended = fuzz(folder, *options, "--without", "debug", "--seed", "4")
    assert (ended.stderr, ended.status) == ("", 1)
    found = json.loads((folder / "found.json").read_text())
    jsonschema.validate(found, schema)
    assert (found["loop"], found["against"]) == ("loops:Backwards", "asyncio")
    assert (found["compared"], found["stopped"], found["seed"]) == ("ticks", False, 4)
    assert found["without"] == ["debug"]
    assert found["agree"] + found["differ"] == found["programs"] == 6
    first = found["groups"][0]
    assert (first["name"], first["allow"]) == ("batch-in-reverse", "batch-in-reverse")
    small = first["findings"][0]
    assert tokens.read(small["token"]) is not None
    assert small["token"] in ended.stdout
    assert small["against"][: small["first"]] == small["loop"][: small["first"]]
    assert small["against"][small["first"]] != small["loop"][small["first"]]
    assert small["command"].endswith(small["token"])
    missing = fuzz(folder, "--json", "nowhere/found.json")
    assert missing.status == 2
    assert missing.stderr == (
        "miniloop fuzz: --json nowhere/found.json: name a file in a folder that exists\n"
    )


def test_github_is_told(folder: Path) -> None:
    command = [sys.executable, "-m", "miniloop", "fuzz", "--loop", "loops:Backwards"]
    ended = run([*command, "--examples", "4"], folder, GITHUB_ACTIONS="true")
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("::")]
    title, text = line.removeprefix("::error title=").split("::")
    assert title == "loops%3ABackwards differs from asyncio"
    assert text.startswith("rule broken: batch-in-reverse: What is ready when a tick begins ")
    assert re.search(
        r"%0A\d programs?, of which this is a small one: python -m miniloop fuzz ", text
    )
    assert findings.escaped("100 %\n") == "100 %25%0A"


def test_a_rule_can_be_allowed(folder: Path) -> None:
    options = ["--loop", "loops:Backwards", "--examples", "20"]
    allowed = fuzz(folder, *options, "--allow", "batch-in-reverse")
    assert (allowed.stderr, allowed.status) == ("", 0)
    assert " or not counted: runs as on batch-in-reverse, which is allowed" in allowed.stdout
    assert "Rules broken" not in allowed.stdout
    unmet = fuzz(folder, "--examples", "3", "--allow", "batch-in-reverse")
    assert unmet.stderr == "--allow batch-in-reverse: no finding of this group\n"


def test_an_unexplained_group_can_be_allowed(folder: Path) -> None:
    options = ["--loop", "loops:Rotating", "--examples", "6"]
    found = fuzz(folder, *options)
    names = re.findall(r"^   ([0-9a-f]{6})  \d+ programs?: ", found.stdout, re.MULTILINE)
    assert names
    allowed = fuzz(folder, *options, *(part for name in names for part in ("--allow", name)))
    assert f"begins as one of the group {names[0]}, which is allowed" in allowed.stdout
    assert f"   {names[0]}  " not in allowed.stdout
    assert not allowed.stderr
    unmet = fuzz(folder, "--examples", "3", "--allow", names[0])
    assert unmet.stderr == f"--allow {names[0]}: no finding of this group\n"


def test_a_loop_without_selector_is_diagnosed_by_the_order(folder: Path) -> None:
    ended = fuzz(folder, "--loop", "loops:RealBackwards", "--examples", "6")
    first = ended.stdout.partition("\n")[0]
    assert "takes no selector, so only the order of events is compared" in first
    assert "\n1. batch-in-reverse: " in ended.stdout
    assert "select(" not in ended.stdout


def test_a_loop_without_selector_runs_in_real_time(folder: Path) -> None:
    ended = fuzz(folder, "--loop", "loops:good", "--examples", "15")
    assert (ended.stderr, ended.status) == ("", 0), ended.stdout
    assert ", 0 differ; " in ended.stdout


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
    line = "340 of 5,000 programs, 10 a second, 0 differ\n"
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


def test_programs_in_real_time_run_at_the_same_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(foreign, "WATCH", 20.0)  # none of them hangs
    monkeypatch.setattr(foreign, "IN_FLIGHT", 3)
    programs = [program(("sleep", delay)) for delay in ("0.09", "0.01", "0.05") * 2]
    programs[4] = program(("call_soon", "h0", "k0", ", 1"))
    programs[1] = program(("acquire", "l0"), ("acquire", "l0"))  # waits for ever
    match = foreign.Match("asyncio", "loops:RealCrashing")
    try:
        with quiet():
            both = list(match.in_real_time(enumerate(programs)))
            again = list(match.in_real_time(enumerate(programs)))
    finally:
        match.close()
    for found in (both, again):
        schedules = {number: both for number, _, both in found}
        assert len(schedules) == len(found) == len(programs)
        assert schedules[1] == BLOCKS
        ended = [event.what for event in schedules[4][1].events]  # type: ignore[union-attr]
        assert ended == ["crashes: SIGSEGV"]
        assert all(foreign.agree(*schedules[n]) for n in (0, 2, 3, 5))  # type: ignore[arg-type]
    assert match.scale <= foreign.MOST_APART


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
        (["--replay", "luck"], "--replay: 'luck' is no token of `miniloop fuzz`: copy it as a "),
        (["--seed", "1" * 30], "--seed 111111111111111111111111111111: give a smaller number, "),
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
