"""`assert_same_schedule` and the fixture, as someone else's test file would use them."""

import asyncio
import asyncio as another_name
import asyncio.tasks as a_part
import atexit
import collections
import concurrent.futures
import contextlib
import contextvars
import decimal
import functools
import gc
import inspect
import io
import os
import random
import re
import socket
import sys
import tempfile
import threading
import time
import warnings
from asyncio import TaskGroup, sleep
from time import monotonic_ns, perf_counter

import pytest

import miniloop as as_readme_says
from miniloop.difftest import known, side, sides, surroundings, written
from miniloop.testing import NotComparedFurther, assert_same_schedule


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
    assert re.search(r"=> .* asyncio\.tasks +\| .* miniloop\.core\.combinators", text)


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
    monkeypatch.setattr(surroundings, "LONGEST", 60)
    with pytest.raises(AssertionError, match="program runs for more than 10,000 ticks: make it"):
        assert_same_schedule(that_ticks_on)
    monkeypatch.setattr(surroundings, "LONGEST", 0.2)
    with pytest.raises(AssertionError, match=r"the program takes more than 0\.2 seconds of real"):
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

    with contextlib.suppress(RecursionError):
        await asyncio.create_task(deeper())


async def that_recurses_and_differs():
    await that_recurses()
    print(asyncio.sleep.__module__)


def test_what_comes_after_a_recursion_is_warned_of():
    with pytest.warns(
        NotComparedFurther, match="only before tick 2, in which a recursion went too deep"
    ) as caught:
        assert_same_schedule(that_recurses_and_differs)
    assert caught[0].filename == __file__


def test_a_recursion_that_changes_nothing_is_not_warned_of():
    with warnings.catch_warnings(action="error"):
        assert_same_schedule(that_recurses)


async def that_meets_a_known_difference():
    await asyncio.sleep(0)
    done = asyncio.get_running_loop().create_future()
    done.set_result(1)
    await asyncio.gather(done)
    print(asyncio.sleep.__module__)
    await that_recurses()
    raise ValueError(asyncio.sleep.__module__)


def test_what_comes_after_a_known_difference_is_warned_of(monkeypatch):
    # Whichever this Python is, and whether a recursion or an exception follows.
    monkeypatch.setattr(known, "needed", lambda watch: watch == "gather-of-done")
    older = sides.Side("older asyncio", asyncio, asyncio.SelectorEventLoop, asyncio.Task)
    for loops in ([older, "miniloop"], ["miniloop", older]):
        with pytest.warns(
            NotComparedFurther, match=r"only up to tick 2: .* to differ there .gather-of-done"
        ):
            assert_same_schedule(that_meets_a_known_difference, loops)


async def that_fails():
    assert time.sleep is None


async def that_waits_for_ever():
    await asyncio.Event().wait()


async def that_waits_for_a_thread():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    timer = threading.Timer(0.3, lambda: loop.call_soon_threadsafe(future.set_result, 1))
    timer.start()
    try:
        await future
    finally:
        timer.cancel()


async def that_asks_threads():
    def work(n):
        print("begins", n)
        time.sleep(n)
        print("ends", n)
        return n

    loop = asyncio.get_running_loop()
    jobs = [asyncio.to_thread(work, n) for n in (3, 1, 2)]
    print(await asyncio.gather(*jobs, asyncio.sleep(1, "slept")))
    print(round(loop.time()))
    async with asyncio.timeout(5):
        print(await loop.run_in_executor(None, threading.Event().wait, 0.1))
    # A job for which the loop does not wait at once, and has nothing else to do.
    print(await asyncio.to_thread(threading.Event().wait, 0.6))
    # A job that waits for what the loop does.
    event = threading.Event()
    loop.call_later(1, event.set)
    print(await asyncio.to_thread(event.wait))
    loop.run_in_executor(None, event.wait)


def test_threads_of_the_programs_own_are_waited_for():
    assert_same_schedule(that_waits_for_a_thread)


def test_jobs_in_threads_are_done_in_turn():
    for loops in (["asyncio", "asyncio"], ["asyncio", "miniloop"]):
        assert_same_schedule(that_asks_threads, loops)


class Mine(Exception):
    pass


WAITS_AND_CATCHES = """
import asyncio

async def main():
    await asyncio.Event().wait()

try:
    asyncio.run(main())
except Exception as error:
    print(type(error).__name__)
"""
RUNS = "import asyncio, sys\nasyncio.run(asyncio.sleep(0))\n"


