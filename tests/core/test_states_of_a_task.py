"""A task is in one of four states, and goes from one to another as the table in `tasks.py` says.

The table stands at the top of `miniloop/core/tasks.py`. The test looks at all tasks of a program
before each entry of the ready queue runs, and at the beginning and the end of each step. Each task
must be in exactly one state. The ways from state to state must be those of the table, no more and
no less.
"""

import itertools
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import miniloop
from tests.task_states import states
from tests.virtual_clock import new_virtual_loop

MEANING: dict[str, Callable[[Any, Any], bool]] = {
    "ready": lambda task, loop: task in loop._ready,
    "running": lambda task, loop: loop._current_task is task,
    "waiting": lambda task, loop: (
        task._fut_waiter is not None and task in task._fut_waiter._all_waiting()
    ),
    "done": lambda task, loop: task.done(),
}


async def program() -> None:
    loop = miniloop.get_running_loop()
    future = loop.create_future()

    async def go_on() -> None:
        await miniloop.sleep(0)

    async def wait(awaited: Any) -> None:
        await awaited

    async def fail() -> None:
        raise ZeroDivisionError

    async def cancel_myself() -> None:
        miniloop.current_task().cancel()  # type: ignore[union-attr]
        await future

    never_begins, waits = (miniloop.create_task(one) for one in (go_on(), wait(future)))
    never_begins.cancel()
    waits_for_it = miniloop.create_task(wait(waits))
    loop.call_later(1, waits_for_it.cancel)
    await miniloop.gather(
        *(go_on(), fail(), cancel_myself(), never_begins, waits, waits_for_it, miniloop.sleep(2)),
        return_exceptions=True,
    )


def test_a_task_goes_from_state_to_state_as_the_table_says() -> None:
    tasks: list[miniloop.Task[Any]] = []
    passed: dict[miniloop.Task[Any], list[str]] = {}

    def look() -> None:
        for task in tasks:
            found = [state for state, holds in MEANING.items() if holds(task, loop)]
            assert len(found) == 1, (task, found)
            if passed.setdefault(task, found)[-1] != found[0]:
                passed[task] += found

    class Ready(deque[Any]):
        def popleft(self) -> Any:
            look()
            return super().popleft()

    class Watched(Coroutine[Any, Any, Any]):
        def __init__(self, coro: Any) -> None:
            self.coro = coro

        def send(self, value: Any) -> Any:
            look()
            try:
                return self.coro.send(value)
            finally:
                look()

        def throw(self, *exception: Any) -> Any:
            look()
            try:
                return self.coro.throw(*exception)
            finally:
                look()

        def close(self) -> None:
            self.coro.close()

        def __await__(self) -> Any:
            raise NotImplementedError

    def make_task(loop: Any, coro: Any, **kwargs: Any) -> miniloop.Task[Any]:
        tasks.append(miniloop.Task(Watched(coro), loop=loop, **kwargs))
        return tasks[-1]

    loop = new_virtual_loop(miniloop)
    loop._ready = Ready()
    loop.set_task_factory(make_task)
    loop.run_until_complete(program())
    look()
    loop.close()

    table = states()
    assert {state.name for state in table} == MEANING.keys()
    ways = {way for states_passed in passed.values() for way in itertools.pairwise(states_passed)}
    assert ways == {(state.name, after) for state in table for _, after in state.ways}
    assert len(passed) == 8
    assert {(way[0], way[-1]) for way in passed.values()} == {("ready", "done")}
