"""Sockets that are closed while the loop still watches them."""

import socket
import threading
from types import ModuleType
from typing import Any

import pytest


def test_removing_a_closed_socket_finds_its_registration(aio: ModuleType, loop: Any) -> None:
    here, there = socket.socketpair()
    loop.add_reader(here, print)
    loop.add_writer(there, print)
    here.close()
    there.close()
    assert loop.remove_reader(here) is True
    assert loop.remove_writer(there) is True
    with pytest.raises(ValueError, match="Invalid file descriptor: -1"):
        loop.remove_reader(here)


def test_a_closed_socket_that_was_never_watched_is_refused(loop: Any) -> None:
    here, there = socket.socketpair()
    here.close()
    there.close()
    for call in (loop.add_reader, loop.add_writer):
        with pytest.raises(ValueError, match="Invalid file descriptor: -1"):
            call(here, print)
    for call in (loop.remove_reader, loop.remove_writer):
        with pytest.raises(ValueError, match="Invalid file descriptor: -1"):
            call(here)


def test_the_next_socket_with_that_number_is_heard(loop: Any) -> None:
    here, there = socket.socketpair()
    number = here.fileno()
    loop.add_reader(here, print)
    here.close()
    there.close()
    assert loop.remove_reader(here)
    heard: list[bytes] = []
    here, there = socket.socketpair()
    with here, there:
        assert number in (here.fileno(), there.fileno())
        for one, other in ((here, there), (there, here)):
            loop.add_reader(one, lambda one=one: heard.append(one.recv(1)))
            other.send(b"x")
        loop.call_later(0.01, loop.stop)
        loop.run_forever()
        loop.remove_reader(here)
        loop.remove_reader(there)
    assert heard == [b"x", b"x"]


@pytest.mark.parametrize("watch", ["add_reader", "add_writer"])
def test_a_socket_closed_before_the_first_run_keeps_nobody_from_waking_the_loop(
    loop: Any, watch: str
) -> None:
    here, there = socket.socketpair()
    getattr(loop, watch)(here, print)
    here.close()
    there.close()
    loop.call_later(60, loop.stop)
    caller = threading.Timer(0.05, loop.call_soon_threadsafe, [loop.stop])
    caller.start()
    before = loop.time()
    loop.run_forever()
    caller.join()
    assert loop.time() - before < 50
