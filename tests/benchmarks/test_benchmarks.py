"""Every program of the benchmark does its work, on tiny sizes. Nothing here looks at a clock."""

import json
import os
import subprocess
import sys

import pytest

from tests.benchmarks import asyncio_programs, recording, report, rounds
from tests.benchmarks.contenders import CONTENDERS, Contender
from tests.benchmarks.rounds import ROOT, Cell, Results, Worker, WorkFailed
from tests.benchmarks.scale import SCALE, Scale
from tests.benchmarks.work import ASKED, WORK, Work

BY_NAME = {contender.name: contender for contender in CONTENDERS}
PROGRAMS = [work for work in WORK if work.measure != "import"]
SWITCHING = WORK[0]


def no_clock() -> float:
    return 0.0


WORKS = [
    pytest.param(
        work,
        id=work.name,
        marks=[pytest.mark.wants("bench", "aiohttp")] if work.name == "aiohttp" else [],
    )
    for work in PROGRAMS
]


@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize("name", ["asyncio", "miniloop", "interop"])
def test_program_computes_the_right_result(name: str, work: Work) -> None:
    contender = BY_NAME[name]
    result = contender.open()(work.name, work.tiny, no_clock)
    if work.name in contender.lacks:
        assert result is None
    else:
        assert result == (0, asyncio_programs.expected(work.name, work.tiny))


OTHERS = ["bare", "bare-async"] + [
    pytest.param(name, marks=pytest.mark.wants("bench", name))
    for name in ("uvloop", "trio", "tinyio")
]
OTHERS += [
    pytest.param(
        "curio",
        marks=[
            pytest.mark.wants("bench", "curio"),
            pytest.mark.skipif(sys.version_info >= (3, 12), reason="curio does not import there"),
        ],
    )
]


@pytest.mark.parametrize("name", OTHERS)
def test_other_contenders_compute_the_same(name: str) -> None:
    with Worker(BY_NAME[name]) as worker:
        figures = {work.name: worker.do(work, work.tiny) for work in PROGRAMS}
    assert figures["switching"] is not None


def test_python_tasks_are_python_tasks() -> None:
    code = (
        "from tests.benchmarks.contenders import CONTENDERS\n"
        "next(c for c in CONTENDERS if c.name == 'asyncio-py').open()\n"
        "import asyncio; assert asyncio.Task is asyncio.tasks._PyTask\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("scale", SCALE, ids=lambda scale: scale.name)
@pytest.mark.parametrize("name", ["asyncio", "miniloop"])
def test_scale_program_computes_the_right_result(name: str, scale: Scale) -> None:
    marks: list[str] = []
    assert BY_NAME[name].open_api()(scale.program, 20, marks.append) == 20
    assert marks


def test_workers_take_turns_and_ratios_are_per_round() -> None:
    contenders = [BY_NAME["asyncio"], BY_NAME["miniloop"]]
    results = rounds.measure([SWITCHING], contenders, 2, True, lambda text: None)
    assert not results.left_out
    for contender in contenders:
        assert len(results.cells["switching", contender.name].figures) == 2
    assert results.ratios(SWITCHING, "asyncio") == [1, 1]


def test_a_wrong_result_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "expected", lambda work, size: -1)
    with Worker(BY_NAME["asyncio"]) as worker, pytest.raises(WorkFailed, match="wrong result"):
        worker.do(SWITCHING, 200)


def test_what_is_not_installed_is_left_out_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(contender: Contender) -> Worker:
        raise WorkFailed("No module named 'trio'")

    monkeypatch.setattr(rounds, "Worker", not_installed)
    results = rounds.measure([SWITCHING], [BY_NAME["trio"]], 1, True, lambda text: None)
    assert results.contenders == []
    assert "trio is left out, it does not start here: No module named 'trio'" in [
        *report.notes(results)
    ]


def made_up(works: list[Work]) -> Results:
    """Two rounds: miniloop takes half of asyncio's time, then a fourth; of memory likewise."""
    contenders = [BY_NAME[name] for name in ("asyncio", "miniloop", "trio", "bare")]
    cells = {(work.name, c.name): Cell() for work in works for c in contenders}
    for work in works:
        cells[work.name, "asyncio"].figures = [4.0, 4.0]
        cells[work.name, "miniloop"].figures = [2.0, 1.0]
        cells[work.name, "bare"].figures = [1.0, 1.0]
        cells[work.name, "trio"].failure = "it broke"
    sizes = {work.name: work.size for work in works}
    return Results(works, contenders, cells, {"curio": "not for this Python"}, 2, sizes)


