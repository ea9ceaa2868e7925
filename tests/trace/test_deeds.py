"""What a step did, and what was done to it: told truly, and in the order in which it happened."""

import jsonschema
import pytest

from miniloop.difftest.scripts import run_side
from miniloop.trace.document import assemble
from miniloop.trace.explain import chain_told, explained, step_named

from .test_formats import SCHEMA

PROGRAM = """\
import asyncio, contextvars
user = contextvars.ContextVar("user", default="nobody")

async def child():
    pass

async def order():
    print("one")
    user.set("anna")
    asyncio.create_task(child())
    print("two")
    print("three")
    asyncio.get_running_loop().call_exception_handler({"message": "a report"})
    user.set("bert")
    print("four")
    asyncio.create_task(child())

async def work():
    print("works")

async def waiter(awaited):
    await awaited

async def selfish():
    asyncio.current_task().cancel()
    await asyncio.sleep(1)

async def main():
    loop = asyncio.get_running_loop()
    await order()
    never = asyncio.create_task(work())
    never.cancel()
    future = loop.create_future()
    late = asyncio.create_task(waiter(future), name="late")
    inner = asyncio.create_task(waiter(loop.create_future()), name="inner")
    outer = asyncio.create_task(waiter(inner), name="outer")
    await asyncio.sleep(0)
    future.set_result(1)
    late.cancel()
    outer.cancel()
    loop.call_soon(print, "not printed").cancel()
    mine = asyncio.create_task(selfish())
    await asyncio.wait([never, late, outer, mine])

asyncio.run(main())
"""


@pytest.fixture(scope="module", params=["miniloop", "asyncio"])
def document(request, tmp_path_factory):
    script = tmp_path_factory.mktemp("deeds") / "script.py"
    script.write_text(PROGRAM)
    run = run_side(request.param, str(script), steps=1000)
    assert run.complete, run.said
    found = assemble(run.watched, script.name, request.param)
    jsonschema.validate(found, SCHEMA)
    return found


def lines_of(document, beginning):
    """Return what `explain` tells of the first step that is told with this beginning."""
    lines = list(explained(document))
    first = next(n for n, line in enumerate(lines) if line.startswith(f"  {beginning}"))
    last = next(n for n in range(first + 1, len(lines)) if not lines[n].startswith("      "))
    return [line.strip() for line in lines[first:last]]


def says(document, beginning):
    """Return the sentence of the only step whose sentence begins so."""
    [found] = [step["say"] for step in document["steps"] if step["say"].startswith(beginning)]
    return found


def test_explain_tells_in_order(document):
    lines = lines_of(document, "main: ")
    assert [line for line in lines if "│" in line] == [
        "prints │ one",
        "sets   │ user = 'anna'",
        "prints │ two",
        "prints │ three",
        "reports │ a report",
        "sets   │ user = 'bert'",
        "prints │ four",
    ]


def test_the_sentence_tells_in_order(document):
    deeds = says(document, "main starts: ").partition(" It ")[2]
    assert deeds.startswith(
        "prints “one”, sets user to 'anna', makes the task child, prints 2 lines, "
        "sets user to 'bert', prints “four”, makes the tasks child-2, work, "
    )
    assert deeds.endswith(", … and lets the others go first.")


def test_an_error_is_told_with_its_own_cause(document):
    assert lines_of(document, "late: runs because main called set_result()") == [
        "late: runs because main called set_result(), line 38, "
        "and CancelledError() is thrown in because main called cancel(), line 39",
        "goes on in      22  await awaited",
        "is cancelled",
    ]
    assert says(document, "late goes on in line 22") == (
        "late goes on in line 22: main called set_result(), line 38. "
        "CancelledError() is thrown in: main called cancel(), line 39. It is cancelled."
    )
    tick = next(
        step["tick"] for step in document["steps"] if step["say"].startswith("late goes on")
    )
    chain = list(chain_told(document, step_named(document, f"late@{tick}")[0]))
    assert "    and CancelledError() is thrown in because main called cancel(), line 39" in chain
    assert "      39  late.cancel()" in chain


def test_a_task_is_cancelled_through_the_one_that_it_awaits(document):
    assert lines_of(document, "inner: runs because main called cancel()")[0] == (
        "inner: runs because main called cancel(), line 40, and CancelledError() is thrown in"
    )
    assert lines_of(document, "outer: runs because inner")[0] == (
        "outer: runs because inner was cancelled, "
        "and CancelledError() is thrown in because main called cancel(), line 40"
    )


def test_a_task_that_is_cancelled_before_its_first_step_never_begins(document):
    assert lines_of(document, "work: ") == [
        "work: has its turn because main called create_task(), line 31, "
        "and CancelledError() is thrown in because main called cancel(), line 32",
        "never begins    18  async def work():",
        "is cancelled",
    ]
    assert says(document, "work ") == (
        "work never begins: main called create_task(), line 31. "
        "CancelledError() is thrown in: main called cancel(), line 32. It is cancelled."
    )


def test_a_task_that_cancels_itself_waits_no_longer(document):
    assert lines_of(document, "selfish: runs because main")[-1] == (
        "waits in        26  await asyncio.sleep(1)   (its own cancellation ends the wait at once)"
    )
    assert lines_of(document, "selfish: runs because selfish")[0] == (
        "selfish: runs because selfish called cancel(), line 25, and CancelledError() is thrown in"
    )
    assert says(document, "selfish starts: ").endswith(
        "It waits in line 26, and its own cancellation ends the wait at once."
    )


def test_a_cancelled_callback_does_not_run(document):
    assert "  (callback print): does not run, because it was cancelled" in explained(document)
    assert says(document, "Callback: callback print") == (
        "Callback: callback print. It was cancelled, so it does not run."
    )
