"""`assert_same_schedule` and the fixture, as someone else's test file would use them."""

import asyncio
import time

import pytest

from miniloop.difftest import assert_same_schedule
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
