"""What has ended dies by its reference count: nothing is left for the garbage collector."""

import asyncio
import gc
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("no_gc")


class Scene:
    """What the programs below play with.

    The thing that is to die hangs here, and in no local variable: a traceback leads to the frames
    of the program itself, and what these hold would live as long as the exception does.
    """

    thing: Any

    def __init__(self, aio: ModuleType, loop: Any) -> None:
        self.aio = aio
        self.loop = loop

    def tick(self) -> None:
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    async def wait(self) -> None:
        await self.thing

    async def wait_and_catch(self) -> None:
        try:
            await self.thing
        except ZeroDivisionError:
            pass


async def nothing() -> str:
    return "result"


async def fail() -> None:
    raise ZeroDivisionError("here")


def finished_task(on: Scene) -> None:
    on.thing = on.loop.create_task(nothing())
    on.loop.run_until_complete(on.thing)


def finished_task_that_waited(on: Scene) -> None:
    on.thing = on.loop.create_task(on.aio.sleep(0.0001))
    on.loop.run_until_complete(on.thing)


def failed_task_whose_result_was_asked_for(on: Scene) -> None:
    on.thing = on.loop.create_task(fail())
    on.tick()
    try:
        on.thing.result()
    except ZeroDivisionError:
        pass


def failed_task_whose_exception_was_asked_for(on: Scene) -> None:
    on.thing = on.loop.create_task(fail())
    on.tick()
    on.thing.exception()


def failed_task_that_was_awaited(on: Scene) -> None:
    on.thing = on.loop.create_task(fail())
    on.loop.run_until_complete(on.wait_and_catch())


def failed_task_that_nobody_asks(on: Scene) -> None:
    on.loop.set_exception_handler(lambda loop, context: None)
    on.thing = on.loop.create_task(fail())
    on.tick()


def failed_future_whose_result_was_asked_for(on: Scene) -> None:
    on.thing = on.loop.create_future()
    on.thing.set_exception(ZeroDivisionError("here"))
    try:
        on.thing.result()
    except ZeroDivisionError:
        pass


def failed_future_that_was_awaited_when_done(on: Scene) -> None:
    on.thing = on.loop.create_future()
    on.thing.set_exception(ZeroDivisionError("here"))
    on.loop.run_until_complete(on.wait_and_catch())


def failed_future_that_was_awaited(on: Scene) -> None:
    on.thing = on.loop.create_future()
    on.loop.call_soon(lambda: on.thing.set_exception(ZeroDivisionError("here")))
    on.loop.run_until_complete(on.wait_and_catch())


def failed_future_that_nobody_asks(on: Scene) -> None:
    on.loop.set_exception_handler(lambda loop, context: None)
    on.thing = on.loop.create_future()
    on.thing.set_exception(ZeroDivisionError("here"))


def future_that_two_tasks_awaited(on: Scene) -> None:
    on.thing = on.loop.create_future()
    tasks = [on.loop.create_task(on.wait_and_catch()) for _ in range(2)]
    on.tick()
    on.thing.set_exception(ZeroDivisionError("here"))
    on.tick()
    assert all(task.done() for task in tasks)


def cancelled_future(on: Scene) -> None:
    on.thing = on.loop.create_future()
    on.thing.cancel("why")
    try:
        on.thing.result()
    except on.aio.CancelledError:
        pass


def task_cancelled_before_it_began(on: Scene) -> None:
    on.thing = on.loop.create_task(nothing())
    on.thing.cancel()
    on.tick()
    assert on.thing.cancelled()


def task_cancelled_while_it_waited(on: Scene) -> None:
    on.thing = on.loop.create_task(on.aio.sleep(60))
    on.tick()
    on.thing.cancel()
    on.tick()
    on.tick()
    assert on.thing.cancelled()


def cancelled_task_that_was_run(on: Scene) -> None:
    on.thing = on.loop.create_task(on.aio.sleep(60))
    on.loop.call_soon(on.thing.cancel)
    try:
        on.loop.run_until_complete(on.thing)
    except on.aio.CancelledError:
        pass


def cancelled_task_that_was_awaited(on: Scene) -> None:
    on.thing = on.loop.create_task(on.aio.sleep(60))
    on.loop.call_soon(on.thing.cancel)
    waiter = on.loop.create_task(on.wait())
    on.loop.run_until_complete(on.aio.wait([waiter]))
    assert waiter.cancelled()


def task_that_caught_its_cancel(on: Scene) -> None:
    async def stubborn() -> None:
        try:
            await on.aio.sleep(60)
        except on.aio.CancelledError:
            await on.aio.sleep(0)

    on.thing = on.loop.create_task(stubborn())
    on.tick()
    on.thing.cancel()
    on.loop.run_until_complete(on.thing)


def pending_future_with_a_callback(on: Scene) -> None:
    on.thing = on.loop.create_future()
    on.thing.add_done_callback(print)


