"""Each rung agrees with asyncio as far as it claims, and prints what its page shows."""

import asyncio
import contextlib
import io
import itertools
import socket
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from tests.budget import code_lines
from tests.ladder.__main__ import main
from tests.ladder.rungs import ROOT, RUNGS, TO_THE_TICK, Held, Rung
from tests.ladder.speed import KINDS, shares

PLAN = (20, 60, 90, 170, 240, 430, 520, 430)
"""About as many code lines as each rung shall have, without the program at its end."""
AGREE_ON_ALL = {2, *range(TO_THE_TICK, len(RUNGS) + 1)}
SOME = 300
"""How many programs a quick test runs."""

each_rung = pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.path.stem)


def test_there_are_eight() -> None:
    assert [rung.number for rung in RUNGS] == [1, 2, 3, 4, 5, 6, 7, 8]


@each_rung
def test_has_about_as_many_lines_as_planned(rung: Rung) -> None:
    library, _ = halves(rung.path)
    assert len(code_lines(library)) <= PLAN[rung.number - 1] * 1.25


@each_rung
def test_has_names_of_asyncio_and_no_others(rung: Rung) -> None:
    classes = {
        "EventLoop": asyncio.SelectorEventLoop,
        "CancelledError": asyncio.CancelledError,
        "InvalidStateError": asyncio.InvalidStateError,
        **{name: getattr(asyncio, name) for name in ("Future", "Task", "Handle", "TimerHandle")},
    }
    constants = {"MAXIMUM_SELECT_TIMEOUT", "EVENT_READ", "EVENT_WRITE"}
    for name, thing in vars(rung.module).items():
        if name.startswith("_") or getattr(thing, "__module__", "") != rung.path.stem:
            continue
        if isinstance(thing, type):
            public = {attribute for attribute in vars(thing) if not attribute.startswith("_")}
            assert public <= set(dir(classes[name])), name
        else:
            assert name in dir(asyncio), name
    left = {name for name, thing in vars(rung.module).items() if isinstance(thing, int)}
    assert {name for name in left if not name.startswith("_")} <= constants


@each_rung
def test_agrees_as_far_as_it_claims(rung: Rung) -> None:
    differing = list(Held(rung).differing(SOME))
    if rung.number in AGREE_ON_ALL:
        assert differing == []
    else:  # it says that it does not
        assert SOME * 0.1 < len(differing) < SOME * 0.9


@pytest.mark.long
@pytest.mark.parametrize("start", range(0, 20_000, 5000))
def test_agrees_on_each_of_20_000_programs(start: int) -> None:
    assert list(Held(RUNGS[TO_THE_TICK - 1]).differing(5000, start=start)) == []


@pytest.mark.long
@pytest.mark.parametrize("rung", RUNGS[TO_THE_TICK:], ids=lambda rung: rung.path.stem)
def test_the_rungs_above_agree_on_each_of_5000(rung: Rung) -> None:
    assert list(Held(rung).differing(5000)) == []


@each_rung
def test_last_in_first_out_is_told_apart(rung: Rung) -> None:
    source = rung.path.read_text(encoding="utf-8")
    assert source.count("ready.popleft()") == 1
    broken = types.ModuleType(rung.path.stem)
    exec(source.replace("ready.popleft()", "ready.pop()"), broken.__dict__)
    whole = set(Held(rung).differing(60))
    assert set(Held(rung, broken).differing(60)) - whole


@each_rung
def test_programs_use_only_what_the_rung_has(rung: Rung) -> None:
    programs = [rung.program(number) for number in range(50)]
    assert all(rung.can_say(program) for program in programs)
    used = frozenset().union(*(program.features() for program in programs))
    assert used <= {*rung.claims, "stop"}  # how the main program runs is of the feature stop


def test_the_next_rung_is_claimed_for_a_reason() -> None:
    for rung, following in itertools.pairwise(RUNGS[:7]):
        held = Held(rung)
        assert list(held.differing(40, following)), f"rung {rung.number} can do all that"


@pytest.mark.parametrize("number", [1, 3])
def test_smallest_difference_is_small(number: int) -> None:
    held = Held(RUNGS[number - 1])
    found = held.smallest(list(held.differing(40))[:2])
    assert found is not None
    assert found.program is not None
    assert found.program.line_count() <= 8
    assert found.left != found.right


@each_rung
def test_runs_and_prints(rung: Rung) -> None:
    done = subprocess.run(
        [sys.executable, str(rung.path.relative_to(ROOT))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert len(done.stdout.splitlines()) >= 2


@pytest.mark.parametrize("rung", RUNGS[3:7], ids=lambda rung: rung.path.stem)
def test_its_program_prints_the_same_on_asyncio(rung: Rung) -> None:
    library, program = halves(rung.path)
    on_rung: dict[str, Any] = {"__name__": "__main__"}
    exec(library, on_rung)
    loop = asyncio.SelectorEventLoop()
    on_asyncio = {**vars(asyncio), "socket": socket, "__name__": "__main__"}
    on_asyncio["EventLoop"] = lambda: loop
    try:
        assert said(on_rung, program) == said(on_asyncio, program)
    finally:
        loop.close()


def said(names: dict[str, Any], program: str) -> str:
    """Return what a program prints that runs with these names."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(program, names)
    return out.getvalue()


def halves(path: Path) -> tuple[str, str]:
    """Return a rung's library, and the program at its end."""
    before, line, after = path.read_text(encoding="utf-8").partition("\nif __name__ ")
    return before, "if __name__ " + after if line else ""


def test_the_command_prints_a_line_for_each_rung(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--programs", "20", "--jobs", "1", "2", "6"])
    assert capsys.readouterr().out.splitlines() == [
        "rung 2: agrees on 20 of 20",
        "rung 6: agrees on 20 of 20",
    ]


def test_the_command_refuses_a_rung_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["9"])
    assert "there is no rung 9: choose from 1 to 8" in capsys.readouterr().err


def test_a_file_of_a_reader_is_held_as_a_rung(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.py"
    source = RUNGS[1].path.read_text(encoding="utf-8")
    mine.write_text(source)
    with pytest.raises(SystemExit, match="0"):
        main(["2", "--file", str(mine), "--programs", "20"])
    assert capsys.readouterr().out == f"{mine} agrees with asyncio on 20 of 20 programs\n"
    mine.write_text(source.replace("ready.popleft()", "ready.pop()"))
    with pytest.raises(SystemExit, match="1"):
        main(["2", "--file", str(mine), "--programs", "20"])
    assert "\nThe smallest program found on which it does not:\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--file", "no.py"], "--file goes with one rung: the one that the file shall be like"),
        (["2", "--file", "no.py"], "there is no file 'no.py'"),
        (["2", "--file", "empty.py"], "empty.py has no EventLoop: a rung has asyncio's names"),
        (["2", "--file", "broken.py"], "broken.py cannot be imported: SyntaxError: "),
        (["2", "--also", "events"], "--also goes with --file FILE"),
    ],
)
def test_a_file_that_is_no_rung_is_refused(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "broken.py").write_text("class (:\n")
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_rung_is_faster(kind: str) -> None:
    six, eight = RUNGS[5].module, RUNGS[7].module
    assert shares([six, eight], kind, steps=5000)[1] < 0.95  # it is about two thirds
