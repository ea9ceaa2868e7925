"""miniloop: an asyncio whose scheduling a person can read in an afternoon.

``import miniloop as asyncio`` serves any program that uses no protocols, TLS, subprocesses,
``sendfile``, event loop policies or abstract classes of asyncio's. It schedules to the tick as the
asyncio of CPython 3.13 does: same order, same iteration of the loop.

What an event loop is, in five lines, since everything below speaks of it. It has a *ready queue*
of what can run now: callbacks, and tasks. One round of its work is a *tick*: wait for the world
outside if there is nothing to do, put what has become due into the queue, then run what stands
in the queue at that moment, the *batch*. What the batch adds to the queue runs in the next tick.

The files, in the order in which to read them. Each imports only what stands above it; the loop
itself is met everywhere before it is read.

    exceptions        asyncio's own, so that `except` means the same on both
    coroutines        what a task can drive
    reprs             how things print themselves (skip at first)
    running           which loop and which task are running in this thread
    handles           Handle, TimerHandle: a callback waiting for its turn
    foreign_loops     loops that somebody else wrote (skip at first)
    futures           Future: a result that is not there yet
    tasks             Task: drives a coroutine, step by step
    graph             which tasks await which (skip at first)
    loop              BaseEventLoop: the tick

    timeouts          timeout()
    locks             Lock, Event, Condition, Semaphore, Barrier
    queues            Queue and its kin
    combinators       sleep, gather, wait, wait_for, as_completed, shield
    threads           to_thread, and other ways between threads
    sockets           sock_recv() and its kin: from a callback to an `await`
    selector_events   EventLoop: descriptors, signals, executors
    taskgroups        TaskGroup
    runners           run(), Runner
    transports        a connected socket with a buffer, driven by callbacks
    servers           Server: who listens, and who connects
    streams           open_connection, start_server: bytes that come and go, awaited

Whoever has an hour reads handles, futures, tasks and loop: that is the event loop. An afternoon is
enough for the scheduling, up to combinators.
"""

import sys as _sys

if _sys.version_info < (3, 11):  # noqa: UP036  # whoever runs a clone has not been asked by pip
    _sorry = "miniloop needs Python 3.11 or newer, and this is {}.{}\n"
    _sys.stderr.write(_sorry.format(*_sys.version_info))
    _sys.exit(2)

from .combinators import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    as_completed,
    gather,
    shield,
    sleep,
    wait,
    wait_for,
)
from .coroutines import coroutine, iscoroutine, iscoroutinefunction
from .exceptions import (
    BrokenBarrierError,
    CancelledError,
    IncompleteReadError,
    InvalidStateError,
    LimitOverrunError,
    QueueEmpty,
    QueueFull,
    QueueShutDown,
    SendfileNotAvailableError,
    TimeoutError,
)
from .foreign_loops import AbstractEventLoop
from .futures import Future, isfuture
from .graph import (
    FrameCallGraphEntry,
    FutureCallGraph,
    capture_call_graph,
    format_call_graph,
    future_add_to_awaited_by,
    future_discard_from_awaited_by,
    print_call_graph,
)
from .handles import Handle, TimerHandle
from .locks import Barrier, BoundedSemaphore, Condition, Event, Lock, Semaphore
from .queues import LifoQueue, PriorityQueue, Queue
from .runners import Runner, run
from .running import (
    _enter_task,
    _get_running_loop,
    _leave_task,
    _register_task,
    _set_running_loop,
    _unregister_task,
    current_task,
    get_event_loop,
    get_running_loop,
    new_event_loop,
    set_event_loop,
)
from .selector_events import EventLoop
from .servers import Server
from .streams import (
    StreamReader,
    StreamReaderProtocol,
    StreamWriter,
    open_connection,
    open_unix_connection,
    start_server,
    start_unix_server,
)
from .taskgroups import TaskGroup
from .tasks import (
    Task,
    all_tasks,
    create_eager_task_factory,
    create_task,
    eager_task_factory,
    ensure_future,
)
from .threads import run_coroutine_threadsafe, to_thread, wrap_future
from .timeouts import Timeout, timeout, timeout_at

__version__ = "0.1.0"

SelectorEventLoop = EventLoop  # asyncio's other name for it

__all__ = [
    "BrokenBarrierError",
    "CancelledError",
    "IncompleteReadError",
    "InvalidStateError",
    "LimitOverrunError",
    "QueueEmpty",
    "QueueFull",
    "QueueShutDown",
    "SendfileNotAvailableError",
    "TimeoutError",
    "coroutine",
    "iscoroutine",
    "iscoroutinefunction",
    "current_task",
    "get_event_loop",
    "get_running_loop",
    "new_event_loop",
    "set_event_loop",
    "Handle",
    "TimerHandle",
    "AbstractEventLoop",
    "Future",
    "isfuture",
    "Task",
    "all_tasks",
    "create_eager_task_factory",
    "create_task",
    "eager_task_factory",
    "ensure_future",
    "FrameCallGraphEntry",
    "FutureCallGraph",
    "capture_call_graph",
    "format_call_graph",
    "future_add_to_awaited_by",
    "future_discard_from_awaited_by",
    "print_call_graph",
    "Timeout",
    "timeout",
    "timeout_at",
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Event",
    "Lock",
    "Semaphore",
    "LifoQueue",
    "PriorityQueue",
    "Queue",
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "as_completed",
    "gather",
    "shield",
    "sleep",
    "wait",
    "wait_for",
    "run_coroutine_threadsafe",
    "to_thread",
    "wrap_future",
    "EventLoop",
    "SelectorEventLoop",
    "TaskGroup",
    "Runner",
    "run",
    "Server",
    "StreamReader",
    "StreamReaderProtocol",
    "StreamWriter",
    "open_connection",
    "open_unix_connection",
    "start_server",
    "start_unix_server",
]
