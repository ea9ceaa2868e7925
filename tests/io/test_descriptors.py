"""add_reader and add_writer."""

import socket
from typing import Any

import pytest

Pair = tuple[socket.socket, socket.socket]


def tick(loop: Any, times: int = 1) -> None:
    """Run some ticks: in each, what can be read or written calls its callback."""
    for _ in range(times):
        loop.call_soon(loop.stop)
        loop.run_forever()


def test_reader_is_called_in_every_tick_while_there_is_something_to_read(
    loop: Any, pair: Pair
) -> None:
    here, there = pair
    called: list[str] = []
    loop.add_reader(here, called.append, "readable")
    tick(loop)
    assert called == []
    there.send(b"x")
    tick(loop, 3)
    assert called == ["readable"] * 3
    here.recv(1)
    tick(loop)
    assert called == ["readable"] * 3
    assert loop.remove_reader(here) is True
    assert loop.remove_reader(here) is False


def test_reader_and_writer_on_one_descriptor(loop: Any, pair: Pair) -> None:
    here, there = pair
    called: list[str] = []
    loop.add_writer(here, called.append, "write")
    loop.add_reader(here.fileno(), called.append, "read")
    there.send(b"x")
    tick(loop)
    assert called == ["read", "write"]
    assert loop.remove_writer(here.fileno())
    tick(loop)
    assert called == ["read", "write", "read"]
    loop.add_writer(here, called.append, "write again")
    assert loop.remove_reader(here)
    tick(loop)
    assert called[3:] == ["write again"]
    assert loop.remove_writer(here)


def test_a_second_reader_replaces_the_first(loop: Any, pair: Pair) -> None:
    here, there = pair
    called: list[str] = []
    loop.add_reader(here, called.append, "first")
    loop.add_reader(here, called.append, "second")
    there.send(b"x")
    tick(loop)
    assert called == ["second"]
    assert loop.remove_reader(here)
    tick(loop)
    assert called == ["second"]


def test_a_reader_removed_in_its_own_callback_is_not_called_again(loop: Any, pair: Pair) -> None:
    here, there = pair
    called: list[bool] = []
    loop.add_reader(here, lambda: called.append(loop.remove_reader(here)))
    there.send(b"x")
    tick(loop, 2)
    assert called == [True]


def test_a_reader_can_replace_itself(loop: Any, pair: Pair) -> None:
    here, there = pair
    called: list[str] = []

    def first() -> None:
        called.append("first")
        loop.add_reader(here, called.append, "second")

    loop.add_reader(here, first)
    there.send(b"x")
    tick(loop, 2)
    assert called == ["first", "second"]
    loop.remove_reader(here)


def test_a_reader_removed_in_the_same_batch_is_not_called(loop: Any, pair: Pair) -> None:
    here, there = pair
    called: list[str] = []
    loop.add_reader(here, lambda: (called.append("read"), loop.remove_writer(here)))
    loop.add_writer(here, called.append, "write")
    there.send(b"x")
    tick(loop)
    assert called == ["read"]
    loop.remove_reader(here)


def test_a_reader_that_raises_is_reported_and_stays(
    loop: Any, pair: Pair, reports: list[dict[str, Any]]
) -> None:
    here, there = pair
    loop.add_reader(here, int, "no number")
    there.send(b"x")
    tick(loop, 2)
    assert [type(report["exception"]) for report in reports] == [ValueError, ValueError]
    assert loop.remove_reader(here)


def test_other_callbacks_get_their_turn_beside_a_busy_reader(loop: Any, pair: Pair) -> None:
    here, _ = pair
    called: list[str] = []
    loop.add_writer(here, called.append, "write")
    loop.call_soon(lambda: loop.call_soon(lambda: loop.call_soon(loop.stop)))
    loop.run_forever()
    assert called == ["write"] * 3
    loop.remove_writer(here)


def test_a_callback_sees_the_context_of_who_added_it(loop: Any, pair: Pair) -> None:
    import contextvars

    variable = contextvars.ContextVar("variable", default="outside")
    seen: list[str] = []
    contextvars.copy_context().run(
        lambda: (
            variable.set("inside"),
            loop.add_writer(pair[0], lambda: seen.append(variable.get())),
        )
    )
    tick(loop)
    assert seen == ["inside"]
    loop.remove_writer(pair[0])


@pytest.mark.parametrize("method", ["add_reader", "add_writer"])
@pytest.mark.parametrize("wrong", [-1, "stdin", 1.5, None, object()])
def test_what_is_no_descriptor_is_refused(loop: Any, method: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"[Ii]nvalid file"):
        getattr(loop, method)(wrong, print)


@pytest.mark.parametrize("method", ["remove_reader", "remove_writer"])
@pytest.mark.parametrize("wrong", [-1, "stdin", None], ids=repr)
@pytest.mark.parametrize("used", [False, True], ids=["new loop", "used loop"])
def test_what_is_no_descriptor_cannot_be_removed(
    loop: Any, method: str, wrong: Any, used: bool
) -> None:
    if used:
        tick(loop)
    with pytest.raises(ValueError, match=r"[Ii]nvalid file"):
        getattr(loop, method)(wrong)


def test_a_closed_socket_is_refused(loop: Any) -> None:
    here, there = socket.socketpair()
    here.close()
    there.close()
    with pytest.raises(ValueError, match="Invalid file"):
        loop.add_reader(here, print)


def test_remove_of_a_descriptor_never_added_is_false(loop: Any, pair: Pair) -> None:
    assert loop.remove_reader(pair[0]) is False
    assert loop.remove_writer(pair[0]) is False
    loop.add_reader(pair[0], print)
    assert loop.remove_writer(pair[0]) is False
    assert loop.remove_reader(pair[0]) is True


def test_after_close_nothing_is_watched(loop: Any, pair: Pair) -> None:
    loop.add_reader(pair[0], print)
    loop.close()
    assert loop.remove_reader(pair[0]) is False
    for method in (loop.add_reader, loop.add_writer):
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            method(pair[0], print)
