"""A queue that is full makes the producer wait, and a queue that is empty makes the consumer wait.

`put()` wakes a consumer and `get()` wakes a producer, each for the next tick. With one place in the
queue the two take turns: there is never a second item that nobody has taken.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    queue = aio.Queue(maxsize=1)

    async def produce() -> None:
        for number in range(3):
            await queue.put(number)
            log(f"put {number}")

    async def consume() -> None:
        for _ in range(3):
            log(f"got {await queue.get()}")

    await aio.gather(produce(), consume())


def test_producer_and_consumer_take_turns(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        2: ["put 0", "got 0"],  # the producer waits for room, the consumer takes 0 and waits
        3: ["put 1"],
        4: ["got 1"],
        5: ["put 2"],
        6: ["got 2"],
    }
