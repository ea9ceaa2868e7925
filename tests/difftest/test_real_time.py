"""Loops that wait in real time: late runs are no findings, and faults are found all the same."""

import asyncio
import random
import time

import pytest

from miniloop.difftest import agree, fuzz, quiet, real_time, side
from miniloop.difftest.foreign import Match
from miniloop.difftest.fuzz import ONCE, numbered_program
from miniloop.difftest.programs import Program
from miniloop.difftest.real_time import (
    BLOCKS,
    GAP,
    LEFT_OUT,
    NEAR,
    TOGETHER,
    Order,
    on_time,
    prepared,
)
from miniloop.lab import diagnosis
from tests import loops

HERE = "tests.difftest.test_real_time"
needs_uvloop = pytest.mark.wants("loops", "uvloop")


class Stalling(asyncio.SelectorEventLoop):
    """asyncio's loop in a process that at random has to wait for its processor."""

    def __init__(self):
        super().__init__()
        self._random = random.Random()

    def _run_once(self):
        if self._random.random() < 0.05:
            time.sleep(self._random.choice((0.003, 0.01, 0.03)))
        super()._run_once()


def lifo():
    """Return uvloop's loop, with callbacks that run last in, first out."""
    import uvloop

    class Lifo(uvloop.Loop):
        def __init__(self):
            super().__init__()
            self._stack = []

        def call_soon(self, callback, *args, context=None):
            handle = asyncio.Handle(callback, args, self, context)
            self._stack.append(handle)
            super().call_soon(self._one)
            return handle

        def _one(self):
            handle = self._stack.pop()
            handle.cancelled() or handle._run()

    return Lifo()


def program(*ops):
    return Program((("run", "c0"),), (("c0", ops),))


@pytest.mark.parametrize(
    ("ops", "why"),
    [
        ((("sleep", "0.01"), ("sleep", "0.02")), ""),
        ((("call_later_only", "0.01", "k0", ""), ("sleep", "0.02")), ""),
        ((("call_later_only", "0.01", "k0", ""), ("sleep", "0.01")), NEAR),
        ((("call_later_only", "0.01", "k0", ""), ("sleep", "0.013")), NEAR),
        ((("timers_tied", "0.01", "k0"), ("sleep", "0.02")), NEAR),
        ((("timers_tied", "0.01", "k0"), ("sleep", "0.005")), ""),  # they never run
        ((("call_later_only", "0.01", "k0", ""), ("block", "0.01"), ("ticks", "2")), NEAR),
        ((("call_later_only", "0.01", "k0", ""), ("block", "0.02"), ("ticks", "2")), ""),
        ((("call_later_only", "0", "k0", ""), ("call_later_only", "0", "k1", "")), ""),
        ((("call_later_only", "-1", "k0", ""), ("sleep", "0.01")), ""),
        ((("call_at_only", "0", "k0", ""), ("call_at_only", "0", "k1", ""), ("ticks", "2")), NEAR),
        ((("add_reader", "k0"), ("send", "1"), ("ticks", "2")), ""),
        ((("add_reader", "k0"), ("add_writer", "k1"), ("send", "1"), ("ticks", "2")), TOGETHER),
        ((("acquire", "l0"), ("acquire", "l0")), BLOCKS),
        ((("call_much_later", "h0", "k0"), ("acquire", "l0"), ("acquire", "l0")), BLOCKS),
    ],
)
def test_a_program_that_real_time_cannot_tell_apart_is_left_out(ops, why):
    with quiet():
        found = [prepared(program(*ops), scale).why_not for scale in (1.0, 2.5)]
    assert found == [why, why]


def test_delays_are_moved_apart():
    near = program(("call_later_only", "0.01", "k0", ""), ("sleep", "0.01"), ("ask_when", "h0"))
    with quiet():
        fit = real_time.well_apart(near)
        assert prepared(near, 1.0).why_not == NEAR
        assert prepared(fit, 1.0).why_not == ""
        tied = real_time.well_apart(program(("timers_tied", "0.01", "k0"), ("sleep", "0.02")))
        assert prepared(tied, 1.0).why_not == NEAR  # no choice of delays helps
    assert "when()" not in str(fit)  # nor can the time be compared
    with quiet():
        programs = [real_time.well_apart(numbered_program(1, number)) for number in range(60)]
        left_out = [prepared(one, 1.0).why_not for one in programs]
    assert {"", BLOCKS, NEAR} <= set(left_out) <= {"", *LEFT_OUT}
    assert left_out.count(NEAR) < 15


def test_seconds_are_multiplied_and_those_of_blocks_too():
    one = program(("sleep", "0.051"), ("block", "0.02"), ("sleep", "0.01"))
    with quiet():
        codes = (one.code(), real_time.slowed(one, 3))
        ends = [side("asyncio").run(code).events[-1].time for code in codes]
    assert ends == [81, 243]


def order(*rows, scale=1.0):
    return Order(
        [(0, 0, "print", text) for _, text in rows], times=[at for at, _ in rows], scale=scale
    )


@pytest.mark.parametrize(
    ("right", "scale", "timely"),
    [
        ([(0, "a"), (11, "c"), (90, "b")], 1.0, True),  # what comes behind does not matter
        ([(0, "a"), (13, "c"), (13, "b")], 1.0, False),  # the first difference is late
        ([(0, "a"), (13, "c"), (13, "b")], 2.0, True),
        ([(4, "a"), (10, "c"), (13, "b")], 1.0, False),  # an event before it is late
        ([(0, "a"), (20, "b")], 1.0, False),  # b took the place of c
        ([(0, "a")], 1.0, True),
    ],
)
def test_a_run_is_on_time_up_to_the_first_difference(right, scale, timely):
    left = order((0, "a"), (10, "b"), (20, "c"))
    if right == [(0, "a"), (20, "b")]:
        left = order((0, "a"), (10, "x"), (20, "b"))
    assert on_time(left, order(*right, scale=scale)) == timely


def test_a_process_that_waits_for_its_processor_gives_no_finding(monkeypatch):
    late, differed = [], []

    def move(self, both):
        late.append(real_time.lateness(*both) > GAP / 2)
        differed.append(not agree(*both))

    monkeypatch.setattr(Match, "_move_deadlines", move)
    found = fuzz.hunt("asyncio", f"{HERE}:Stalling", 3, 0, 120)
    assert found.programs > 45
    assert found.differ == 0
    assert sum(late) > 15
    assert sum(differed) == found.cut.get(ONCE, 0)  # mostly a few, but that is up to chance


@needs_uvloop
def test_uvloop_agrees_with_itself():
    found = fuzz.hunt(*["uvloop:new_event_loop"] * 2, 3, 0, 60)
    assert found.programs > 20
    assert found.differ == 0


@pytest.mark.long
@needs_uvloop
def test_a_broken_uvloop_is_found_and_its_rule_is_named():
    name = "uvloop:new_event_loop"
    found = fuzz.hunt(
        name, f"{HERE}:lifo", 3, 0, 24, shrink_budget=100, diagnosis=diagnosis.diagnosis
    )
    assert found.differ > 3
    named = {one.name for one in diagnosis.groups(found) if one.loop is not None}
    assert named
    assert named <= {"last-in-first-out", "batch-in-reverse"}


@pytest.mark.long
@needs_uvloop
def test_uvloop_agrees_with_itself_while_others_use_the_processor(capsys):
    with loops.busy(2):
        assert loops.itself("uvloop", 5, 500) == 0
    assert capsys.readouterr().out.startswith("uvloop against itself: 2")