def test_failing_alike_is_failing():
    for program, why in (
        (that_fails, r"ends with AssertionError\(.*\): if the exception is expected"),
        (that_waits_for_ever, "waits for ever"),
        (WAITS_AND_CATCHES, "waits for ever"),
        ("import asyncio\nasyncio.run(nosuch())", r"ends with NameError\(\)"),
        (RUNS + "sys.exit('too bad')", r"ends with SystemExit\(too bad\)"),
        (RUNS + "class SystemExitOfMine(Exception): pass\nraise SystemExitOfMine", "ends with Sys"),
        ("import asyncio\nprint(1)", "runs no event loop"),
        (RUNS + "sys.exit('0')", r"ends with SystemExit\(0\)"),
        (lambda: None, r"ends with TypeError(?s:.*)TypeError: an async function was expected"),
    ):
        with pytest.raises(AssertionError, match=f"but the program {why}"):
            assert_same_schedule(program)
    for status in ("", "0", "None", "False"):
        assert_same_schedule(RUNS + f"sys.exit({status})")


def test_a_task_factory_of_the_programs_own():
    async def main():
        def factory(loop, coro, **rest):
            print("makes", coro.__name__)
            return asyncio.Task(coro, loop=loop, **rest)

        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory)
        print(loop.get_task_factory() is factory)
        await asyncio.create_task(that_knows_its_library())

    with pytest.raises(AssertionError, match=r"print +makes that_knows(.|\n)*=> .* asyncio\.tasks"):
        assert_same_schedule(main)


def test_says_where_it_failed():
    with pytest.raises(AssertionError, match="but the program ends with") as caught:
        assert_same_schedule(that_fails)
    assert "assert time.sleep is None" in str(caught.value)


async def with_a_parameter(n):
    print(n)


def test_takes_nothing_else():
    with pytest.raises(TypeError, match="an async function, not"):
        assert_same_schedule(3)
    with pytest.raises(TypeError, match=r"without parameters, .* missing .* 'n'"):
        assert_same_schedule(with_a_parameter)
    with pytest.raises(ValueError, match="two or more"):
        assert_same_schedule(two_sleepers, loops=["miniloop"])

    async def main():
        with pytest.raises(RuntimeError, match="while an event loop is running"):
            assert_same_schedule(two_sleepers)

    asyncio.run(main())
    as_readme_says.run(main())


def decorated(function):
    @functools.wraps(function)
    async def wrapper():
        await sleep(0)
        await function()

    return wrapper


class WithMethod:
    async def method(self):
        await two_sleepers()


def test_takes_what_makes_a_coroutine():
    assert_same_schedule(functools.partial(with_a_parameter, 3))
    assert_same_schedule(functools.partial(asyncio.sleep, 1))
    assert_same_schedule(lambda: with_a_parameter(3))
    assert_same_schedule(WithMethod().method)
    assert_same_schedule(decorated(two_sleepers))
    with pytest.raises(AssertionError, match=r"=> .* asyncio\.tasks"):
        assert_same_schedule(decorated(that_knows_its_library))


async def that_imports_by_name():
    began, in_nanoseconds = perf_counter(), monotonic_ns()
    await sleep(3600)
    async with another_name.timeout(1), TaskGroup() as group:
        group.create_task(as_readme_says.sleep(0))
    assert round(perf_counter() - began) == 3600
    assert round((monotonic_ns() - in_nanoseconds) / 1e9) == 3600
    assert round(time.time() - began) == round(time.monotonic() - began) == 3600
    assert a_part.sleep is sleep is another_name.sleep is asyncio.sleep is as_readme_says.sleep


