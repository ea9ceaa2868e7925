"""miniloop: an asyncio whose scheduling a person can read.

``import miniloop as asyncio`` serves any program that uses no protocols, TLS, subprocesses,
``sendfile``, event loop policies or abstract classes of asyncio's. It schedules to the tick as the
asyncio of CPython 3.15 does: the same steps, in the same order, in the same *tick*, which is one
iteration of the loop.

**The whole idea is five calls**, and one leads to the next in a circle:

1. ``BaseEventLoop._run_once()`` (``core/loop.py``) takes a task from the ready queue and calls
2. ``Task._run()`` (``core/tasks.py``), the step, which resumes the coroutine by calling
3. ``send(None)`` on it. The coroutine runs until it awaits a future that is not done
   (``Future.__await__()`` in ``core/futures.py``). The future is yielded up to the task, and the
   task becomes a waiter of the future.
4. Later a callback or another task calls ``Future.set_result()`` (``core/futures.py``),
5. and that calls ``append()`` on the loop's ready queue, for each waiter. Back to 1, a tick later.

**The files, in the order in which to read them.** The first four, with ``sleep()`` and ``gather()``
from the fifth, are the event loop, and take an hour.

    core/loop           BaseEventLoop: the ready queue, the heap of timers, the tick
    core/handles        Handle, TimerHandle: callbacks that wait for their turn
    core/futures        Future: a result that is not there yet, and what ``await`` does
    core/tasks          Task: drives a coroutine, step by step; cancelling
    core/combinators    sleep, gather, wait, shield; and wait_for, as_completed, which are easier to
                        read after the next three files
    core/timeouts       timeout()
    core/locks          Lock, Event, Condition, Semaphore, Barrier
    core/queues         Queue and its kin
    core/taskgroups     TaskGroup
    core/exceptions     the exception classes, which are asyncio's own
    runners             run(), Runner: make a loop, run one program on it, leave it in good order

A line with ``# fast:`` is written in this way for speed, where a plainer one would do the same. A
line with ``# asyncio:`` is there only because asyncio does so. Do not puzzle over either. The same
goes for lines such as ``self = None  # a cycle``: an exception leads to its traceback, that to the
frames it has passed, and these to their variables. If one of those leads back to the exception,
only the garbage collector can free them, so functions forget such variables when an exception
passes.

``details`` holds what asyncio does besides. Nothing in it decides an order, but for eager tasks and
for awaits of anything but plain futures. You may open each file when the core calls it:

    details/current           which loop and which task run in this thread; all_tasks()
    details/coroutines        what counts as a coroutine
    details/debug             debug mode
    details/reports           errors that no caller can catch
    details/reprs             how things print themselves
    details/stacks            Task.get_stack() and print_stack()
    details/order             how timer handles compare
    details/accessors         names, stacks, callbacks: what programs ask futures and tasks for
    details/other_futures     awaiting futures of other libraries, and bad yields
    details/other_loops       futures and tasks on other libraries' loops; AbstractEventLoop
    details/eager             eager tasks
    details/async_generators  async generators that are left in the middle
    details/graph             call graphs: who awaits whom

``io`` holds the world outside:

    io/descriptors      add_reader() and its kin, and how another thread wakes the loop
    io/signals          add_signal_handler()
    io/threads          to_thread(), run_coroutine_threadsafe(): crossing between threads
    io/executors        run_in_executor()
    io/sockets          sock_recv() and its kin: from a callback to an ``await``
    io/event_loop       EventLoop: the loop that programs use, put together
    io/transports       a connected socket with a buffer, driven by callbacks
    io/servers          Server, and how an address becomes a socket
    io/streams          open_connection(), start_server()

Above these stand the tools, which the core does not know: ``interop``, ``trace``, ``difftest``,
``lab``, ``testing``, ``explore`` and ``cli``.
"""

import sys as _sys

if _sys.version_info < (3, 11):  # noqa: UP036  # pip checks this, but a clone runs without pip
    _sorry = "miniloop needs Python 3.11 or newer, and this is {}.{}\n"
    _sys.stderr.write(_sorry.format(*_sys.version_info))
    _sys.exit(2)

from .core.combinators import (
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
from .core.exceptions import (
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
from .core.futures import Future, isfuture
from .core.handles import Handle, TimerHandle
from .core.locks import Barrier, BoundedSemaphore, Condition, Event, Lock, Semaphore
from .core.queues import LifoQueue, PriorityQueue, Queue
from .core.taskgroups import TaskGroup
from .core.tasks import Task, create_task, ensure_future
from .core.timeouts import Timeout, timeout, timeout_at
from .details.coroutines import coroutine, iscoroutine, iscoroutinefunction
from .details.current import (
    _enter_task,
    _get_running_loop,
    _leave_task,
    _register_task,
    _set_running_loop,
    _unregister_task,
    all_tasks,
    current_task,
    get_event_loop,
    get_running_loop,
    set_event_loop,
)
from .details.eager import create_eager_task_factory, eager_task_factory
from .details.graph import (
    FrameCallGraphEntry,
    FutureCallGraph,
    capture_call_graph,
    format_call_graph,
    future_add_to_awaited_by,
    future_discard_from_awaited_by,
    print_call_graph,
)
from .details.other_loops import AbstractEventLoop
from .io.event_loop import EventLoop
from .io.servers import Server
from .io.streams import (
    StreamReader,
    StreamReaderProtocol,
    StreamWriter,
    open_connection,
    open_unix_connection,
    start_server,
    start_unix_server,
)
from .io.threads import run_coroutine_threadsafe, to_thread, wrap_future
from .runners import Runner, new_event_loop, run

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
