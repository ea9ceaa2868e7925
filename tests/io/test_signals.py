"""add_signal_handler: signals that the loop hears."""

import os
import signal
import sys
import threading
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signal handlers there")

SIGNAL = signal.SIGTERM


def send(signum: int = SIGNAL) -> None:
    os.kill(os.getpid(), signum)


def test_the_loop_calls_the_handler(loop: Any) -> None:
    called: list[tuple[int, ...]] = []
    loop.add_signal_handler(SIGNAL, lambda *args: (called.append(args), loop.stop()), 1, 2)
    loop.call_soon(send)
    loop.run_forever()
    assert called == [(1, 2)]


def test_a_signal_from_another_thread_ends_the_wait(loop: Any) -> None:
    loop.add_signal_handler(SIGNAL, loop.stop)
    thread = threading.Timer(0.01, send)
    thread.start()
    loop.run_forever()
    thread.join()


def test_the_handler_does_not_break_into_a_callback(loop: Any) -> None:
    order = []
    loop.add_signal_handler(SIGNAL, lambda: (order.append("handler"), loop.stop()))

    def callback() -> None:
        send()
        order.append("callback goes on")

    loop.call_soon(callback)
    loop.run_forever()
    assert order == ["callback goes on", "handler"]


def test_a_second_handler_replaces_the_first(loop: Any) -> None:
    called: list[str] = []
    loop.add_signal_handler(SIGNAL, called.append, "first")
    loop.add_signal_handler(SIGNAL, lambda: (called.append("second"), loop.stop()))
    loop.call_soon(send)
    loop.run_forever()
    assert called == ["second"]


def test_a_handler_that_raises_is_reported(loop: Any, reports: list[dict[str, Any]]) -> None:
    loop.add_signal_handler(SIGNAL, int, "no number")
    loop.add_signal_handler(signal.SIGUSR1, loop.stop)
    loop.call_soon(send)
    loop.call_soon(send, signal.SIGUSR1)
    loop.run_forever()
    assert [type(report["exception"]) for report in reports] == [ValueError]


def test_remove_restores_the_default(loop: Any) -> None:
    assert loop.remove_signal_handler(SIGNAL) is False
    loop.add_signal_handler(SIGNAL, print)
    assert signal.getsignal(SIGNAL) is not signal.SIG_DFL
    assert loop.remove_signal_handler(SIGNAL) is True
    assert signal.getsignal(SIGNAL) is signal.SIG_DFL
    assert loop.remove_signal_handler(SIGNAL) is False


def test_remove_of_sigint_restores_keyboard_interrupt(loop: Any) -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        loop.add_signal_handler(signal.SIGINT, print)
        loop.remove_signal_handler(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_handler_removed_after_the_signal_came_is_not_called(loop: Any) -> None:
    loop.add_signal_handler(SIGNAL, pytest.fail, "called")
    loop.call_soon(send)
    loop.call_soon(loop.remove_signal_handler, SIGNAL)
    loop.call_later(0.01, loop.stop)
    loop.run_forever()


def test_wakeups_stop_with_the_last_handler(loop: Any) -> None:
    loop.add_signal_handler(SIGNAL, print)
    loop.add_signal_handler(signal.SIGUSR1, print)
    loop.remove_signal_handler(SIGNAL)
    wakeup_fd = signal.set_wakeup_fd(-1)
    assert wakeup_fd >= 0
    signal.set_wakeup_fd(wakeup_fd)
    loop.remove_signal_handler(signal.SIGUSR1)
    assert signal.set_wakeup_fd(-1) == -1


def test_close_removes_all_handlers(loop: Any) -> None:
    loop.add_signal_handler(SIGNAL, print)
    loop.add_signal_handler(signal.SIGUSR1, print)
    loop.close()
    assert signal.getsignal(SIGNAL) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    assert signal.set_wakeup_fd(-1) == -1


def test_a_signal_that_cannot_be_caught(loop: Any) -> None:
    with pytest.raises(RuntimeError, match="sig 9 cannot be caught"):
        loop.add_signal_handler(signal.SIGKILL, print)
    assert signal.set_wakeup_fd(-1) == -1
    assert loop.remove_signal_handler(signal.SIGKILL) is False


@pytest.mark.parametrize(
    ("signum", "error"),
    [("TERM", TypeError), (None, TypeError), (0, ValueError), (999, ValueError)],
)
def test_what_is_no_signal(loop: Any, signum: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        loop.add_signal_handler(signum, print)
    with pytest.raises(error):
        loop.remove_signal_handler(signum)


def test_a_coroutine_is_no_handler(loop: Any) -> None:
    async def handler() -> None: ...

    coroutine = handler()
    for wrong in (handler, coroutine):
        with pytest.raises(TypeError, match="coroutines cannot be used with add_signal_handler"):
            loop.add_signal_handler(SIGNAL, wrong)
    coroutine.close()


def test_another_thread_than_the_main_one(loop: Any) -> None:
    errors = []

    def add() -> None:
        try:
            loop.add_signal_handler(SIGNAL, print)
        except Exception as exc:
            errors.append((type(exc), str(exc)))

    thread = threading.Thread(target=add)
    thread.start()
    thread.join()
    [(kind, text)] = errors
    assert kind is RuntimeError
    assert "main thread" in text
    assert signal.getsignal(SIGNAL) is signal.SIG_DFL


def test_a_closed_loop(loop: Any) -> None:
    loop.close()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.add_signal_handler(SIGNAL, print)