async def that_takes_tasks_out_of_sets():
    async def one(n):
        await asyncio.sleep(n % 3)
        print("runs", n)
        return n

    def ended(n):
        future = asyncio.get_running_loop().create_future()
        future.set_result(n)
        return future

    tasks = [asyncio.create_task(one(n)) for n in range(50)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        print(task.get_name(), task.cancel())
    print([task.result() for task in done], random.random())
    for coro in asyncio.as_completed([one(n) for n in range(20)]):
        print(await coro)
    if sys.version_info >= (3, 12):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    print([await task for task in {asyncio.create_task(one(n)) for n in range(20)}])
    print([future.result() for future in {ended(n) for n in range(20)}])
    scattered = [asyncio.create_task(asyncio.sleep(n % 8 == 0, n)) for n in range(48)]
    await asyncio.sleep(0.5)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        print(scattered.index(task))
    left = [asyncio.create_task(one(n + 1)) for n in range(20)]
    del left  # asyncio.run() cancels them


def test_names_sets_and_random_numbers_are_the_same_on_both():
    assert_same_schedule(that_imports_by_name)
    for loops in (["asyncio", "asyncio"], ["asyncio", "miniloop"]):
        assert_same_schedule(that_takes_tasks_out_of_sets, loops)
    source = inspect.getsource(that_takes_tasks_out_of_sets)
    run = "asyncio.run(that_takes_tasks_out_of_sets())"
    assert_same_schedule(f"import asyncio.tasks, random, sys\n{source}\n{run}")


def test_what_others_have_is_put_back():
    random.seed(7)
    expected = random.Random(7).random()
    mine = asyncio.new_event_loop()
    other = as_readme_says.new_event_loop()
    asyncio.set_event_loop(mine)
    as_readme_says.set_event_loop(other)
    try:
        assert_same_schedule(
            "import asyncio\nloop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\n"
            "loop.run_until_complete(asyncio.sleep(0))\n"
        )
        assert asyncio.get_event_loop() is mine
        assert as_readme_says.get_event_loop() is other
        with pytest.raises(AssertionError):
            assert_same_schedule(that_knows_its_library)
        with pytest.raises(AssertionError):
            assert_same_schedule(that_fails)
        assert random.random() == expected
        again = asyncio.new_event_loop()
        assert type(again).__module__.startswith("asyncio")
        again.close()
    finally:
        for library, loop in ((asyncio, mine), (as_readme_says, other)):
            library.set_event_loop(None)
            loop.close()


MAKES_LOOPS = (
    "with asyncio.Runner() as runner:\n    runner.run(says())\n    runner.run(says())",
    "asyncio.run(says(), debug=True)\nasyncio.run(says())",
    "asyncio.set_event_loop(asyncio.new_event_loop())\n"
    "loop = asyncio.get_event_loop()\nloop.run_until_complete(says())",
    "loop = asyncio.SelectorEventLoop()\nloop.run_until_complete(says())\nloop.close()",
    "for _ in range(2):\n    loop = asyncio.new_event_loop()\n"
    "    loop.run_until_complete(says())\n    loop.close()",
    "from asyncio.runners import run\nrun(says())",
    "import threading\nthread = threading.Thread(target=print, args=[1])\nthread.start()\n"
    "thread.join(timeout=1)\nasyncio.run(says())",
)


@pytest.mark.parametrize("makes", MAKES_LOOPS)
def test_whatever_way_a_loop_is_made_it_is_recorded(makes):
    says = "async def says():\n    print(asyncio.get_running_loop().get_debug())\n"
    assert_same_schedule(f"import asyncio\n{says}{makes}\n")
    says += "    print(asyncio.sleep.__module__)\n"
    with pytest.raises(AssertionError, match=r"=> .* asyncio\.tasks"):
        assert_same_schedule(f"import asyncio\n{says}{makes}\n")


def test_debug_mode_is_of_one_run():
    script = "import asyncio\nasync def a(): print(asyncio.get_running_loop().get_debug())\n"
    script += "asyncio.run(a(), debug=True)\nasyncio.run(a())\n"
    program = compile(script, "<program>", "exec")
    schedule = written.run_written(side("miniloop"), program).schedule
    assert [event.what for event in schedule.events if event.who == "print"] == ["True", "False"]


def test_parts_of_asyncio():
    assert_same_schedule(
        "import asyncio.subprocess\nfrom asyncio.log import logger\n"
        "from asyncio.tasks import sleep\nfrom asyncio.subprocess import PIPE\n"
        "async def main():\n    await sleep(3600)\n    logger.warning('n=%d', 3)\n"
        "    print(asyncio.subprocess.PIPE == PIPE, asyncio.sleep is sleep)\n"
        "    print(round(asyncio.get_running_loop().time()))\n"
        "asyncio.run(main())\n"
    )


async def that_serves():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        writer.close()

    print(asyncio.get_running_loop())
    async with await asyncio.start_server(answer, "localhost", 0, family=socket.AF_INET) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello\n")
        print(await reader.readline())
        writer.close()


def test_names_of_the_librarys_own_functions_are_left_out():
    assert_same_schedule(that_serves)


def test_a_print_of_the_programs_own_is_left_alone():
    def no_print(text):
        print("own", len(text) < 100)

    names = {"asyncio": asyncio, "print": no_print}
    exec("async def says():\n    print(asyncio.sleep.__module__)", names)
    assert_same_schedule(names["says"])
    assert printed_on("asyncio", names["says"]) == ["own True"]


def test_a_loop_of_the_programs_own_is_closed_by_it_only():
    assert_same_schedule(
        "import asyncio\nclass Loop(asyncio.SelectorEventLoop):\n    def close(self):\n"
        "        print('closes')\n        super().close()\n"
        "loop = Loop()\nloop.run_until_complete(asyncio.sleep(0))\nloop.close()\n"
    )


def test_a_script_has_its_own_repr():
    text = "import asyncio\nclass P:\n    def __repr__(self): return asyncio.sleep.__module__\n"
    with pytest.raises(AssertionError, match=r"=> .*asyncio\.tasks"):
        assert_same_schedule(text + "print(repr(P()))\n" + RUNS)
    assert_same_schedule("""assert repr("x") == "'x'"\n""" + RUNS)


def test_addresses_and_names_of_the_librarys_own_are_left_out():
    async def fails():
        await asyncio.sleep(0)
        raise Mine(f"{asyncio.current_task()!r} fails, {object()}")

    async def main():
        task = asyncio.create_task(fails())
        try:
            await task
        except Mine as error:
            print(error)
        print(task)

    assert_same_schedule(main)


def test_what_contains_itself_is_described():
    async def tree():
        node = {"children": []}
        node["children"].append({"parent": node})
        return node

    class Itself(Exception):
        pass

    async def fails():
        error = Itself("says")
        error.args = ("says", error)
        raise error

    async def main():
        print(await asyncio.gather(asyncio.create_task(tree()), fails(), return_exceptions=True))

    assert_same_schedule(main)


def test_what_cannot_be_described_is_no_error_of_the_programs():
    class Odd(int):
        def __str__(self):
            raise ValueError

    async def large():
        return 10**5000

    async def main():
        assert await asyncio.create_task(large()) == 10**5000
        assert await asyncio.create_task(asyncio.sleep(0, Odd(3))) == 3

    assert_same_schedule(main)


NUMBER = contextvars.ContextVar("NUMBER")


def test_runs_in_the_context_of_the_test():
    async def asks():
        print(NUMBER.get())

    def inside():
        NUMBER.set(3)
        assert_same_schedule(asks)

    contextvars.copy_context().run(inside)


def test_only_what_goes_to_the_standard_output_is_an_event():
    async def prints_elsewhere():
        there = io.StringIO()
        with contextlib.redirect_stdout(there):
            print(asyncio.sleep.__module__, end="")
        print(asyncio.sleep.__module__, file=there)
        print(asyncio.sleep.__module__, file=sys.stderr)
        assert there.getvalue() == 2 * asyncio.sleep.__module__ + "\n"

    assert_same_schedule(prints_elsewhere)


STANDARD = {"collections": collections, "decimal": decimal}


def test_what_is_printed_is_compared():
    for value in (
        "where",
        "where.encode()",
        "{'at': where}",
        "[where]",
        "Mine(where)",
        "Exception(where)",
        "KeyError(where)",
        "'a', 'b', sep=where",
        "'a', end=where",
        "decimal.Decimal(len(where))",
        "collections.deque([where])",
        "[1] if 'mini' in where else (1,)",
        "[1] if 'mini' in where else ['1']",
        "'a', end='' if 'mini' in where else None",
        "ExceptionGroup(where, [ValueError()])",
    ):
        names = {}
        text = f"async def says():\n    where = asyncio.sleep.__module__\n    print({value})"
        exec(text, {"asyncio": asyncio, "Mine": Mine, **STANDARD}, names)
        with pytest.raises(AssertionError, match=r"=> .*print"):
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


class MyQueue(asyncio.Queue):
    pass


async def that_has_made_something_before():
    asyncio.get_running_loop().call_later(1, asyncio.current_task().cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await MyQueue().get()


def test_says_what_may_be_behind_it():
    for program in (that_imports_in_the_function, that_has_made_something_before):
        with pytest.raises(AssertionError, match="A function that imports asyncio itself"):
            assert_same_schedule(program, ["asyncio", "miniloop"])


def test_a_recursion_on_one_side_only_is_a_difference():
    async def recurses_on_miniloop():
        print("RecursionError()" if "miniloop" in asyncio.sleep.__module__ else "fine")

    with pytest.raises(AssertionError, match=r"=> .* fine"):
        assert_same_schedule(recurses_on_miniloop)


class MyRecursionError(Exception):
    pass


def test_an_error_of_ones_own_is_no_recursion():
    async def main():
        print(MyRecursionError())
        print(asyncio.sleep.__module__)

    with pytest.raises(AssertionError, match=r"=> .*asyncio\.tasks"):
        assert_same_schedule(main)


def test_what_is_slow_on_one_side_is_told_to_be(monkeypatch):
    async def main():
        if "miniloop" in asyncio.sleep.__module__:
            await that_is_busy()

    monkeypatch.setattr(surroundings, "LONGEST", 0.2)
    with pytest.raises(AssertionError, match=r"miniloop the program takes more than 0\.2 seconds"):
        assert_same_schedule(main)


def test_unknown_loop():
    with pytest.raises(ValueError, match="no loop named 'nosuch'"):
        assert_same_schedule(two_sleepers, loops=("asyncio", "nosuch"))


def printed_on(name, program):
    """What a function prints on a side."""
    with surroundings.quiet():
        schedule = written.run_written(side(name), program).schedule
    return [event.what for event in schedule.events if event.who == "print"]


async def that_makes_a_task_of_a_function():
    for make in (asyncio.create_task, asyncio.ensure_future, asyncio.Task):
        try:
            make(that_fails)
        except TypeError:
            print("refused")
    async with asyncio.TaskGroup() as group:
        with contextlib.suppress(TypeError):
            group.create_task(that_fails)
    print(await asyncio.create_task(asyncio.sleep(0, "a task")))


async def that_asks_for_its_coroutine():
    coro = asyncio.sleep(0)
    task = asyncio.create_task(coro)
    print(task.get_coro() is coro, asyncio.iscoroutine(task.get_coro()), type(coro).__name__)
    await task


async def counts():
    try:
        for number in range(3):
            yield number
    finally:
        print("closing")
        await asyncio.sleep(0.01)
        print("closed")


left_open = []


async def that_leaves_generators_open():
    async for number in counts():
        print(number)
        break
    left_open.append(counts())
    print(await anext(left_open[-1]))
    asyncio.get_running_loop().call_later(0.005, print, "meanwhile")


class Freed:
    def __init__(self, name, cyclic):
        self.name = name
        self.itself = self if cyclic else None

    def __del__(self):
        print("freed", self.name)


async def that_makes_garbage():
    async def fails(number):
        freed = Freed(number, cyclic=False)
        await asyncio.sleep(0)
        raise ValueError(freed.name)

    Freed("cycle", cyclic=True)
    for number in range(3):
        with contextlib.suppress(ValueError):
            await asyncio.create_task(fails(number))
    with contextlib.suppress(ValueError):
        await asyncio.gather(fails(3), fails(4))
    gc.collect()
    await asyncio.sleep(0.1)
    print("end")


async def that_asks_stdout():
    print(sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.writable(), sys.stdout is not None)
    print(type(sys.stdout).__name__, sys.stdout.errors, file=sys.stdout)


def test_the_recorder_does_not_show():
    expected = {
        that_makes_a_task_of_a_function: ["refused"] * 3 + ["a task"],
        that_asks_for_its_coroutine: ["True True coroutine"],
        that_leaves_generators_open: ["0", "closing", "0", "closed"],
        that_makes_garbage: ["freed cycle", "end"],
        that_asks_stdout: None,
    }
    for program, lines in expected.items():
        assert_same_schedule(program)
        for name in ("asyncio", "miniloop"):
            printed = printed_on(name, program)
            left_open.clear()
            if lines is not None:
                assert [line for line in lines if line in printed] == lines, (name, printed)


async def that_forgets_to_await():
    asyncio.sleep(1)
    that_fails()
    await asyncio.sleep(0)


def test_coroutines_that_were_never_awaited_are_told():
    with pytest.warns(RuntimeWarning) as told:
        assert_same_schedule(that_forgets_to_await)
    texts = sorted(str(one.message) for one in told)
    assert texts == [
        "coroutine 'sleep' was never awaited",
        "coroutine 'that_fails' was never awaited",
    ]


async def that_computes_for_ever():
    while True:
        pass


async def that_prints_for_ever():
    while True:
        print("more")


@pytest.mark.parametrize("program", [that_computes_for_ever, that_prints_for_ever])
def test_what_the_clock_cuts_off_is_no_difference(program, monkeypatch):
    monkeypatch.setattr(surroundings, "LONGEST", 0.5)
    for _ in range(3):
        with pytest.raises(AssertionError, match=r"takes more than 0\.5 seconds of real time"):
            assert_same_schedule(program)


async def that_awaits_a_library():
    import async_timeout

    with contextlib.suppress(asyncio.TimeoutError):
        async with async_timeout.timeout(1):
            await asyncio.sleep(2)
    print("after", asyncio.get_running_loop().time() < 2)


def test_a_program_that_awaits_a_library_runs_on_interop():
    pytest.importorskip("async_timeout")
    assert_same_schedule(that_awaits_a_library)
    with pytest.raises(AssertionError, match=r"loops=\('asyncio', 'interop'\)"):
        assert_same_schedule(that_awaits_a_library, ("asyncio", "miniloop"))
    with pytest.raises(AssertionError, match="the schedules on asyncio and EventLoop differ"):
        assert_same_schedule(that_awaits_a_library, ("asyncio", as_readme_says.EventLoop))


async def that_ends_on_one_side_only():
    if "miniloop" in asyncio.sleep.__module__:
        raise KeyError("only here")


def test_what_ended_one_side_is_told():
    with pytest.raises(AssertionError, match=r"(?s)miniloop ends with\s+Traceback .*only here"):
        assert_same_schedule(that_ends_on_one_side_only)


# -- the fork in which a program runs --------------------------------------------------------------


def test_what_a_program_changes_is_not_seen_outside():
    changed = []

    async def changes():
        changed.append("here")
        sys.modules[__name__].changed_here = True
        print(changed)

    assert_same_schedule(changes)
    assert changed == []
    assert not hasattr(sys.modules[__name__], "changed_here")


ENDS = {
    "os._exit(3)": r"the program leaves in mid-run by os\._exit\(3\)",
    "os.kill(os.getpid(), signal.SIGKILL)": "the program crashes: SIGKILL",
    "sum(itertools.repeat(1))": r"the program takes more than 0\.5 seconds of real time",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_process_that_ends_early_is_told_of(end, monkeypatch):
    monkeypatch.setattr(surroundings, "LONGEST", 0.5 if "sum" in end else 5)
    with pytest.raises(AssertionError, match=ENDS[end]):
        assert_same_schedule(
            "import asyncio, itertools, os, signal\n"
            f"async def main():\n    await asyncio.sleep(1)\n    {end}\nasyncio.run(main())\n"
        )


class Mourned:
    def __del__(self):
        os.write(1, b"destroyed\n")


def test_the_test_lives_on_in_its_own_process_only(tmp_path, capfd):
    folder = tempfile.TemporaryDirectory(dir=tmp_path)
    atexit.register(print, "the end")
    cycle = [Mourned()]
    cycle.append(cycle)
    del cycle
    open_file = (tmp_path / "log").open("w")
    open_file.write("once")
    try:
        assert_same_schedule(two_sleepers)
    finally:
        atexit.unregister(print)
        open_file.close()
    assert os.path.isdir(folder.name)
    folder.cleanup()
    assert (tmp_path / "log").read_text() == "once"
    gc.collect()
    assert capfd.readouterr().out == "destroyed\n"


def test_what_goes_to_stderr_is_shown_once_for_each_loop(capsys):
    async def complains():
        print("hello", file=sys.stderr)

    assert_same_schedule(complains)
    assert capsys.readouterr() == ("", "hello\n" * 2)


def test_in_another_thread_with_more_of_them():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pool.submit(time.sleep, 0.01)
        with warnings.catch_warnings(action="error"):
            pool.submit(assert_same_schedule, that_asks_threads).result()
        with pytest.raises(AssertionError, match="waits for ever"):
            pool.submit(assert_same_schedule, that_waits_for_ever).result()


def test_where_there_are_no_forks(monkeypatch):
    monkeypatch.setattr(written, "CAN_FORK", False)
    with pytest.raises(RuntimeError, match="run `miniloop compare FILE`"):
        assert_same_schedule(two_sleepers)


def test_the_end_of_the_last_line_may_be_missing():
    text = RUNS + "print(asyncio.sleep.__module__, end='')\n"
    with pytest.raises(AssertionError, match=r"=> .*print +asyncio\.tasks"):
        assert_same_schedule(text)
