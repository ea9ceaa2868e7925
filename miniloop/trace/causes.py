"""Why an entry stands in the ready queue, in a word for programs and a sentence for people.

Each entry is classified when it is appended, from what it is and from the future that has let it
go. That works alike for miniloop's tasks, which stand in the queue themselves, and for asyncio's,
whose C code puts handles there and leaves no frames on the stack.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

STEPS = {
    "task_wakeup",
    "wakeup",
    "_wakeup",
    "__wakeup",
    "_Task__wakeup",
    "__step",
    "_Task__step",
    "_run",
    "_run_scheduled",
}
"""Names of the methods with which loops step a task."""


def stepped_by(entry: Any) -> Any:
    """Return the task whose step an entry of the ready queue is, or None if it is a callback."""
    if hasattr(entry, "get_coro"):
        return entry
    callback = getattr(entry, "_callback", None)
    owner = getattr(callback, "__self__", None)
    if owner is not None and hasattr(owner, "get_coro"):
        kind = type(callback).__name__
        if "Step" in kind or "Wakeup" in kind or getattr(callback, "__name__", "") in STEPS:
            return owner
    return None


def let_go_by(entry: Any, task: Any) -> Any:
    """Return the future whose end has put a task's step, or a callback, into the queue, or None."""
    if entry is task:
        found = task._fut_waiter
    else:
        args: Any = getattr(entry, "_args", None) or ()
        found = args[0] if len(args) == 1 else None
    if found is None or not hasattr(found, "_asyncio_future_blocking"):
        return None
    try:
        return found if found.done() else None
    except Exception:  # of another library, or a mock
        return None


def ended_by(future: Any, number: int | None) -> str:
    """Return the kind of cause that a future is which has ended."""
    try:
        if future.cancelled():
            return "task_cancelled" if number is not None else "cancel"
        if future._exception is not None:  # asking exception() would count as retrieving it
            return "task_failed" if number is not None else "set_exception"
    except Exception:
        pass
    return "task_done" if number is not None else "set_result"


CALLBACKS = {
    "gather.<locals>.on_child_done": "gather counts that {done}",
    "gather.<locals>._done_callback": "gather counts that {done}",
    "_wait.<locals>.on_completion": "wait() counts that {done}",
    "_wait.<locals>._on_completion": "wait() counts that {done}",
    "_run_until_complete_cb": "{done}: the loop will stop",
    "_set_result_unless_cancelled": "the end of a wait",
    "_release_waiter": "the time is up, or what was waited for is done",
    "TaskGroup._on_task_done": "the TaskGroup counts that {done}",
    "Timeout._on_timeout": "timeout: cancels what takes too long",
    "_AsCompletedIterator._handle_completion": "as_completed notes that {done}",
    "_AsCompletedIterator._handle_timeout": "as_completed: the time is up",
    "shield.<locals>._inner_done_callback": "shield passes on that {done}",
    "shield.<locals>._outer_done_callback": "shield notes that what it protects is given up",
    "shield.<locals>.on_inner_done": "shield passes on that {done}",
    "shield.<locals>.on_outer_done": "shield notes that what it protects is given up",
    "Descriptors._read_from_self": "the self-pipe: a thread or a signal has woken the loop",
    "BaseSelectorEventLoop._read_from_self": "the self-pipe: a thread or a signal has woken the "
    "loop",
    "_copy_future_state": "a thread's result has come",
    "_set_state": "a thread's result has come",
    "_chain_future.<locals>._set_state": "a thread's result has come",
    "_chain_future.<locals>._call_check_cancel": "run_in_executor looks whether it was cancelled",
    "_chain_future.<locals>.on_destination_done": "run_in_executor looks whether it was cancelled",
    "_chain_future.<locals>.on_source_done": "passes a result on to another thread",
    "BaseEventLoop.create_task": "makes a task",
    "_try_again": "tries the socket again",
    "BaseSelectorEventLoop._sock_connect_cb": "tries the socket again",
    "BaseSelectorEventLoop._sock_recv": "tries the socket again",
    "BaseSelectorEventLoop._sock_sendall": "tries the socket again",
    "BaseSelectorEventLoop._sock_accept": "tries the socket again",
    "BaseSelectorEventLoop._sock_write_done": "the socket was written to",
    "BaseSelectorEventLoop._sock_read_done": "the socket was read from",
    "Server._accept_connection": "accepts a connection",
    "BaseSelectorEventLoop._accept_connection": "accepts a connection",
    "_SelectorSocketTransport._read_ready": "reads from the socket",
    "_SelectorSocketTransport._write_ready": "writes to the socket",
    "run_coroutine_threadsafe.<locals>.start": "starts a coroutine that a thread has sent",
    "run_coroutine_threadsafe.<locals>.callback": "starts a coroutine that a thread has sent",
}
"""What the libraries' own callbacks do."""


def callback_name(callback: Any) -> str:
    """Return the qualified name of a callback, or of what a partial or a method stands for."""
    if type(callback) is FunctionType:  # fast: most are
        return callback.__qualname__
    for _ in range(5):
        inner = getattr(callback, "func", None)
        if inner is None or hasattr(callback, "__qualname__"):
            break
        callback = inner
    name = getattr(callback, "__qualname__", None)
    return name if isinstance(name, str) else type(callback).__name__
