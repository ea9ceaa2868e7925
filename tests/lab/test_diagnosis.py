"""Which rule a loop breaks, as the loops of the lab tell: each of them is diagnosed as itself."""

import asyncio
import os
import sys

import pytest

from miniloop import lab
from miniloop.difftest import agree, quiet, side
from miniloop.difftest.compare import Difference
from miniloop.difftest.foreign import Match
from miniloop.difftest.fuzz import Finding, Hunt, Search, compared, hunt
from miniloop.difftest.programs import Program
from miniloop.difftest.sides import KNOWN
from miniloop.difftest.written import run_written
from miniloop.lab import diagnosis
from miniloop.lab.broken import combined
from miniloop.lab.diagnosis import groups, place, rules_broken
from miniloop.trace import Schedule
from tests import pairs

HERE = "tests.lab.strangers"
QUICK = {
    "last-in-first-out",
    "timers-first",
    "cancelled-handles-run",
    "sleep-zero-returns",
    "barrier-too-soon",
}
RARE = {
    "cancelled-anyway",
    "event-asks-again",
    "generators-left-open",
    "interrupts-swallowed",
    "join-too-soon",
    "uncancel-too-late",
    "unfair-lock",
    "unlisted-tasks",
    "wrong-getter",
}
"""One program in hundreds shows these. Each takes up to a minute; MINILOOP_RARE=1 runs them."""
MOST = 20_000
"""The most programs that are tried on a loop of the lab."""
LOOPS = [
    pytest.param(
        name,
        marks=[
            pytest.mark.skipif(
                sys.version_info < loop.since, reason="this Python's asyncio breaks the rule, too"
            ),
            *([] if name in QUICK else [pytest.mark.long]),
            pytest.mark.skipif(
                name in RARE and "MINILOOP_RARE" not in os.environ, reason="takes a minute"
            ),
        ],
    )
    for name, loop in lab.LOOPS.items()
]


def found(name, count, start=0, **options):
    """The results of a hunt against asyncio."""
    return hunt("asyncio", name, 2026, start, count, diagnosis=diagnosis.diagnosis, **options)


@pytest.mark.parametrize("name", LOOPS)
def test_each_loop_of_the_lab_is_diagnosed_as_itself_in_one_group(name):
    total = Hunt()
    start, count = 0, 100
    while start < MOST and not any(finding.rules for finding in total.findings.values()):
        total.add(found(place(name), count, start))
        start, count = start + count, min(2 * count, 1000)
    first, *rest = groups(total)
    assert first.name == name
    assert first.programs == first.whole
    assert not [one.name for one in rest if one.loop is not None]


@pytest.mark.parametrize(
    ("stranger", "name", "count"),
    [
        ("Stacked", "last-in-first-out", 30),
        ("Clamped", "clamped-deadlines", 100),
        ("StopsLate", "stop-too-late", 30),
        ("RealStacked", "last-in-first-out", 8),
    ],
)
def test_a_loop_of_asyncio_with_one_rule_broken(stranger, name, count):
    total = found(f"{HERE}:{stranger}", count)
    first, *rest = groups(total)
    assert first.name == name
    assert first.programs == total.differ
    assert first.whole > first.programs / 2
    # The asyncio of an older Python is known to differ from miniloop, and so from the lab. And in
    # real time a busy machine may be late.
    late = stranger == "RealStacked"
    assert first.whole == first.programs or late or sys.version_info < (3, 15)
    assert not first.behind
    assert not rest


def test_a_loop_that_is_whole_gives_nothing():
    total = found("tests.difftest.own_loops:TakesSelector", 200)
    assert total.programs == 200
    assert diagnosis.diagnose(total, "asyncio", "tests.difftest.own_loops:TakesSelector") == []


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("wait-for-new-task", "semaphore-jumped", 150),
        pytest.param("threads-jump-the-queue", "lost-batch", 400, marks=pytest.mark.long),
        # With one entry a tick, hardly a program ends as with the other rule broken alone.
        pytest.param("one-at-a-time", "cancel-at-once", 150, marks=pytest.mark.long),
    ],
)
def test_two_broken_rules_are_both_named(one, other, count):
    found = pairs.diagnosed((one, other), count)
    assert set(found.named) == {one, other}
    assert found.missed == []


def test_programs_that_agree_refute_a_rule():
    """A loop that agrees with asyncio on most programs cannot have its queue upside down."""
    match = Match("asyncio", "miniloop")
    search = Search(match, 2026, frozenset(), frozenset(), 0, diagnosis.diagnosis, (), Hunt())
    with quiet():
        for _, program, both in compared(match, 2026, range(40), frozenset(), None):
            search.note_agreeing(program, both[0])
        refuted = {
            name: search.is_refuted(side(place(name)))
            for name in ("last-in-first-out", "timers-first", "join-too-soon", "unfair-lock")
        }
        assert not search.is_refuted(side("miniloop"))
    assert refuted.pop("last-in-first-out")
    assert not refuted["join-too-soon"]
    assert not refuted["unfair-lock"]


def test_a_stranger_with_two_broken_rules():
    name = f"{HERE}:last_in_first_out__gather_in_reverse"
    total = found(name, 100)
    first, second, *_ = diagnosis.diagnose(total, "asyncio", name, 2026)
    assert (first.name, second.name) == ("last-in-first-out", "gather-in-reverse")
    assert second.behind
    assert second.programs


