"""What timeouts, conditions and barriers tell of themselves."""

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest


def test_a_timeout_tells_its_deadline(aio: ModuleType, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        now = aio.get_running_loop().time()
        async with aio.timeout(None) as timeout:
            assert timeout.when() is None
            timeout.reschedule(now + 100)
            assert timeout.when() == now + 100
            assert not timeout.expired()
        assert timeout.when() == now + 100

    run(main())


def test_a_timeout_is_in_the_context_of_an_error_that_comes_after_it(
    aio: ModuleType, run: Callable[[Any], Any]
) -> None:
    if aio is asyncio and sys.version_info < (3, 13):
        pytest.skip("asyncio does so since 3.13")

    async def main() -> None:
        async with aio.timeout(0):
            try:
                await aio.sleep(10)
            finally:
                try:
                    raise ValueError
                finally:
                    raise KeyError

    with pytest.raises(KeyError) as caught:
        run(main())
    contexts = []
    error: BaseException | None = caught.value
    while error := error.__context__:
        contexts.append(type(error))
    assert contexts == [ValueError, TimeoutError, aio.CancelledError]


def test_a_condition_takes_the_lock_that_it_is_given(
    aio: ModuleType, run: Callable[[Any], Any]
) -> None:
    async def main() -> None:
        lock = aio.Lock()
        async with aio.Condition(lock):
            assert lock.locked()
        assert not lock.locked()

    run(main())


def test_a_barrier_tells_that_it_is_broken(aio: ModuleType, run: Callable[[Any], Any]) -> None:
    async def main() -> None:
        barrier = aio.Barrier(2)
        assert not barrier.broken
        await barrier.abort()
        assert barrier.broken
        with pytest.raises(aio.BrokenBarrierError):
            await barrier.wait()
        await barrier.reset()
        assert not barrier.broken

    run(main())