def handle_that_ran(on: Scene) -> None:
    on.thing = on.loop.call_soon(int)
    on.tick()


def handle_that_was_cancelled(on: Scene) -> None:
    on.thing = on.loop.call_soon(int)
    on.thing.cancel()
    on.tick()


def timer_that_ran(on: Scene) -> None:
    on.thing = on.loop.call_later(0, int)
    on.tick()


def timer_that_was_cancelled(on: Scene) -> None:
    on.thing = on.loop.call_later(60, int)
    on.thing.cancel()
    on.tick()


def outer_future_of_gather(on: Scene) -> None:
    async def main() -> None:
        on.thing = on.aio.gather(nothing(), nothing())
        await on.thing

    on.loop.run_until_complete(main())


def outer_future_of_a_gather_that_failed(on: Scene) -> None:
    async def main() -> None:
        on.thing = on.aio.gather(nothing(), fail())
        await on.wait_and_catch()

    on.loop.run_until_complete(main())


def child_of_a_gather_that_failed(on: Scene) -> None:
    async def main() -> None:
        on.thing = on.loop.create_task(fail())
        try:
            await on.aio.gather(on.thing, nothing())
        except ZeroDivisionError:
            pass

    on.loop.run_until_complete(main())


def child_of_wait(on: Scene) -> None:
    async def main() -> None:
        on.thing = on.loop.create_task(fail())
        await on.aio.wait([on.thing])

    on.loop.run_until_complete(main())
    on.thing.exception()


def child_of_a_task_group(on: Scene) -> None:
    async def main() -> None:
        async with on.aio.TaskGroup() as group:
            on.thing = group.create_task(nothing())

    on.loop.run_until_complete(main())


def future_behind_a_shield(on: Scene) -> None:
    async def main() -> None:
        on.thing = on.loop.create_future()
        on.loop.call_soon(on.thing.set_result, None)
        await on.aio.shield(on.thing)

    on.loop.run_until_complete(main())


def failed_eager_task(on: Scene) -> None:
    async def main() -> None:
        on.thing = on.aio.Task(fail(), loop=on.loop, eager_start=True)

    on.loop.run_until_complete(main())
    on.thing.exception()


PROGRAMS: list[Callable[[Scene], None]] = [
    value
    for value in list(globals().values())
    if getattr(value, "__annotations__", {}).get("on") is Scene
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_dies_at_once(aio: ModuleType, loop: Any, program: Callable[[Scene], None]) -> None:
    if program is failed_eager_task and aio is asyncio and sys.version_info < (3, 12):
        pytest.skip("asyncio has eager tasks since 3.12")
    on = Scene(aio, loop)
    program(on)
    on.tick()  # what the end of the program has left in the queue
    dies = weakref.ref(on.thing)
    del on.thing
    loop.set_exception_handler(None)
    assert dies() is None, [type(holder) for holder in gc.get_referrers(dies())]


def test_a_timer_holds_its_callback_until_cancelled(loop: Any) -> None:
    class Callback:
        def __call__(self) -> None: ...

    callback = Callback()
    reference = weakref.ref(callback)
    timer = loop.call_later(60, callback)
    del callback
    assert reference() is not None
    timer.cancel()  # it stays in the heap, without what it was to call
    assert reference() is None


def test_a_whole_run_leaves_no_garbage(aio: ModuleType) -> None:
    async def main() -> None:
        queue: Any = aio.Queue(1)
        lock = aio.Lock()

        async def produce() -> None:
            for number in range(5):
                async with lock:
                    await queue.put(number)

        async with aio.TaskGroup() as group:
            group.create_task(produce())
            for _ in range(5):
                await aio.wait_for(queue.get(), 60)
        await aio.gather(fail(), nothing(), return_exceptions=True)
        try:
            async with aio.timeout(0.0001):
                await aio.sleep(60)
        except TimeoutError:
            pass

    loop = aio.new_event_loop()
    loop.run_until_complete(main())
    gc.collect()
    tasks = [loop.create_task(main()) for _ in range(3)]
    loop.run_until_complete(aio.wait(tasks))
    references = [weakref.ref(task) for task in tasks]
    tasks.clear()
    assert [reference() for reference in references] == [None] * 3
    loop.close()


# -- and one cycle that asyncio makes, too ---------------------------------------------------------


def test_what_a_failed_callback_was_given_lives_until_a_collection(
    aio: ModuleType, loop: Any
) -> None:
    class Given:
        pass

    def fail(given: Given) -> None:
        raise ValueError

    loop.set_exception_handler(lambda loop, context: None)
    given = Given()
    reference = weakref.ref(given)
    gc.disable()
    try:
        loop.call_soon(fail, given)
        del given
        loop.call_soon(loop.stop)
        loop.run_forever()
        assert reference() is not None
    finally:
        gc.enable()
    gc.collect()
    assert reference() is None
