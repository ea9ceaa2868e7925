"""What holds for every trace, tried on random programs of the tester's grammar."""

import gc
import random

import pytest

from miniloop.difftest import quiet
from miniloop.difftest.generate import Generator
from miniloop.difftest.linked import Linked
from miniloop.difftest.sides import side
from miniloop.trace.document import replayed

from .traced import TracedSide, traced_asyncio, traced_miniloop

SEEDS = 300


@pytest.fixture(autouse=True)
def swept():
    """Let what the last programs have left behind complain while it is quiet.

    On Python 3.11 ast.parse() fails if a destructor's warning comes in the middle of it.
    """
    yield
    with quiet():
        gc.collect()


def programs(first, count):
    for seed in range(first, first + count):
        yield seed, Generator(random.Random(seed)).program()


def check(document):
    """Raise AssertionError unless all that a trace promises holds."""
    steps, entries = document["steps"], document["entries"]
    state = {"ready": [], "batch": 0, "heap": [], "tasks": {}, "output": 0}
    keyframes = {frame["step"]: frame["state"] for frame in document["keyframes"]}
    assert 0 in keyframes
    in_queue = {}  # entry: the step that has put it there
    for index, step in enumerate(steps):
        if index in keyframes:
            assert state == keyframes[index], f"before step {index}"
        before, state = state, replayed(state, step)
        do = step["do"]
        if step["kind"] == "run":
            assert before["ready"][0] == step["entry"]
            entry = entries[step["entry"]]
            cause = entry["cause"]["step"]
            assert cause <= in_queue.pop(step["entry"]) < index
            assert cause < index
            assert steps[cause]["kind"] in ("outside", "run", "eager", "back", "wait")
            assert entry["label"]
            assert entry["why"]
            task = entry["cause"].get("task")
            if task is not None and entry["cause"]["kind"] not in ("task_done", "thread"):
                assert runs(steps[cause]) == task or steps[cause]["kind"] == "wait"
        elif step["kind"] == "eager":
            assert step["cause"]["step"] <= step["inside"] < index
        elif step["kind"] == "back":
            assert step["of"] < index
        for number in do.get("push", ()):
            assert number not in in_queue
            in_queue[number] = index
            assert entries[number]["at"] == index
        assert step["say"]
    for entry in entries:
        assert entry["cause"]["step"] >= 0
    assert state["output"] == len(document["output"])


def runs(step):
    """Return the number of the task whose code a step runs."""
    return step.get("task")


def try_programs(traced: TracedSide, untraced, first, count, *, linked: bool = False):
    """Trace programs, and compare the schedules with those of the same programs untraced.

    With `linked` programs are put together from operations that are compiled once, as `fuzz` does
    it: compiling takes a quarter of the time.
    """
    with quiet():
        for seed, program in programs(first, count):
            code = Linked(program) if linked else program.code()
            schedule = traced.run(code)
            try:
                check(traced.document)
                assert schedule == untraced.run(code)
            except AssertionError as error:
                error.add_note(f"seed {seed}:\n{program}")
                raise


def test_every_trace_of_miniloop_keeps_its_promises():
    try_programs(traced_miniloop(), side("miniloop"), 0, SEEDS)


def test_every_trace_of_asyncio_keeps_its_promises():
    try_programs(traced_asyncio(), side("asyncio"), 0, SEEDS)


@pytest.mark.parametrize("traced", [traced_miniloop, traced_asyncio])
def test_the_heap_is_what_the_loop_has(traced):
    """The account makes it of what goes in and out; a watch can also tell what it has become."""
    side = traced()
    with quiet():
        for seed, program in programs(0, SEEDS // 3):
            heaps = []  # not whole documents: asyncio's sets have no order
            for whole in (False, True):
                side.whole_heap = whole
                side.run(program.code())
                heaps.append([step["do"].get("heap") for step in side.document["steps"]])
            assert heaps[0] == heaps[1], f"seed {seed}:\n{program}"


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_many_traces_of_miniloop(part):
    try_programs(traced_miniloop(), side("miniloop"), SEEDS + part * 2000, 2000, linked=True)


@pytest.mark.long
def test_many_traces_of_asyncio():
    try_programs(traced_asyncio(), side("asyncio"), SEEDS, 2000)
