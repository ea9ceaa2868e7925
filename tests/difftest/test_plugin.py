"""`assert_same_schedule` and the fixture, as someone else's test file would use them."""

import asyncio
import importlib
import time
from time import perf_counter

import pytest

from miniloop.difftest import NotComparedFurther, assert_same_schedule, sides
from miniloop.difftest.programs import Program
from miniloop.lab import broken


async def two_sleepers():
    async def sleeper(name, delay):
        await asyncio.sleep(delay)
        print(name)

    await asyncio.gather(sleeper("slow", 60), sleeper("fast", 30))


async def that_blocks():
    time.sleep(30)
    print(f"{asyncio.get_running_loop().time():.0f}")


async def that_knows_its_library():
    if asyncio.__name__ != "asyncio" or "miniloop" in asyncio.new_event_loop.__module__:
        print("never")
    print(asyncio.sleep.__module__)


def test_in_one_line(same_schedule):
    same_schedule(two_sleepers)
    same_schedule(that_blocks)


def test_source_text():
    assert_same_schedule("import asyncio\nasyncio.run(asyncio.sleep(1))\n")


def test_fails_with_both_schedules():
    with pytest.raises(AssertionError) as caught:
        assert_same_schedule(that_knows_its_library)
    text = str(caught.value)
    assert "asyncio.tasks" in text
    assert "miniloop" in text
    assert "=> " in text


def test_names_are_put_back():
    assert_same_schedule(two_sleepers)
    assert asyncio.__name__ == "asyncio"
    assert time.sleep.__module__ != "miniloop.trace.clock"
    assert "print" not in globals()


async def that_is_busy():
    deadline = perf_counter() + 1.5
    while perf_counter() < deadline:
        pass
    print(asyncio.sleep.__module__)


async def that_ticks_on():
    while True:
        await asyncio.sleep(0)


def test_what_is_not_compared_to_its_end_fails(monkeypatch):
    with pytest.raises(AssertionError, match=r"but it runs for more than 10,000 ticks; hold some"):
        assert_same_schedule(that_ticks_on)
    monkeypatch.setattr(
        importlib.import_module("miniloop.difftest.compare"), "LONG_EVENT_LIMIT", 50
    )
    text = "import asyncio\nfor n in range(60): print(n)\nasyncio.run(asyncio.sleep(0))\n"
    with pytest.raises(AssertionError, match="but it has more than 50 events"):
        assert_same_schedule(text)
    monkeypatch.setattr(sides, "LONGEST", 0.2)
    with pytest.raises(AssertionError, match="but it takes more than 5 seconds of real time"):
        assert_same_schedule(that_is_busy)


def test_a_script_may_be_longer_than_a_random_program():
    text = "import asyncio\nasync def main():\n"
    text += "    for n in range(100): print(n); await asyncio.sleep(0)\n"
    assert_same_schedule(text + "asyncio.run(main())\n")
    with pytest.raises(AssertionError, match=r"=> .* asyncio\.tasks"):
        assert_same_schedule(text + "    print(asyncio.sleep.__module__)\nasyncio.run(main())\n")


async def that_recurses():
    async def deeper():
        await deeper()

    try:
        await deeper()
    except RecursionError as error:
        print(error)


def test_what_comes_after_a_recursion_is_warned_of():
    with pytest.warns(NotComparedFurther, match="to tick 1 only: a recursion went too deep"):
        assert_same_schedule(that_recurses)


def test_unknown_loop():
    with pytest.raises(ValueError, match="no loop named 'nosuch'"):
        assert_same_schedule(two_sleepers, loops=("asyncio", "nosuch"))


def test_names_the_rule_that_is_broken():
    cancelled = Program(
        (("run", "c0"),),
        (
            ("c0", (("call_soon", "h0", "k0", ""), ("handle_cancel", "h0"), ("ticks", "2"))),
            ("k0", ()),
        ),
    )
    with pytest.raises(AssertionError) as caught:
        assert_same_schedule(cancelled, loops=("asyncio", broken("cancelled-handles-run").side()))
    assert "\nrule broken: a handle that was cancelled does not run" in str(caught.value)
