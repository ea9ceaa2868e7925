"""`assert_same_schedule` and the fixture, as someone else's test file would use them."""

import asyncio
import asyncio as another_name
import inspect
import random
import re
import threading
import time
from asyncio import sleep
from time import monotonic_ns, perf_counter

import pytest

from miniloop.difftest import NotComparedFurther, assert_same_schedule, side, sides
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
    assert re.search(r"=> .* asyncio\.tasks +\| .* miniloop\.combinators", text)


def test_names_are_put_back():
    assert_same_schedule(two_sleepers)
    assert asyncio.__name__ == "asyncio"
    assert time.sleep.__module__ != "miniloop.trace.clock"
    assert "print" not in globals()


async def that_is_busy():
    for _ in range(10**9):
        pass
    print(asyncio.sleep.__module__)


async def that_ticks_on():
    while True:
        await asyncio.sleep(0)


def test_what_is_not_compared_to_its_end_fails(monkeypatch):
    with pytest.raises(AssertionError, match="but it runs for more than 10,000 ticks: make it"):
        assert_same_schedule(that_ticks_on)
    monkeypatch.setattr(sides, "LONG_EVENT_LIMIT", 50)
    text = "import asyncio\nfor n in range(60): print(n)\nasyncio.run(asyncio.sleep(0))\n"
    with pytest.raises(AssertionError, match="but it has more than 50 events"):
        assert_same_schedule(text)
    monkeypatch.setattr(sides, "LONGEST", 0.2)
    with pytest.raises(AssertionError, match=r"but it takes more than 0\.2 seconds of real time"):
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
    with pytest.warns(NotComparedFurther, match="before tick 1 only: a recursion went too deep"):
        assert_same_schedule(that_recurses)


def test_what_comes_after_a_known_difference_is_warned_of():
    async def that_meets_one():
        await asyncio.sleep(0)
        side("asyncio")._cut("gather-of-done")
        print(asyncio.sleep.__module__)

    with pytest.warns(
        NotComparedFurther, match=r"to tick 2 only: .* to differ there .gather-of-done"
    ):
        assert_same_schedule(that_meets_one)


async def that_fails():
    assert time.sleep is None


async def that_waits_for_ever():
    await asyncio.Event().wait()


async def that_asks_a_thread():
    await asyncio.to_thread(threading.Event().wait, 0.3)


def without_a_loop():
    return asyncio.sleep(0)


class Mine(Exception):
    pass


def test_failing_alike_is_failing():
    for program, why in (
        (that_fails, r"ends with AssertionError\(\): catch"),
        (that_waits_for_ever, "waits for ever"),
        (that_asks_a_thread, "waits for ever: .*threads"),
        ("import asyncio\nasyncio.run(nosuch())", r"ends with NameError\(\)"),
        ("import asyncio\nprint(1)", "runs no event loop"),
        ("import asyncio\nwith asyncio.Runner() as r: r.run(asyncio.sleep(0))", "runs no event"),
    ):
        with pytest.raises(AssertionError, match=f"but it {why}"):
            assert_same_schedule(program)


def test_takes_nothing_else():
    with pytest.raises(TypeError, match="an async function, not"):
        assert_same_schedule(without_a_loop)
    with pytest.raises(ValueError, match="two or more"):
        assert_same_schedule(two_sleepers, loops=["miniloop"])

    async def main():
        with pytest.raises(RuntimeError, match="while an event loop is running"):
            assert_same_schedule(two_sleepers)

    asyncio.run(main())


async def that_imports_by_name():
    began = perf_counter()
    await sleep(3600)
    async with another_name.timeout(1):
        await sleep(0)
    print(round(perf_counter() - began), monotonic_ns() // 10**9)
    print(sleep.__module__ == another_name.sleep.__module__ == asyncio.sleep.__module__)


async def that_takes_tasks_out_of_sets():
    tasks = [asyncio.create_task(asyncio.sleep(n % 3, n), name=str(n)) for n in range(50)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        print(task.get_name(), task.cancel())
    print([task.result() for task in done], random.random())


def test_names_sets_and_random_numbers_are_the_same_on_both():
    assert_same_schedule(that_imports_by_name)
    assert_same_schedule(that_takes_tasks_out_of_sets)
    source = inspect.getsource(that_takes_tasks_out_of_sets)
    run = "asyncio.run(that_takes_tasks_out_of_sets())"
    assert_same_schedule(f"import asyncio.tasks, random\n{source}\n{run}")


def test_what_is_printed_is_compared():
    for value in (
        "where",
        "where.encode()",
        "{'at': where}",
        "[where]",
        "Mine(where)",
        "'a', 'b', sep=where",
    ):
        names = {}
        text = f"async def says():\n    where = asyncio.sleep.__module__\n    print({value})"
        exec(text, {"asyncio": asyncio, "Mine": Mine}, names)
        with pytest.raises(AssertionError, match=r"=> .*asyncio\.tasks"):
            assert_same_schedule(names["says"])


def test_long_schedules_are_shown_in_part():
    text = "import asyncio\nfor n in range(3000): print(n)\n"
    with pytest.raises(AssertionError) as caught:
        assert_same_schedule(
            text + "print(asyncio.sleep.__module__)\nasyncio.run(asyncio.sleep(0))"
        )
    assert 50 < str(caught.value).count("\n") < 120
    assert "asyncio.tasks" in str(caught.value)


async def that_imports_in_the_function():
    import asyncio

    await asyncio.sleep(1)


def test_says_what_may_be_behind_it():
    with pytest.raises(AssertionError, match="does a function import asyncio itself"):
        assert_same_schedule(that_imports_in_the_function)


def test_a_recursion_on_one_side_only_is_a_difference():
    async def recurses_on_miniloop():
        print("RecursionError()" if "miniloop" in asyncio.sleep.__module__ else "fine")

    with pytest.raises(AssertionError, match=r"=> .* fine"):
        assert_same_schedule(recurses_on_miniloop)


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
