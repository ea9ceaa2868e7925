"""Names, contexts and coroutines of tasks."""

import contextvars
import re
from types import ModuleType
from typing import Any

import pytest

import miniloop

variable = contextvars.ContextVar("variable", default="outside")


async def nothing() -> None:
    pass


def number_of(name: str) -> int:
    match = re.fullmatch(r"Task-(\d+)", name)
    assert match, name
    return int(match[1])


def test_tasks_are_numbered_in_the_order_of_their_making(loop: Any) -> None:
    tasks = [loop.create_task(nothing()) for _ in range(3)]
    third, second, first = [number_of(task.get_name()) for task in reversed(tasks)]
    assert (second, third) == (first + 1, first + 2)  # also when the last is asked first
    loop.run_until_complete(tasks[-1])


def test_a_name_that_was_given_takes_no_number(loop: Any) -> None:
    before = loop.create_task(nothing())
    named = loop.create_task(nothing(), name="named")
    after = loop.create_task(nothing())
    assert named.get_name() == "named"
    assert number_of(after.get_name()) == number_of(before.get_name()) + 1
    loop.run_until_complete(after)


@pytest.mark.parametrize(("name", "text"), [("", ""), (5, "5"), (("a",), "('a',)")])
def test_names_are_made_strings(loop: Any, name: Any, text: str) -> None:
    task = loop.create_task(nothing(), name=name)
    assert task.get_name() == text
    task.set_name(name)
    assert task.get_name() == text
    loop.run_until_complete(task)


def test_set_name_none_is_a_name_like_any_other(loop: Any) -> None:
    task = loop.create_task(nothing())
    task.set_name(None)
    assert task.get_name() == "None"
    loop.run_until_complete(task)


def test_names_reach_tasks_by_every_way(aio: ModuleType, run: Any) -> None:
    async def main() -> None:
        assert aio.create_task(nothing(), name="a").get_name() == "a"
        async with aio.TaskGroup() as group:
            assert group.create_task(nothing(), name="b").get_name() == "b"
        assert aio.Task(nothing(), name="c").get_name() == "c"
        assert re.fullmatch(r"Task-\d+", aio.ensure_future(nothing()).get_name())

    run(main())


def test_a_task_factory_makes_tasks_with_names() -> None:
    loop = miniloop.new_event_loop()
    loop.set_task_factory(lambda loop, coro, **options: miniloop.Task(coro, loop=loop, **options))
    assert loop.create_task(nothing(), name="named").get_name() == "named"
    unnamed = loop.create_task(nothing())
    number_of(unnamed.get_name())
    loop.run_until_complete(unnamed)
    loop.close()


# -- contexts --------------------------------------------------------------------------------------


async def set_and_wait(aio: ModuleType, value: str) -> str:
    variable.set(value)
    await aio.sleep(0)
    return variable.get()


def test_every_task_has_a_copy_of_its_makers_context(aio: ModuleType, run: Any) -> None:
    async def main() -> None:
        variable.set("main")
        results = await aio.gather(*[set_and_wait(aio, value) for value in "abc"])
        assert (results, variable.get()) == (["a", "b", "c"], "main")

    run(main())
    assert variable.get() == "outside"


def test_tasks_can_share_a_context(aio: ModuleType, run: Any) -> None:
    context = contextvars.copy_context()

    async def main() -> None:
        await aio.create_task(set_and_wait(aio, "shared"), context=context)
        seen = await aio.create_task(read(), context=context)
        assert (seen, variable.get()) == ("shared", "outside")

    async def read() -> str:
        return variable.get()

    run(main())


def test_the_context_is_that_of_the_making_not_of_the_first_step(aio: ModuleType, run: Any) -> None:
    async def read() -> str:
        return variable.get()

    async def main() -> None:
        variable.set("before")
        task = aio.create_task(read())
        variable.set("after")
        assert await task == "before"

    run(main())


def test_a_done_callback_has_the_context_of_who_added_it(aio: ModuleType, run: Any) -> None:
    seen = []

    async def main() -> None:
        future = aio.get_running_loop().create_future()
        variable.set("first")
        future.add_done_callback(lambda future: seen.append(variable.get()))
        variable.set("second")
        future.add_done_callback(
            lambda future: seen.append(variable.get()), context=contextvars.Context()
        )
        future.set_result(None)
        await aio.sleep(0)

    run(main())
    assert seen == ["first", "outside"]


def test_run_shares_one_context_between_calls_of_a_runner(aio: ModuleType) -> None:
    async def read() -> str:
        return variable.get()

    with aio.Runner() as runner:
        runner.run(set_and_wait(aio, "from the first"))
        assert runner.run(read()) == "from the first"
        assert runner.run(read(), context=contextvars.Context()) == "outside"
    assert variable.get() == "outside"


# -- coroutine and class ---------------------------------------------------------------------------


def test_get_coro(loop: Any) -> None:
    coro = nothing()
    task = loop.create_task(coro)
    assert task.get_coro() is coro
    loop.run_until_complete(task)
    assert task.get_coro() is coro


def test_a_task_cannot_be_given_its_end(loop: Any) -> None:
    task = loop.create_task(nothing())
    with pytest.raises(RuntimeError, match="Task does not support set_result operation"):
        task.set_result(1)
    with pytest.raises(RuntimeError, match="Task does not support set_exception operation"):
        task.set_exception(ValueError())
    loop.run_until_complete(task)


@pytest.mark.parametrize("wrong", [None, 1, print, nothing])
def test_a_task_wants_a_coroutine(aio: ModuleType, loop: Any, wrong: Any) -> None:
    with pytest.raises(TypeError, match="a coroutine was expected, got "):
        aio.Task(wrong, loop=loop)


def test_a_task_is_a_future(aio: ModuleType, loop: Any) -> None:
    task = loop.create_task(nothing())
    assert isinstance(task, aio.Future)
    assert aio.isfuture(task)
    assert aio.ensure_future(task) is task
    loop.run_until_complete(task)


def test_the_repr_tells_state_name_and_place(aio: ModuleType, loop: Any) -> None:
    future = loop.create_future()

    async def wait() -> None:
        await future

    def text() -> str:
        return re.sub(r" at [^ >]+:\d+", " at HERE", repr(task).replace(wait.__qualname__, "wait"))

    task = loop.create_task(wait(), name="named")
    assert text() == "<Task pending name='named' coro=<wait() running at HERE>>"
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert text().startswith(
        "<Task pending name='named' coro=<wait() running at HERE> "
        "wait_for=<Future pending cb=[Task."
    )
    task.cancel()
    assert text().startswith("<Task cancelling name='named' coro=<wait() running at HERE>")
    with pytest.raises(aio.CancelledError):
        loop.run_until_complete(task)
    assert text() == "<Task cancelled name='named' coro=<wait() done, defined at HERE>>"
