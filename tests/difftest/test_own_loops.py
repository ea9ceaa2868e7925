"""A loop of one's own: given in any form, in any place, compared as far as it can be."""

import asyncio
import functools
import re
import sys
import warnings
from pathlib import Path

import pytest

import miniloop
from miniloop.difftest import side
from miniloop.difftest.fuzz import numbered_program
from miniloop.difftest.loops import KNOWN, resolve
from miniloop.difftest.sides import KNOWN as SIDES
from miniloop.testing import NotComparedFurther, assert_same_schedule
from tests.cli.both_ways import run
from tests.difftest import own_loops

HERE = "tests.difftest.own_loops"
TICKS = (
    *("TakesSelector", "TakesKeyword", "TakesAnything", "NeedsSelector", "OnTheCore"),
    *("MakesTasks", "OwnQueue", "makes_with", "Inner.Loop"),
)
ORDER = {
    "TakesNone": "takes no selector, so .* let __init__ take a selector and pass it on",
    "makes_without": "takes no selector, so .* let it take a selector and pass it on",
    "LeavesItOut": r"does not use the selector that it gets, so .* call select\(\)",
    "OwnQueueAndWait": "takes no selector",
    "OwnClock": r"does not take the time from its own time\(\)",
}
BAD = {
    f"{HERE}:fails": "the loop cannot be made: OSError: no luck",
    f"{HERE}:three": "it makes no loop, but returns 3",
    f"{HERE}:NoLoop": "is a class, but no event loop: it has no run_forever()",
    f"{HERE}:made": "give a loop class, a function that makes a loop, ",
    f"{HERE}:Nosuch": f"module {HERE!r} has no 'Nosuch'",
    f"{HERE}:Inner.Nosuch": f"'Inner' in module {HERE!r} has no 'Nosuch'",
    "nosuch.loops:Loop": "there is no module named 'nosuch'",
    "tests.difftest.nosuch:Loop": "there is no module named 'tests.difftest.nosuch'",
    "tests/difftest/own_loops.py:TakesNone": "give the name of the module, not its file",
    ":Loop": "give a module and a name in it",
    "asyncio:": "give a module and a name in it",
}


def named(name):
    return functools.reduce(getattr, name.split("."), own_loops)


async def child(number):
    await asyncio.sleep(number / 50)
    print("child", number)
    return number


async def works():
    print(await asyncio.gather(child(1), child(3), child(2)))
    async with asyncio.timeout(5):
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(child(number), name=f"n{number}")
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, "set")
    print(await future)


@pytest.mark.parametrize("name", TICKS)
def test_a_loop_that_takes_a_selector_is_compared_to_the_tick(name):
    for given in (named(name), f"{HERE}:{name}"):
        assert not resolve(given).order_only
        with warnings.catch_warnings():
            warnings.simplefilter("error", NotComparedFurther)
            assert_same_schedule(works, loops=("asyncio", given))


@pytest.mark.parametrize("name", ORDER)
def test_of_a_loop_that_takes_none_it_is_the_order(name):
    for given in (named(name), f"{HERE}:{name}"):
        assert re.search(ORDER[name], resolve(given).order_only)
        assert "only the order of events is compared" in resolve(given).order_only
        with pytest.warns(NotComparedFurther, match=ORDER[name]):
            assert_same_schedule(works, loops=("asyncio", given))


def test_the_first_line_of_an_error_says_that_it_is_the_order():
    class Backwards(own_loops.Backwards):
        def __init__(self):
            super().__init__()

    with pytest.raises(AssertionError) as caught:
        assert_same_schedule(works, loops=("asyncio", Backwards))
    first, second, *rest = str(caught.value).splitlines()
    assert first == resolve(Backwards).order_only
    assert second.startswith("the schedules on asyncio and ")
    assert second.endswith("Backwards differ:")
    assert not any("select(" in line for line in rest)
    with pytest.raises(AssertionError, match=r"(?s)^the schedules on .*Backwards differ.*select\("):
        assert_same_schedule(works, loops=("asyncio", own_loops.Backwards))


@pytest.mark.parametrize("text", BAD)
def test_bad_input_is_said_in_one_line(text):
    for take in (resolve, side, lambda text: assert_same_schedule(works, ("asyncio", text))):
        with pytest.raises(ValueError, match=re.escape(BAD[text])) as caught:
            take(text)
        assert "\n" not in str(caught.value)


