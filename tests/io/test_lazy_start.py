"""A loop takes nothing from the system before it needs it, and gives back what it took."""

import gc
import os
import selectors
import socket
import threading
from typing import Any

import pytest

import miniloop
from tests.virtual_clock import RecordingSelector


def open_descriptors() -> set[str]:
    """Return the numbers of all open descriptors (with that of the listing itself)."""
    return set(os.listdir("/dev/fd"))


class Refuses:
    """Cannot be called."""

    def __init__(self, *args: object, **options: object) -> None:
        raise OSError("none left")


@pytest.fixture
def no_socketpair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "socketpair")


def test_a_new_loop_with_a_selector_opens_no_descriptor() -> None:
    selector = selectors.DefaultSelector()
    before = open_descriptors()
    loop = miniloop.EventLoop(selector)
    loop.call_soon(print)
    loop.call_later(1, print).cancel()
    loop.create_future().cancel()
    assert not loop.remove_reader(0)
    assert open_descriptors() == before
    loop.close()


def test_a_subclass_finds_its_selector() -> None:
    class Loop(miniloop.EventLoop):
        def __init__(self) -> None:
            super().__init__()
            self._selector.wrapped_by = self

    loop = Loop()
    assert isinstance(loop._selector, selectors.BaseSelector)
    loop.run_until_complete(miniloop.sleep(0))
    loop.close()
    assert loop._selector is None


def test_a_closed_loop_gives_back_its_selector() -> None:
    before = open_descriptors()
    loop = miniloop.EventLoop()
    loop.close()
    assert open_descriptors() == before


def test_a_used_loop_gives_its_descriptors_back() -> None:
    before = open_descriptors()
    loop = miniloop.EventLoop()
    loop.run_until_complete(miniloop.sleep(0))
    assert len(open_descriptors()) > len(before)
    loop.close()
    assert open_descriptors() == before


def test_what_was_scheduled_before_the_first_run_is_run_in_order() -> None:
    loop = miniloop.EventLoop()
    called: list[str] = []
    loop.call_soon(called.append, "soon")
    threading.Thread(target=loop.call_soon_threadsafe, args=(called.append, "thread")).start()
    loop.call_later(0.001, loop.stop)
    loop.run_forever()
    loop.close()
    assert called == ["soon", "thread"]


@pytest.mark.usefixtures("no_socketpair")
def test_a_program_runs_where_there_are_no_socket_pairs() -> None:
    async def main() -> list[int]:
        queue: miniloop.Queue[int] = miniloop.Queue(1)

        async def produce() -> None:
            for number in range(3):
                await miniloop.sleep(0.001)
                await queue.put(number)

        async with miniloop.TaskGroup() as group, miniloop.timeout(60):
            group.create_task(produce())
            return [await queue.get() for _ in range(3)]

    assert miniloop.run(main()) == [0, 1, 2]


@pytest.mark.usefixtures("no_socketpair")
def test_a_loop_with_a_selector_of_its_own_needs_no_descriptor_at_all() -> None:
    class NoDescriptors(selectors.BaseSelector):
        now = 0.0

        def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
            raise OSError("there are no descriptors here")

        unregister = register  # type: ignore[assignment]

        def get_map(self) -> Any:
            return {}

        def select(self, timeout: float | None = None) -> list[Any]:
            assert timeout is not None, "nothing to do, and no descriptor to wait for"
            self.now += timeout
            return []

    class Loop(miniloop.EventLoop):
        def time(self) -> float:
            return clock.now

    clock = NoDescriptors()
    before = open_descriptors()
    loop = Loop(clock)
    loop.run_until_complete(miniloop.sleep(3600))
    assert open_descriptors() == before
    loop.close()
    assert clock.now == 3600


@pytest.mark.usefixtures("no_socketpair")
def test_signals_are_refused_where_there_are_no_socket_pairs() -> None:
    loop = miniloop.EventLoop()
    with pytest.raises((RuntimeError, NotImplementedError)):
        loop.add_signal_handler(15, print)
    loop.close()


def test_a_failing_start_leaves_no_loop_running(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = miniloop.EventLoop()
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socketpair", Refuses)
        with pytest.raises(OSError, match="none left"):
            loop.run_forever()
    assert not loop.is_running()
    with pytest.raises(RuntimeError, match="no running event loop"):
        miniloop.get_running_loop()
    assert loop.run_until_complete(miniloop.sleep(0, "works after all")) == "works after all"
    loop.close()


def make_loop_in_vain() -> None:
    with pytest.raises(OSError, match="none left"):
        miniloop.EventLoop()
    gc.collect()


def test_a_loop_that_gets_no_selector_can_be_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(selectors, "DefaultSelector", Refuses)
        with pytest.warns(ResourceWarning, match="unclosed event loop"):
            make_loop_in_vain()


def test_close_closes_the_selector_that_was_given() -> None:
    selector = RecordingSelector()
    loop = miniloop.EventLoop(selector)
    loop.close()
    assert selector.get_map() is None


def test_a_loop_that_never_ran_can_be_closed_twice() -> None:
    loop = miniloop.EventLoop()
    loop.close()
    loop.close()
    assert loop.is_closed()


def test_a_second_run_makes_no_second_self_pipe() -> None:
    loop = miniloop.EventLoop()
    loop.run_until_complete(miniloop.sleep(0))
    after_first = open_descriptors()
    loop.run_until_complete(miniloop.sleep(0))
    assert open_descriptors() == after_first
    loop.close()
