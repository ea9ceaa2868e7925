"""Both libraries, loops of either, and what a test must leave behind as it found it."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import miniloop


@pytest.fixture(params=[asyncio, miniloop], ids=["asyncio", "miniloop"])
def aio(request: pytest.FixtureRequest) -> ModuleType:
    """Give the library under test: asyncio, which shows that the test is right, and miniloop."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def loop(aio: ModuleType) -> Iterator[Any]:
    loop = aio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give two connected sockets that do not block."""
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        there.setblocking(False)
        yield here, there


@pytest.fixture
def reports(loop: Any) -> list[dict[str, Any]]:
    """Give the list of what `loop` tells its exception handler."""
    contexts: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda loop, context: contexts.append(context))
    return contexts


@pytest.fixture
def run(aio: ModuleType) -> Callable[..., Any]:
    """Give `aio.run()`, which ends with TimeoutError after a minute."""

    async def bounded(main: Any) -> Any:
        async with aio.timeout(60):
            return await main

    def run(main: Any, **options: Any) -> Any:
        return aio.run(bounded(main), **options)

    return run


@pytest.fixture
def no_gc() -> Iterator[None]:
    """Turn the garbage collector off: what dies in the test dies by its reference count."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def leaves_no_trace() -> Iterator[None]:
    """Fail a test that leaves a loop running, a signal handled or a hook in place."""
    before = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)]
    yield
    for library in (asyncio, miniloop.details.current):
        assert library._get_running_loop() is None
    assert sys.get_asyncgen_hooks() == (None, None)
    assert sys.get_coroutine_origin_tracking_depth() == 0
    assert signal.set_wakeup_fd(-1) == -1
    assert [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)] == before
