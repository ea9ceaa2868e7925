"""`explore`: what small programs rely on, in this process and on the command line."""

import asyncio
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from miniloop.core import locks
from miniloop.core.futures import Future
from miniloop.difftest import side
from miniloop.difftest.programs import FILE_NAME
from miniloop.difftest.surroundings import quiet
from miniloop.difftest.written import run_written
from miniloop.explore import RULES, Plan, assert_relies_on_nothing, explored, plan_of, selected
from miniloop.explore.choices import LONGEST, OWN, Choices, orders, permuted
from miniloop.explore.permutation import permute
from miniloop.explore.plugin import relies_on_nothing  # noqa: F401  # the fixture
from miniloop.trace import undefined

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
QUICK = {
    "call-soon",
    "fire-and-forget",
    "jobs-in-threads",
    "order-of-done",
    "sleeps-of-equal-length",
    "sockets-ready-at-once",
    "ticks-of-await",
    "waiters-of-an-event",
    "which-error",
}
"""Each program takes some twenty runs, in a process each. The others are run on one Python."""
PROGRAMS = tomllib.loads((HERE / "programs.toml").read_text("utf-8"))["program"]


def relies(report):
    return sorted(
        f"{finding.line} {' + '.join(rule.id for rule in finding.rules)}"
        for finding in report.findings
    )


SHORT = [
    pytest.param(
        program, id=program["id"], marks=[] if program["id"] in QUICK else [pytest.mark.long]
    )
    for program in PROGRAMS
]


@pytest.mark.parametrize("program", SHORT)
def test_what_a_small_program_relies_on(program):
    report = explored(program["text"].strip() + "\n", seconds=100)
    assert not report.ended
    assert relies(report) == sorted(program["relies"])
    for finding in report.findings:
        assert len(finding.made) == 1
        assert 0 < len(finding.token) <= LONGEST


def test_there_are_enough_programs():
    ids = [program["id"] for program in PROGRAMS]
    assert len(set(ids)) == len(ids) >= 25
    surprising = [program for program in PROGRAMS if "from" in program and program["relies"]]
    assert len(surprising) >= 5
    told = {line.partition(" ")[2] for program in PROGRAMS for line in program["relies"]}
    # as-completed-hop, shield-hop and group-hop are told in the same way as gather-hop.
    assert set(RULES) - told == {"as-completed-hop", "shield-hop", "group-hop"}


