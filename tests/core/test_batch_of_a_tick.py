"""A tick runs what is in the ready queue when its batch begins, and nothing else.

Whatever a callback of the batch adds to the ready queue waits for the next tick. So a callback that
schedules itself for ever keeps no timer and no other callback from its turn.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import schedule


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    loop = aio.get_running_loop()
    done = loop.create_future()

    def again(left: int) -> None:
        log(f"again, {left} left")
        if left:
            loop.call_soon(again, left - 1)
        else:
            done.set_result(None)

    loop.call_soon(again, 2)
    loop.call_soon(log, "another callback")
    loop.call_at(loop.time(), log, "a timer that is due")
    log("main waits")
    await done


def test_what_a_batch_adds_waits_for_the_next_tick(aio: ModuleType) -> None:
    assert schedule(aio, program) == {
        1: ["main waits"],
        2: ["again, 2 left", "another callback", "a timer that is due"],
        3: ["again, 1 left"],
        4: ["again, 0 left"],
    }


async def cancelled_in_the_batch(aio: ModuleType, log: Callable[[object], None]) -> None:
    loop = aio.get_running_loop()
    loop.call_soon(lambda: second.cancel())
    second = loop.call_soon(log, "never")
    loop.call_soon(log, "third")
    await aio.sleep(0)


def test_a_callback_can_be_cancelled_until_its_turn_comes(aio: ModuleType) -> None:
    assert schedule(aio, cancelled_in_the_batch) == {2: ["third"]}
