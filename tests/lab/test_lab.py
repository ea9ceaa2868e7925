import sys

import pytest

import miniloop
from miniloop import lab
from miniloop.difftest import Side, quiet, side
from miniloop.difftest.fuzz import numbered_program
from miniloop.lab.find import SHORT, differs

# Each of these is found in less than a second. Some others take a minute.
QUICK = {
    "gather-in-reverse",
    "greedy-timeout",
    "last-in-first-out",
    "leaky-shield",
    "lost-batch",
    "same-tick",
    "semaphore-jumped",
    "siblings-live",
}
LOOPS = [
    pytest.param(
        name,
        marks=[
            pytest.mark.skipif(
                sys.version_info < loop.since, reason="this Python's asyncio breaks the rule, too"
            ),
            *([] if name in QUICK else [pytest.mark.long]),
        ],
    )
    for name, loop in lab.LOOPS.items()
]


@pytest.mark.parametrize("name", LOOPS)
def test_is_found_with_a_short_program(name):
    found = lab.find(name)
    assert found is not None
    assert found.program.line_count() <= SHORT, str(found)
    assert found.difference.left != found.difference.right


def test_a_loop_put_together_like_the_broken_ones_but_whole_is_not_found():
    # Subclasses take other ways through the core than its own classes do. That they are there
    # must not be what gives a broken loop away.
    class EventLoop(miniloop.EventLoop):
        pass

    class Task(miniloop.Task):
        pass

    class Future(miniloop.Future):
        pass

    whole = Side("whole", miniloop, EventLoop, Task, Future)
    with quiet():
        for number in range(400):
            assert not differs(numbered_program(2026, number), side("asyncio"), whole)


def test_there_are_thirty_and_each_says_in_one_sentence_what_it_breaks():
    assert len(lab.LOOPS) >= 30
    assert set(lab.LOOPS) >= QUICK
    for name, loop in lab.LOOPS.items():
        assert name == name.lower()
        assert " " not in name
        assert loop.breaks.endswith(".")
        assert len(loop.breaks) < 100
        assert loop.stand_ins(), f"{name} breaks nothing"
        assert loop.source().count("\n") <= 20


def test_progress_and_the_end_of_the_budget():
    seen = []
    assert lab.find("eager-sweep", budget=1, progress=seen.append) is None
    assert seen == [0]


def test_a_counterexample_prints_program_schedules_and_command():
    text = str(lab.find("last-in-first-out"))
    assert "import asyncio" in text
    assert "=> " in text
    assert "last-in-first-out" in text
    assert "python -m miniloop lab last-in-first-out" in text


def test_unknown_name():
    with pytest.raises(ValueError, match="no broken loop named 'nosuch'"):
        lab.find("nosuch")


def test_rule_that_this_python_does_not_keep(monkeypatch):
    monkeypatch.setattr(lab.broken("same-tick"), "since", (99, 0))
    with pytest.raises(RuntimeError, match=r"since Python 99\.0"):
        lab.find("same-tick")