def test_what_is_neither_text_nor_a_kind_of_loop():
    loop = asyncio.new_event_loop()
    for given in (3, None, loop):
        with pytest.raises(TypeError, match="give a loop class, a function that makes a loop"):
            resolve(given)
    loop.close()
    for name in KNOWN:
        assert name in SIDES
    with pytest.raises(ValueError, match="no loop named 'curio'") as caught:
        side("curio")
    assert all(name in str(caught.value) for name in SIDES)


def test_a_loop_runs_programs_of_the_library_that_belongs_to_it():
    assert resolve(own_loops.OnTheCore).module is miniloop
    assert resolve(own_loops.TakesSelector).module is asyncio
    interop = resolve("interop")
    assert interop.module is asyncio
    assert interop.task_class.__module__ == "miniloop.interop"
    assert_same_schedule(works, loops=("asyncio", "interop"))
    assert_same_schedule(works, loops=("interop", "miniloop"))


def test_what_a_function_does_to_its_loop_is_kept():
    async def asks():
        print(asyncio.get_running_loop().slow_callback_duration)

    with pytest.raises(AssertionError, match=r"print +0\.1 .* print +7"):
        assert_same_schedule(asks, loops=("asyncio", own_loops.makes_with))


def test_programs_of_the_grammar():
    programs = [numbered_program(7, number) for number in range(6)]
    for program in programs:
        assert_same_schedule(program, loops=("asyncio", own_loops.TakesSelector))
    with pytest.warns(NotComparedFurther, match="takes no selector"):
        assert_same_schedule(programs[0], loops=("asyncio", own_loops.TakesNone))
    with pytest.raises(AssertionError, match=r"^the schedules on asyncio and Backwards differ:"):
        assert_same_schedule(programs[1], loops=("asyncio", own_loops.Backwards))


def test_the_fixture_takes_them_too(same_schedule):
    same_schedule(works, loops=("asyncio", own_loops.TakesSelector, f"{HERE}:OnTheCore"))
    with pytest.warns(NotComparedFurther, match="takes no selector"):
        same_schedule(works, loops=(own_loops.TakesNone, "miniloop"))


def test_a_task_factory_of_the_programs_own_in_real_time():
    async def main():
        def factory(loop, coro, **rest):
            print("makes", coro.__name__)
            return asyncio.Task(coro, loop=loop, **rest)

        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory)
        await asyncio.create_task(child(1))
        print(loop.get_task_factory() is factory, await asyncio.to_thread(sum, [1, 2]))

    for loops in (("asyncio", own_loops.TakesNone), (own_loops.TakesNone, "asyncio")):
        with pytest.warns(NotComparedFurther, match="takes no selector"):
            assert_same_schedule(main, loops=loops)


def test_what_waits_for_ever_is_not_tried_in_real_time():
    async def waits():
        await asyncio.Event().wait()

    with pytest.raises(AssertionError, match="on asyncio the program waits for ever"):
        assert_same_schedule(waits, loops=("asyncio", own_loops.TakesNone))


FUZZ = {
    "TakesSelector": "",
    "makes_with": "",
    "OnTheCore": "",
    "TakesNone": "takes no selector",
    "makes_without": "takes no selector",
}


@pytest.mark.parametrize("name", FUZZ)
def test_fuzz_takes_them_and_says_what_it_compares(name):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "miniloop", "fuzz", "--loop", f"{HERE}:{name}"]
    ended = run([*command, "--examples", "8"], root)
    assert (ended.stderr, ended.status) == ("", 0), ended.stdout
    first, second, *_ = ended.stdout.splitlines()
    if FUZZ[name]:
        assert first == resolve(f"{HERE}:{name}").order_only
    else:
        assert first == (
            f"{HERE}:{name} is compared with asyncio to the tick, on virtual time: "
            "it takes a selector"
        )
    # In real time, those that block for ever are left out.
    assert re.match("[5-8] programs compared" if FUZZ[name] else "8 programs compared", second)


def test_fuzz_helps_with_every_name_that_it_offers():
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "miniloop", "fuzz"]
    ended = run([*command, "--loop", "curio"], root)
    assert ended.status == 2
    assert ended.stderr.startswith("miniloop fuzz: no loop named 'curio': choose from ")
    offered = ended.stderr.partition("choose from ")[2].partition(", or give")[0].split(", ")
    assert offered == list(SIDES)
    text = run([*command, "--help"], root).stdout
    assert all(re.search(rf"(?<![\w-]){name}(?![\w-])", text) for name in offered)
