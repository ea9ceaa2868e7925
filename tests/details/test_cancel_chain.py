"""Cancelling the last of many tasks that await each other."""

from typing import Any

import pytest

import miniloop


async def link(awaited: Any) -> None:
    await awaited


def test_a_chain_longer_than_the_stack_is_deep() -> None:
    async def main() -> None:
        innermost = miniloop.get_running_loop().create_future()
        chain: list[Any] = [miniloop.create_task(link(innermost))]
        for _ in range(20_000):
            chain.append(miniloop.create_task(link(chain[-1])))
        await miniloop.sleep(0)
        assert chain[-1].cancel("enough")
        assert innermost.cancelled()
        assert {task.cancelling() for task in chain} == {1}
        await miniloop.wait(chain)
        assert {task.cancelled() for task in chain} == {True}

    miniloop.run(main())


def test_the_innermost_task_that_waits_for_nothing_is_told(aio: Any) -> None:
    async def main() -> list[str]:
        tasks: list[Any] = []
        said: list[str] = []

        async def inner() -> None:
            try:
                while not said:
                    await aio.sleep(0)
            except aio.CancelledError as error:
                said.append(f"inner {error}")
                raise

        async def outer(number: int) -> None:
            try:
                await tasks[number]
            except aio.CancelledError as error:
                said.append(f"{number} {error} {aio.current_task().cancelling()}")

        tasks.append(aio.create_task(inner()))
        tasks += [aio.create_task(outer(number)) for number in range(3)]
        await aio.sleep(0)
        await aio.sleep(0)
        assert tasks[-1].cancel("now")
        assert tasks[1].cancel("again")
        await aio.wait(tasks)
        return [*said, *(str(task.cancelled()) for task in tasks)]

    assert aio.run(main()) == [
        "inner again",
        "0 again 2",
        *("True", "False", "False", "False"),
    ]


def test_a_ring_is_refused_as_asyncio_refuses_it(aio: Any) -> None:
    async def main() -> None:
        tasks: list[Any] = []

        async def await_the_other(number: int) -> None:
            await tasks[1 - number]

        tasks += [aio.create_task(await_the_other(number)) for number in (0, 1)]
        await aio.sleep(0)
        await aio.sleep(0)
        with pytest.raises(RecursionError):
            tasks[0].cancel()
        for task in tasks:  # nobody else can end them
            task._log_destroy_pending = False
            task.get_coro().close()
        await aio.sleep(0)
        aio._unregister_task(tasks[0])
        aio._unregister_task(tasks[1])

    aio.run(main())


def test_a_step_that_closes_a_ring_and_cancels_itself_is_reported(aio: Any) -> None:
    reported: list[type] = []

    async def main() -> None:
        loop = aio.get_running_loop()
        loop.set_exception_handler(
            lambda loop, context: reported.append(type(context.get("exception")))
        )
        tasks: list[Any] = []

        async def close_the_ring() -> None:
            await aio.sleep(0)
            aio.current_task().cancel()
            await tasks[1]

        async def await_the_first() -> None:
            await tasks[0]

        tasks += [aio.create_task(close_the_ring()), aio.create_task(await_the_first())]
        for _ in range(4):
            await aio.sleep(0)
        for task in tasks:  # nobody else can end them
            task._log_destroy_pending = False
            task.get_coro().close()
            aio._unregister_task(task)

    aio.run(main())
    assert reported == [RecursionError]
