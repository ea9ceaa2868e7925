"""What of asyncio's public surface miniloop's core has not, why, and what to use instead.

Names with a dot are methods. A test looks up the code between double backquotes in `instead`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Absent:
    """Names of asyncio that are absent for one reason."""

    names: tuple[str, ...]
    why: str
    instead: str


ABSENT = (
    Absent(
        names=(
            "AbstractServer",
            "BaseProtocol",
            "BaseTransport",
            "BufferedProtocol",
            "DatagramProtocol",
            "DatagramTransport",
            "Protocol",
            "ReadTransport",
            "Transport",
            "WriteTransport",
            "EventLoop.connect_accepted_socket",
            "EventLoop.connect_read_pipe",
            "EventLoop.connect_write_pipe",
            "EventLoop.create_connection",
            "EventLoop.create_datagram_endpoint",
            "EventLoop.create_server",
            "EventLoop.create_unix_connection",
            "EventLoop.create_unix_server",
        ),
        why="The core has streams and sockets, no protocols of one's own.",
        instead="Use ``miniloop.open_connection``, ``miniloop.start_server`` and the like of "
        "``miniloop.EventLoop.sock_recv``, or ``miniloop.interop.EventLoop``, which has them.",
    ),
    Absent(
        names=("EventLoop.sendfile", "EventLoop.sock_sendfile", "EventLoop.start_tls"),
        why="The core has neither TLS nor sendfile.",
        instead="Use ``miniloop.interop.EventLoop``, which has them.",
    ),
    Absent(
        names=(
            "SubprocessProtocol",
            "SubprocessTransport",
            "create_subprocess_exec",
            "create_subprocess_shell",
            "EventLoop.subprocess_exec",
            "EventLoop.subprocess_shell",
        ),
        why="The core starts no processes.",
        instead="Run ``subprocess.run`` in ``miniloop.to_thread``, or use "
        "``miniloop.interop.EventLoop``, which has them.",
    ),
    Absent(
        names=(
            "AbstractChildWatcher",
            "FastChildWatcher",
            "MultiLoopChildWatcher",
            "PidfdChildWatcher",
            "SafeChildWatcher",
            "ThreadedChildWatcher",
            "get_child_watcher",
            "set_child_watcher",
        ),
        why="Child watchers are gone since Python 3.14, and the core starts no processes.",
        instead="Use ``miniloop.interop.EventLoop``, which needs none to be set.",
    ),
    Absent(
        names=(
            "AbstractEventLoopPolicy",
            "DefaultEventLoopPolicy",
            "WindowsProactorEventLoopPolicy",
            "WindowsSelectorEventLoopPolicy",
            "get_event_loop_policy",
            "set_event_loop_policy",
        ),
        why="Event loop policies are deprecated since Python 3.14.",
        instead="Give a ``loop_factory`` to ``miniloop.run`` or ``miniloop.Runner``.",
    ),
    Absent(
        names=("IocpProactor", "ProactorEventLoop"),
        why="There is one kind of loop, which waits in a selector, on all systems.",
        instead="Use ``miniloop.EventLoop``.",
    ),
    Absent(
        names=("BaseEventLoop",),
        why="What it is here belongs to the loop's own files and is no public name.",
        instead="Use ``miniloop.AbstractEventLoop`` in annotations, and let a loop of your own "
        "inherit from ``miniloop.EventLoop``.",
    ),
    Absent(
        names=("proactor_events.BaseProactorEventLoop", "selector_events.BaseSelectorEventLoop"),
        why="They are steps between asyncio's base class and its loops. Here is one loop.",
        instead="Let a loop of your own inherit from ``miniloop.EventLoop``.",
    ),
    Absent(
        names=("staggered.staggered_race",),
        why="It is a part of ``create_connection()``, and ``import asyncio`` does not bring it.",
        instead="Use ``miniloop.interop.EventLoop.create_connection``, which does the same.",
    ),
)

OTHER_SIGNATURES = {
    "Server": "It has no TLS. Only `start_server()` and `start_unix_server()` make servers.",
    "AbstractEventLoop.*": "The methods take any arguments, since they only raise.",
}
"""Why a name takes other arguments than asyncio's. A star stands for every method."""


def absent_names() -> list[str]:
    """Return all absent names: of the package, and with a dot of its classes."""
    return [name for absent in ABSENT for name in absent.names]