def test_a_rule_shows_behind_another_on_a_small_program(monkeypatch):
    name = "last-in-first-out and gather-in-reverse"
    loops = [lab.broken(one) for one in name.split(" and ")]
    monkeypatch.setitem(KNOWN, name, lambda _: combined(loops))
    with_both, alone = KNOWN[name](name), side(place("last-in-first-out"))
    known = ["last-in-first-out"]
    search = diagnosis.Behind(Match("asyncio", name), known, 2026, frozenset(), float("inf"))
    (hidden,), left = search.look(range(16))
    assert hidden.name == "gather-in-reverse"
    assert 1 <= hidden.programs <= 16 - len(left)
    (finding,) = hidden.findings
    assert finding.rules == ("gather-in-reverse",)
    program = finding.difference.program
    assert program.line_count() < 20
    assert "asyncio.gather" in str(program)
    with quiet():
        code = program.code()
        assert with_both.run(code) == finding.difference.right
        assert not agree(alone.run(code), finding.difference.right)


def test_a_rule_that_is_known_already_is_not_found_again_behind_another(monkeypatch):
    name = "last-in-first-out and gather-in-reverse"
    loops = [lab.broken(one) for one in name.split(" and ")]
    monkeypatch.setitem(KNOWN, name, lambda _: combined(loops))
    more = ["join-too-soon", "unfair-lock", "gather-in-reverse"]
    assert len(more) == diagnosis.MOST_KNOWN
    known = ["last-in-first-out", *more]
    search = diagnosis.Behind(Match("asyncio", name), known, 2026, frozenset(), float("inf"))
    assert search.look(range(16))[0] == []


def test_no_pair_has_two_versions_of_one_method():
    drawn = pairs.drawn(200)
    assert len(set(drawn)) == 200
    assert drawn[: pairs.PAIRS] == pairs.drawn(pairs.PAIRS)
    for one, other in drawn:
        assert pairs.pieces(one).isdisjoint(pairs.pieces(other))
    assert pairs.pieces("batch-in-reverse") == {"EventLoop._run_once"}
    assert pairs.pieces("queue-one-too-many") == {"Queue.full"}
    assert pairs.pieces("sleep-zero-returns") == {"sleep"}


def schedule(*what):
    return Schedule([(1, 0, "print", text) for text in what], [0])


def finding(number, rules, size=1):
    """A finding on a program of so many operations."""
    program = Program((("run", "c0"),), (("c0", (("sleep", "0"),) * size),))
    left, right = schedule("alike", f"left {chr(97 + number)}"), schedule("alike", "right")
    return Finding(Difference(program, "one", "other", left, right), 0, number, tuple(rules))


def test_the_fewest_rules_that_explain_most_come_first():
    findings = [
        finding(0, ["same-tick"], size=3),
        finding(1, ["last-in-first-out", "same-tick"], size=2),
        finding(2, ["last-in-first-out", "lost-batch"]),
        finding(3, []),
    ]
    total = Hunt()
    for one, programs in zip(findings, (4, 2, 3, 1), strict=True):
        total.keep(one)
        for _ in range(programs):
            total.count(one.key, one.number)
    total.explained = {("last-in-first-out",): 5, ("stop-sticks", "same-tick"): 1}
    first, second, third = groups(total)
    assert (first.name, first.programs, first.whole) == ("last-in-first-out", 10, 5)
    assert [one.number for one in first.findings] == [2, 1]
    assert (second.name, second.programs, second.whole) == ("same-tick", 5, 1)
    assert [one.number for one in second.findings] == [0, 1]  # the other shows the first rule, too
    assert (third.name, third.loop, third.programs) == (findings[3].kind, None, 1)


def test_loops_that_explain_as_much_are_named():
    total = Hunt()
    one = finding(0, ["same-tick", "lost-batch"])
    total.keep(one)
    total.count(one.key, 0)
    (group,) = groups(total)
    assert group.name == "same-tick"
    assert [other.name for other in group.others] == ["lost-batch"]


CANCELS = """
import asyncio
loop = asyncio.new_event_loop()
loop.call_soon(print, "cancelled").cancel()
loop.call_soon(loop.stop)
loop.run_forever()
"""


def test_one_program_is_diagnosed():
    code = compile(CANCELS, "<program>", "exec")
    with quiet():
        left = side("asyncio").run(code)
        right = lab.broken("cancelled-handles-run").side().run(code)
        named = rules_broken(left, right, lambda one: one.run(code))
        none = rules_broken(left, left, lambda one: one.run(code))
        # The lab breaks miniloop, so it knows nothing where miniloop itself is no judge.
        untold = rules_broken(right, left, lambda one: one.run(code))
    assert [loop.name for loop in named] == ["cancelled-handles-run"]
    assert none == untold == []


async def cancels():
    asyncio.get_running_loop().call_soon(print, "cancelled").cancel()
    await asyncio.sleep(0)


def test_one_function_is_diagnosed():
    def run(one):
        return run_written(one, cancels).schedule

    with quiet():
        left, right = run(side("asyncio")), run(lab.broken("cancelled-handles-run").side())
        named = rules_broken(left, right, run)
    assert [loop.name for loop in named] == ["cancelled-handles-run"]
