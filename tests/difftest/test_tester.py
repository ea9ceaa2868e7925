"""The tester itself: it can fail, it shrinks, and what it prints runs on its own."""

import random
import signal
import subprocess
import sys
import time
from collections import deque

import pytest

import miniloop
from miniloop.difftest import (
    Program,
    Side,
    agree,
    compare,
    quiet,
    side,
    sides,
    surroundings,
)
from miniloop.difftest.foreign import order
from miniloop.difftest.fuzz import ONCE, Hunt, ends_early, group, hunt, numbered_program
from miniloop.difftest.generate import Generator
from miniloop.difftest.grammar import FEATURES, FUNCTIONS, OPERATIONS, PHASES, allowed, values
from miniloop.difftest.linked import FILE_NAME as LINKED
from miniloop.difftest.linked import Linked
from miniloop.difftest.programs import FILE_NAME
from miniloop.difftest.shrink import shrink
from miniloop.lab.broken import broken
from miniloop.testing import assert_same_schedule
from miniloop.trace import Recorder, Schedule, on_virtual_time
from miniloop.trace.recorder import TOO_NESTED


class Stack(deque):
    popleft = deque.pop


class LastInFirstOut(miniloop.EventLoop):
    def __init__(self, selector=None):
        super().__init__(selector)
        self._ready = Stack()


class StopsLate(miniloop.EventLoop):
    def stop(self):
        self.call_soon(super().stop)


class ForgetsUncancel(miniloop.Task):
    def uncancel(self):
        must_cancel = self._must_cancel
        left = super().uncancel()
        self._must_cancel = must_cancel
        return left


ForgetsUncancel.__name__ = ForgetsUncancel.__qualname__ = "Task"

BROKEN = {
    "last in, first out": (LastInFirstOut, miniloop.Task),
    "stops late": (StopsLate, miniloop.Task),
    "uncancel only counts": (miniloop.EventLoop, ForgetsUncancel),
}


@pytest.mark.parametrize("name", BROKEN)
def test_finds_a_broken_loop_and_shrinks_it(name):
    if name == "uncancel only counts" and sys.version_info < (3, 13):
        pytest.skip("so does this Python's asyncio")
    loop_class, task_class = BROKEN[name]
    reference, suspect = side("asyncio"), Side(name, miniloop, loop_class, task_class)
    found = []
    with quiet():
        for number in range(4000):
            program = numbered_program(2026, number)
            if compare(program, reference, suspect) is None:
                continue
            small = shrink(program, lambda p: compare(p, reference, suspect) is not None)
            found.append(compare(small, reference, suspect))
            if small.line_count() <= 12 or len(found) == 5:
                break
    best = min(found, key=lambda difference: difference.program.line_count())
    assert best.program.line_count() <= 12, best
    assert "=> " in str(best)


def test_a_loop_agrees_with_itself():
    result = hunt("asyncio", "asyncio", seed=1, count=300)
    assert not result.findings, "\n\n".join(map(str, result.findings.values()))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_compiles_wherever_it_may_stand(name):
    kind = OPERATIONS[name]
    for function in (*FUNCTIONS, PHASES):
        if kind not in allowed(function, kind.needs):
            continue
        op = (name, *(values(field, function)[-1] for field in kind.fields))
        if kind.has_block:
            op = (*op, ())
        block = ((kind.needs, (op,)),) if kind.needs else (op,)
        if function == PHASES:
            Program(block).code()
        else:
            Program((("run", "c0"),), (("c0", calls(function)), (function, block))).code()


def calls(function):
    ways = {"c": "spawn_only", "k": "call_soon_only", "g": "each", "y": "spawn_only"}
    way = ways[function[0]]
    return ((way, function, "") if way == "call_soon_only" else (way, function),)


def test_every_feature_is_drawn():
    generator = Generator(random.Random(1))
    drawn = set()
    for _ in range(300):
        drawn |= generator.program().features()
    assert drawn == set(FEATURES)


def test_features_can_be_left_out():
    without = frozenset({"timers", "gather", "stop"})
    generator = Generator(random.Random(1), without)
    for _ in range(200):
        assert not generator.program().features() & (
            without - {"stop"}
        )  # the phases that end a program are of `stop`


def test_programs_run_on_their_own():
    with quiet():  # those that block for ever would do so for real, too
        runs = {n: side("asyncio").run(numbered_program(11, n).code()) for n in range(30)}
    ending = [n for n, run in runs.items() if None not in run.timeouts and not run.cut]
    for number in ending[:3]:
        source = str(numbered_program(11, number))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", source + "\nraise SystemExit(7)"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "SyntaxError" not in done.stderr
        assert "NameError" not in done.stderr


def test_same_number_is_same_program():
    assert numbered_program(5, 77) == numbered_program(5, 77)
    assert numbered_program(5, 77) != numbered_program(5, 78)