HOPS = """
import asyncio

async def child():
    await asyncio.sleep(0)

async def main():
    turns = []

    async def other():
        while True:
            turns.append("turn")
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    {wait}
    print(len(turns), "turns")
    task.cancel()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("wait", "rule"),
    [
        ("await next(iter(asyncio.as_completed([child()])))", "as-completed-hop"),
        ("await asyncio.shield(child())", "shield-hop"),
        ("async with asyncio.TaskGroup() as group: group.create_task(child())", "group-hop"),
        ("await asyncio.wait_for(child(), 1)", "wait-for-task"),
    ],
)
def test_hops(wait, rule):
    report = explored(HOPS.format(wait=wait), rules=[rule])
    assert [[one.id for one in finding.rules] for finding in report.findings] == [[rule]]


# -- the fixture ---------------------------------------------------------------------------------


async def two_sleepers():
    async def sleeper(name):
        await asyncio.sleep(1)
        print(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("one"))
        group.create_task(sleeper("two"))


async def two_sums():
    one, two = await asyncio.gather(asyncio.sleep(1, 1), asyncio.sleep(2, 2))
    return one + two


async def first_done():
    done, _ = await asyncio.wait([asyncio.ensure_future(asyncio.sleep(1, x)) for x in "abc"])
    return [task.result() for task in done]


def test_fixture_passes(relies_on_nothing):  # noqa: F811
    relies_on_nothing(two_sums)


def test_fixture_fails_with_line_rule_and_standing(relies_on_nothing):  # noqa: F811
    line = two_sleepers.__code__.co_firstlineno + 3
    with pytest.raises(AssertionError) as failure:
        relies_on_nothing(two_sleepers)
    text = str(failure.value)
    assert f"line {line} relies on: {RULES['close-deadlines'].says}" in text
    assert "(implementation detail)" in text
    assert "it prints 'one'; in the other run it prints 'two'" in text


def test_fixture_allows_rules(relies_on_nothing):  # noqa: F811
    relies_on_nothing(two_sleepers, without=["close-deadlines"])


def test_what_is_returned_counts():
    with pytest.raises(AssertionError, match="a set of tasks is iterated"):
        assert_relies_on_nothing(first_done)


def test_real_randomness_is_told():
    import os

    async def chance():
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
        print(os.urandom(8).hex())

    with pytest.raises(AssertionError, match="two runs on the same schedule differ"):
        assert_relies_on_nothing(chance)


def test_bad_arguments():
    with pytest.raises(ValueError, match="no rule named 'luck'; the rules are equal-deadlines"):
        assert_relies_on_nothing(two_sums, without=["luck"])
    with pytest.raises(TypeError, match="an async function or the text of a script"):
        assert_relies_on_nothing(7)

    async def inside():
        assert_relies_on_nothing(two_sums)

    with pytest.raises(RuntimeError, match="while an event loop is running"):
        asyncio.run(inside())


def test_without_deviations_the_schedule_is_miniloops_own():
    for program in PROGRAMS:
        if "thread" in program["text"]:
            continue  # with choices, each job of a pool waits for its turn, so that there is one
        code = compile(program["text"], FILE_NAME, "exec")
        with quiet():
            plain = run_written(side("miniloop"), code).schedule
            own = run_written(
                side("miniloop"), code, lambda recorder: permute(recorder, OWN.token(), RULES)
            ).schedule
        assert (program["id"], own.rows) == (program["id"], plain.rows)
        assert own.timeouts == plain.timeouts


def test_everything_is_put_back():
    before = (
        vars(undefined).copy(),
        locks.Event.set,
        Future._schedule_waiting,
    )
    explored(PROGRAMS[0]["text"], runs=3)
    assert (vars(undefined), locks.Event.set, Future._schedule_waiting) == before


def test_the_budget_of_runs_ends_the_search():
    report = explored(PROGRAMS[2]["text"], runs=3)
    assert 3 <= report.runs <= 5  # a finding is run again, whatever the budget
    assert "(--runs allows more)" in report.ended


# -- plans -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plan",
    [
        OWN,
        Plan({("close-deadlines", 0): 1, ("set-order", 12): 3}),
        Plan(always=("gather-hop",)),
        Plan(chance=(7, 30, ("set-order", "task-hop"))),
    ],
)
def test_a_token_stands_for_its_plan(plan):
    assert plan_of(plan.token()) == plan


@pytest.mark.parametrize("token", ["", "x1-zz0.1", "x2-cd0.1", "x1-cd0", "x1-all1-zz", "x1-any7"])
def test_what_is_no_token(token):
    with pytest.raises(ValueError, match="no token"):
        plan_of(token)


def test_every_token_can_be_shown():
    plan = Plan(chance=(9999, 60, tuple(RULES)))
    assert len(plan.token()) <= LONGEST + 10  # a search by chance is shrunk before it is shown
    assert len({rule.code for rule in RULES.values()}) == len(RULES)
    assert all(re.fullmatch("[a-z]{2}", rule.code) for rule in RULES.values())


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_every_option_is_an_order_and_no_deviation_is_miniloops_own(count):
    own = list(range(count))
    found = [permuted(own, option) for option in range(orders(count))]
    assert found[0] == own
    assert all(sorted(one) == own for one in found)
    assert all(one != own for one in found[1:count])
    assert found[-1] == own[::-1]


def test_a_rule_that_is_kept_has_no_choices():
    told = []
    choices = Choices(Plan(always=("set-order",)), selected(without=["set-order"]), told.append)
    assert choices.take("set-order", 2) == 0
    assert not told


def test_rules_have_standings():
    standings = {rule.standing for rule in RULES.values()}
    assert standings == {"undefined", "implementation detail", "version-dependent"}


# -- the command line ------------------------------------------------------------------------------


def explore(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, "-m", "miniloop", "explore", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "sleepers.py"
    path.write_text(next(one["text"] for one in PROGRAMS if one["id"] == "sleeps-of-equal-length"))
    return path


def test_command_line(script):
    page = script.with_suffix(".html")
    done = explore(script, "--rule", "close-deadlines", "-o", page)
    assert done.returncode == 1, done
    assert "sleepers.py, line 5 relies on: of two timers for the same delay" in done.stdout
    assert len(re.search(r"--replay (\S+) ", done.stdout)[1]) <= LONGEST
    traces = re.findall(
        r'<script type="application/json">(.*?)</script>', page.read_text("utf-8"), re.DOTALL
    )
    printed = [[row["text"] for row in json.loads(trace)["output"]] for trace in traces]
    assert printed == [["one", "two"], ["two", "one"]]


@pytest.mark.long
def test_replay(script):
    done = explore("--replay", "x1-cd0.1", script)
    assert done.returncode == 1, done
    assert "here it prints 'one'; in the other run it prints 'two'" in done.stdout

    own = explore("--replay", "x1", script)
    assert (own.returncode, own.stderr) == (0, "")
    assert own.stdout == "sleepers.py does the same as on miniloop's own schedule.\n"

    changed = explore("--replay", "x1-ed5.1", script)
    assert (changed.returncode, changed.stdout) == (2, "")
    assert "deviates at choice 5 of equal-deadlines, which does not come up" in changed.stderr
    assert changed.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--rule", "luck"], "no rule named 'luck'"),
        (["--replay", "nonsense"], "'nonsense' is no token of this release"),
        (["-o", "missing/x.html"], "there is no folder 'missing'"),
    ],
)
def test_bad_input(arguments, says, capsys, script):
    from miniloop.cli import main

    assert main(["explore", *arguments, str(script)]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_list_of_rules(capsys):
    from miniloop.cli import main

    with pytest.raises(SystemExit) as left:
        main(["explore", "--list"])
    assert not left.value.code
    shown = capsys.readouterr().out
    for rule in RULES.values():
        assert f"{rule.id}  ({rule.standing})" in shown


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "can't open"),
        ("print(1)", "runs no event loop"),
        ("import asyncio, os, threading\nwhile True: pass", "before any event loop ran"),
        (
            "import asyncio, os\nasync def main():\n"
            "    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))\n"
            "    print(os.urandom(8).hex())\nasyncio.run(main())",
            "does not do the same in two runs",
        ),
        ("import pytest", "imports pytest, which needs asyncio itself"),
    ],
)
def test_nothing_to_explore(text, says, tmp_path):
    script = tmp_path / "script.py"
    if text is not None:
        script.write_text(text)
    done = explore("--limit", "5", script)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.long
def test_command_line_tells_the_same_as_the_fixture(tmp_path):
    for name in ("held-task", "results-of-jobs-in-threads"):
        program = next(one for one in PROGRAMS if one["id"] == name)
        script = tmp_path / f"{name}.py"
        script.write_text(program["text"])
        done = explore("--seconds", "200", script)
        found = re.findall(r"^  rule ([a-z-]+), choice", done.stdout, re.MULTILINE)
        wanted = [line.partition(" ")[2] for line in program["relies"]]
        assert sorted(found) == sorted(wanted), done
        assert done.returncode == (1 if wanted else 0)


EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.long
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_rely_on_nothing_or_say_so(example):
    done = explore("--seconds", "200", "--limit", "60", example)
    assert done.returncode in (0, 1), done
    found = set(re.findall(r"^  rule ([a-z-]+), choice", done.stdout, re.MULTILINE))
    docstring = example.read_text("utf-8").split('"""')[1]
    said = set(re.findall(r"``([a-z-]+)``", docstring)) & set(RULES)
    assert found == said, done.stdout
