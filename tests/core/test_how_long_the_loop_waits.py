"""Each tick begins with one call of `select()`, and the loop decides how long that may wait.

* Not at all if the ready queue holds anything, or if the loop is to stop.
* Until the earliest timer is due, if there is one, but no longer than a day.
* For ever, if there is neither: only a descriptor, a signal or another thread can go on.
"""

from collections.abc import Callable
from types import ModuleType

from tests.virtual_clock import new_virtual_loop, run_on_virtual_clock


async def program(aio: ModuleType, log: Callable[[object], None]) -> None:
    await aio.sleep(0)
    await aio.sleep(1.5)


def test_until_the_earliest_timer(aio: ModuleType) -> None:
    _, timeouts = run_on_virtual_clock(aio, lambda log: program(aio, log))
    assert timeouts == [
        0,  # main is ready: its first step
        0,  # main is ready again after sleep(0)
        1.5,  # nothing is ready: wait for the timer, which ends the future that main awaits
        0,  # main is ready: its last step
        0,  # main is done, and a callback of run_until_complete() stops the loop
    ]


async def a_cancelled_timer(aio: ModuleType, log: Callable[[object], None]) -> None:
    loop = aio.get_running_loop()
    loop.call_later(1, print).cancel()
    await aio.sleep(2)


def test_a_cancelled_timer_wakes_nobody(aio: ModuleType) -> None:
    _, timeouts = run_on_virtual_clock(aio, lambda log: a_cancelled_timer(aio, log))
    assert timeouts == [0, 2, 0, 0]


def test_for_ever(aio: ModuleType) -> None:
    loop = new_virtual_loop(aio)
    # A thread waits until the loop waits in select(). Its end wakes the loop and stops it.
    call = loop.run_in_executor(None, loop.recorder.idle.wait, 60)
    call.add_done_callback(lambda call: loop.stop())
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert loop.recorder.timeouts[0] is None