def test_a_finding_says_how_to_find_it_again():
    with pytest.raises(AssertionError, match="=> "):
        assert_same_schedule("import asyncio\nprint(asyncio.sleep.__module__)\n")


def test_hunts_add_up():
    parts = [hunt("asyncio", "miniloop", seed=8, start=n, count=70) for n in (0, 70)]
    whole = hunt("asyncio", "miniloop", seed=8, count=140)
    total = Hunt()
    for part in parts:
        total.add(part)
    assert (total.programs, total.events, total.cut) == (140, whole.events, whole.cut)
    assert len(total.rates) == 2


def test_deadlock_and_endless_programs_end():
    with quiet():
        stuck = side("asyncio").run(
            compile("import asyncio\nasyncio.run(asyncio.Event().wait())\n", FILE_NAME, "exec")
        )
        endless = side("miniloop").run(
            compile(
                "import asyncio\nasync def main():\n    while True: await asyncio.sleep(0)\n"
                "asyncio.run(main())\n",
                FILE_NAME,
                "exec",
            )
        )
    assert stuck.events[-1].what == "ends with Stuck()"
    assert endless.events[-1].what == "ends with Stuck()"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signal here")
@pytest.mark.parametrize("blocks", ["while True: pass", "threading.Event().wait(60)"])
@pytest.mark.parametrize("caught", [False, True])
def test_programs_that_hang_are_ended(monkeypatch, blocks, caught):
    monkeypatch.setattr(surroundings, "LONGEST", 0.05)
    guard = "with contextlib.suppress(BaseException):" if caught else "if 1:"
    text = (
        "import asyncio, contextlib, threading\nloop = asyncio.new_event_loop()\n"
        f"def k0():\n  {guard}\n    {blocks}\n  loop.call_soon(k0)\n"
        "loop.call_soon(k0)\nloop.run_forever()\n"
    )
    with quiet():
        ended = side("miniloop").run(compile(text, FILE_NAME, "exec"))
    assert ended.cut == "hangs"


def test_schedules_are_compared_up_to_a_recursion():
    def recursing(*rows):
        return sides.Schedule([*rows, (2, 0, "main", "ends with RecursionError()")], [0, 0])

    first, other = (1, 0, "print", "a"), (1, 0, "print", "b")
    late, later = (2, 0, "print", "c"), (2, 0, "print", "d")
    assert agree(recursing(first), recursing(first, late))  # of that tick nothing
    assert agree(recursing(first, late), recursing(first, later))
    assert not agree(recursing(first), recursing(other))
    left, right = (order(recursing(one, late)) for one in (first, other))
    assert not agree(left, right)  # without ticks


def test_what_differs_where_tasks_wait_is_shrunk(monkeypatch):
    # A place has another name in the linked program that differed than in the printed one.
    monkeypatch.setitem(sides.KNOWN, "lifo", lambda _: broken("last-in-first-out").side())
    found = hunt("asyncio", "lifo", seed=1, count=12)
    waits = [one for kind, one in found.findings.items() if "waits" in kind]
    assert waits
    assert all(" -> line " in one.difference.side_by_side() for one in waits)
    assert max(one.difference.program.line_count() for one in found.findings.values()) < 25


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signal here")
@pytest.mark.parametrize("every_time", [True, False])
def test_a_side_that_hangs_alone_differs(monkeypatch, every_time):
    class Loop(miniloop.EventLoop):
        def call_later(self, *args, **keywords):
            # It is looked at again in the printed program.
            while every_time or sys._getframe(1).f_code.co_filename == LINKED:
                pass
            return super().call_later(*args, **keywords)

    name = f"hangs, {every_time}"
    hangs = sides.Side(name, miniloop, Loop, miniloop.Task)
    monkeypatch.setitem(sides.KNOWN, name, lambda _: hangs)
    monkeypatch.setattr(surroundings, "LONGEST", 0.2)
    without = frozenset(FEATURES) - {"tasks", "sleep", "errors"}
    found = hunt("asyncio", name, seed=1, count=6, without=without, shrink_budget=3)
    hangs_where = [finding.difference.side_by_side() for finding in found.findings.values()]
    if every_time:
        assert list(found.findings) == ["one hangs, the other does not"]
        assert {group(finding) for finding in found.findings.values()} == set(found.findings)
        assert all("not compared further: hangs" in text for text in hangs_where)
    else:  # the machine stood still, say
        assert not hangs_where
        assert found.cut[ONCE]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signal here")
def test_the_timer_of_someone_else_goes_on():
    handler = signal.signal(signal.SIGALRM, lambda *_: None)
    before = signal.setitimer(signal.ITIMER_REAL, 60)
    try:
        with quiet():
            side("miniloop").run(compile("", FILE_NAME, "exec"))
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 30
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, handler)


