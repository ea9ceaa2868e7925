"""`await sleep(0)` ends a step: the task goes to the end of the ready queue.

Every other task that is ready takes a step before it goes on. A task that awaits nothing that has
to be waited for gives nobody a turn.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    async def polite(name: str) -> None:
        for number in range(3):
            log(f"{name} {number}")
            await aio.sleep(0)

    async def selfish() -> None:
        for number in range(3):
            log(f"selfish {number}")
            await nothing()

    async def nothing() -> None:
        pass

    await aio.gather(polite("a"), polite("b"), selfish())


def test_tasks_take_turns_only_where_they_wait(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        2: ["a 0", "b 0", "selfish 0", "selfish 1", "selfish 2"],
        3: ["a 1", "b 1"],
        4: ["a 2", "b 2"],
    }