def test_ratios_are_speed_but_for_memory_amount() -> None:
    memory = next(work for work in WORK if work.measure == "memory")
    results = made_up([SWITCHING, memory])
    assert results.ratios(SWITCHING, "miniloop") == [2, 4]
    assert results.ratios(memory, "miniloop") == [0.5, 0.25]


def test_asked_is_answered_by_the_median() -> None:
    results = made_up(WORK)
    verdicts = {(asked.work, asked.against): report.verdict(asked, results) for asked in ASKED}
    switching = verdicts["switching", "asyncio"]
    assert switching is not None
    assert switching[1:] == ([2, 4], True)
    bare = verdicts["switching", "bare"]  # at most 1.6 times the time; took 2 and 1
    assert bare is not None
    assert bare[1:] == ([2, 1], True)
    assert verdicts["switching", "uvloop"] is None  # it was not there


def test_reports_say_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    results = made_up(WORK)
    for text in (report.as_text(results), report.as_rst(results)):
        assert "3.00" in text
        assert "curio is left out" in text
        assert "trio failed at switching: it broke" in text
        for work in WORK:
            assert work.title.format(size=work.size) in text
    assert json.loads(report.as_json(results))["work"]["gather"]["size"] == 10_000


@pytest.mark.parametrize(
    ("arguments", "debug", "said"),
    [
        ("'--enable-optimizations' '--with-lto=full'", 0, "release build with PGO and LTO, "),
        ("'--prefix=/usr/local' '--enable-optimizations'", 0, "release build with PGO, "),
        ("'--prefix=/usr' '--enable-shared'", 0, "release build as it is distributed, "),
        ("'--prefix=/usr/local' 'CFLAGS=-O3 -g'", 0, "built without optimizations, "),
        ("'--enable-optimizations' '--with-pydebug'", 1, "debug build, "),
        (None, None, "release build as it is distributed, "),  # on Windows
    ],
)
def test_the_build_of_the_interpreter_is_named(
    monkeypatch: pytest.MonkeyPatch, arguments: str | None, debug: int | None, said: str
) -> None:
    answers = {"CONFIG_ARGS": arguments, "Py_DEBUG": debug}
    monkeypatch.setattr("sysconfig.get_config_var", answers.__getitem__)
    assert report.build().startswith(said)
    assert report.build() in report.origin(made_up(WORK))


@pytest.mark.skipif(sys.version_info < (3, 14), reason="no sys._jit")
@pytest.mark.parametrize("setting", ["0", "1"])
def test_a_table_made_with_the_jit_says_so_and_has_a_page_of_its_own(setting: str) -> None:
    code = "import sys; from tests.benchmarks import __main__ as m, report; "
    code += "print(sys._jit.is_enabled(), 'JIT on' in report.build(), '-jit' in m.PAGE.name)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHON_JIT": setting},
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout.split()
    assert said in ([["True"] * 3, ["False"] * 3] if setting == "1" else [["False"] * 3])


def test_tables_do_without_rich(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    report.print_tables(made_up(WORK))
    assert capsys.readouterr().out.strip() == report.as_text(made_up(WORK)).strip()


@pytest.mark.parametrize("name", recording.PROGRAMS)
def test_what_recording_costs_is_measured_and_shown(name: str) -> None:
    ratios = recording.measured(recording.PROGRAMS[name], 100, 2)
    assert {len(figures) for figures in ratios.values()} == {2}
    page = recording.as_rst({name: ratios}, 100, 2)
    assert page.count(recording.shown(ratios["trace"])) >= 1
    assert "programs of 100 waits, median of 2 rounds" in page


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--only", "swimming"], "swimming"),
        (["--only", "ticks"], "ticks"),
        (["--contenders", "mini"], "mini"),
        (["--rounds", "0"], "'0'"),
        (["scale", "--contenders", "trio"], "trio"),
        (["scale", "--json"], "--json"),
        (["recording", "--json"], "--json"),
    ],
)
def test_bad_input_is_named_and_ends_with_status_2(arguments: list[str], named: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert named in done.stderr.splitlines()[-1]