def test_ticks_before_the_one_that_is_cut_are_compared_whole():
    cut = Schedule([(1, 0, "a", "x")], [0] * 7, [], "cut")
    assert agree(cut, Schedule([(1, 0, "a", "x"), (7, 0, "b", "later")], [0] * 9))
    more = Schedule([(1, 0, "a", "x"), (3, 0, "b", "extra")], [0] * 9)
    assert not agree(cut, more)
    assert not agree(more, cut)
    deep = (5, 0, "a", "raised RecursionError()")
    ends = Schedule([(1, 0, "a", "x"), deep], [0] * 9)
    assert agree(ends, Schedule([(1, 0, "a", "x"), (5, 0, "b", "raised"), deep], [0] * 9))
    assert not agree(ends, Schedule([(1, 0, "a", "x"), (3, 0, "b", "extra"), deep], [0] * 9))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio has no eager tasks here")
def test_a_recursion_that_swallows_its_own_error_ends_before_it_comes():
    text = (
        "import asyncio, contextlib\n"
        "loop = asyncio.new_event_loop()\n"
        "async def c0():\n"
        "    with contextlib.suppress(Exception):\n"
        "        loop.call_exception_handler({'message': 'by hand'})\n"
        "        print('goes on')\n"
        "def k0(loop, context):\n"
        "    loop.create_task(c0())\n"
        "loop.set_exception_handler(k0)\n"
        "loop.set_task_factory(asyncio.eager_task_factory)\n"
        "loop.run_until_complete(c0())\n"
    )
    code = compile(text, FILE_NAME, "exec")
    with quiet():
        assert compare(code, side("asyncio"), side("miniloop")) is None
        assert side("miniloop").run(code).cut == TOO_NESTED


def test_a_recursion_after_which_all_is_alike_is_compared_to_the_end():
    deep = (5, 0, "a", "raised RecursionError()")
    ends = Schedule([(1, 0, "a", "x"), deep], [0] * 9)
    assert ends_early(ends, Schedule([(1, 0, "a", "x"), deep], [0] * 9)) == ""
    more = Schedule([(1, 0, "a", "x"), deep, (5, 0, "b", "more")], [0] * 9)
    assert ends_early(ends, more) == "a recursion went too deep"
    assert ends_early(Schedule([], [0] * 9, [], "cut"), ends) == "cut"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signal here")
def test_programs_that_are_no_longer_recorded_are_ended_sooner(monkeypatch):
    monkeypatch.setattr(surroundings, "LONGEST", 30)
    monkeypatch.setattr(surroundings, "RINGS", 600)
    text = "while True:\n  try: print(1)\n  except Exception: pass\n"
    began = time.monotonic()
    with quiet():
        ended = side("miniloop").run(compile(text, FILE_NAME, "exec"))
    assert ended.cut == "too many events"
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("loop_class", [miniloop.EventLoop, side("asyncio").loop_class])
def test_the_clock_moves_by_sleeping_only(loop_class):
    recorder = Recorder()
    loop = on_virtual_time(loop_class)(recorder)
    try:
        loop.call_later(3600, loop.stop)
        loop.run_forever()
        assert 3600 <= loop.time() < 3600.01
        assert recorder.selector.ticks == 1
        assert recorder.schedule().timeouts == [3600]
    finally:
        loop.close()


@pytest.mark.parametrize("name", ["asyncio", "miniloop"])
def test_what_a_loop_logs_is_an_event(name):
    slow = Program(
        (("debug", "True"), ("run", "c0")), (("c0", (("block", "0.2"), ("handler_call",))),)
    )
    for program in (Linked(slow), slow.code()):
        with quiet():
            logged = [e.what for e in side(name).run(program).events if e.who == "logged"]
        assert logged == ["Executing ... took 0.200 seconds"]


@pytest.mark.parametrize("name", ["asyncio", "miniloop"])
def test_a_handler_that_fails_is_an_event(name):
    program = Program((("handler_fails", "ValueError(1)"), ("handler_call",)))
    with quiet():
        (event,) = side(name).run(Linked(program)).events
    assert event.what == "Unhandled error in exception handler ValueError(1), context"


def test_hooks_that_are_left_behind_are_seen_and_put_back():
    class Leaves(miniloop.EventLoop):
        def _run_forever_cleanup(self):
            hooks = sys.get_asyncgen_hooks()
            super()._run_forever_cleanup()
            sys.set_asyncgen_hooks(*hooks)

    before = sys.get_asyncgen_hooks()
    suspect = Side("leaves", miniloop, Leaves, miniloop.Task)
    with quiet():
        schedule = suspect.run(Linked(Program((("run", "c0"),))))
    assert schedule.events[-1].what == "leaves hooks behind"
    assert sys.get_asyncgen_hooks() == before
