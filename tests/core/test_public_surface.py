"""What of asyncio's public surface is here, what is not and why, and that the rest agrees."""

import asyncio
import inspect
import re
import sys
from typing import Any

import pytest

import miniloop

# -- names -----------------------------------------------------------------------------------------

TRANSPORTS = "transports and protocols of one's own: interop.EventLoop; the core has streams"
SUBPROCESSES = "subprocesses: interop.EventLoop has them"
POLICIES = "event loop policies are deprecated since 3.12; Runner(loop_factory=...) instead"
PRIVATE = "private in spite of standing in __all__; miniloop has it in a module of its own"
ONE_SELECTOR = "one selector loop, on all systems"

MISSING = {
    "BaseTransport": TRANSPORTS,
    "Transport": TRANSPORTS,
    "ReadTransport": TRANSPORTS,
    "WriteTransport": TRANSPORTS,
    "DatagramTransport": TRANSPORTS,
    "BaseProtocol": TRANSPORTS,
    "Protocol": TRANSPORTS,
    "BufferedProtocol": TRANSPORTS,
    "DatagramProtocol": TRANSPORTS,
    "AbstractServer": TRANSPORTS,
    "SubprocessTransport": SUBPROCESSES,
    "SubprocessProtocol": SUBPROCESSES,
    "create_subprocess_exec": SUBPROCESSES,
    "create_subprocess_shell": SUBPROCESSES,
    "AbstractChildWatcher": SUBPROCESSES,
    "SafeChildWatcher": SUBPROCESSES,
    "FastChildWatcher": SUBPROCESSES,
    "PidfdChildWatcher": SUBPROCESSES,
    "MultiLoopChildWatcher": SUBPROCESSES,
    "ThreadedChildWatcher": SUBPROCESSES,
    "get_child_watcher": SUBPROCESSES,
    "set_child_watcher": SUBPROCESSES,
    "AbstractEventLoopPolicy": POLICIES,
    "DefaultEventLoopPolicy": POLICIES,
    "WindowsSelectorEventLoopPolicy": POLICIES,
    "WindowsProactorEventLoopPolicy": POLICIES,
    "get_event_loop_policy": POLICIES,
    "set_event_loop_policy": POLICIES,
    "BaseEventLoop": "a floor of the house: miniloop.loop.BaseEventLoop",
    "ProactorEventLoop": ONE_SELECTOR,
    "IocpProactor": ONE_SELECTOR,
    "_set_running_loop": PRIVATE,
    "_get_running_loop": PRIVATE,
    "_register_task": PRIVATE,
    "_unregister_task": PRIVATE,
    "_enter_task": PRIVATE,
    "_leave_task": PRIVATE,
}


def names_of_asyncio() -> set[str]:
    """Return all that `from asyncio import *` brings, modules and typos excepted."""
    return {name for name in asyncio.__all__ if hasattr(asyncio, name)}


def test_every_name_of_asyncio_is_here_or_on_the_list() -> None:
    absent = names_of_asyncio() - set(miniloop.__all__)
    assert absent - set(MISSING) == set()


def test_nothing_on_the_list_is_here() -> None:
    assert set(MISSING) & set(miniloop.__all__) == set()


def test_names_that_asyncio_has_not() -> None:
    newer = {"QueueShutDown"} if sys.version_info < (3, 13) else set()
    if sys.version_info < (3, 12):
        newer |= {"create_eager_task_factory", "eager_task_factory"}
        newer |= {"TaskGroup"}  # forgotten in __all__
    if sys.version_info < (3, 14):
        newer |= set(miniloop.graph.__all__)
    ours = set(miniloop.__all__) - names_of_asyncio()
    # not in asyncio.__all__, though asyncio has some of them as attributes
    assert ours - newer == {"coroutine"} | (
        ours & {"EventLoop", "iscoroutine", "iscoroutinefunction", "isfuture"}
    )


def test_every_public_name_exists_once() -> None:
    assert len(miniloop.__all__) == len(set(miniloop.__all__))
    for name in miniloop.__all__:
        assert getattr(miniloop, name) is not None


def test_exceptions_are_asyncios_own() -> None:
    for name in miniloop.__all__:
        thing = getattr(miniloop, name)
        if isinstance(thing, type) and issubclass(thing, BaseException) and hasattr(asyncio, name):
            assert thing is getattr(asyncio, name)


# -- classes and their methods ---------------------------------------------------------------------

LOOP_LATER = {
    "connect_accepted_socket": TRANSPORTS,
    "connect_read_pipe": TRANSPORTS,
    "connect_write_pipe": TRANSPORTS,
    "create_connection": TRANSPORTS,
    "create_datagram_endpoint": TRANSPORTS,
    "create_server": TRANSPORTS,
    "create_unix_connection": TRANSPORTS,
    "create_unix_server": TRANSPORTS,
    "sendfile": TRANSPORTS,
    "sock_sendfile": TRANSPORTS,
    "start_tls": TRANSPORTS,
    "subprocess_exec": SUBPROCESSES,
    "subprocess_shell": SUBPROCESSES,
}

CLASSES = [
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Event",
    "EventLoop",
    "Future",
    "Handle",
    "LifoQueue",
    "Lock",
    "PriorityQueue",
    "Queue",
    "Runner",
    "Semaphore",
    "Server",
    "StreamReader",
    "StreamReaderProtocol",
    "StreamWriter",
    "Task",
    "TaskGroup",
    "Timeout",
    "TimerHandle",
]


def asyncios(name: str) -> Any:
    """Return asyncio's class or function of that name, in pure Python where there are two."""
    if name == "Future":
        return asyncio.futures._PyFuture  # type: ignore[attr-defined]
    if name == "Task":
        return asyncio.tasks._PyTask  # type: ignore[attr-defined]
    if name == "EventLoop":
        return asyncio.SelectorEventLoop
    return getattr(asyncio, name)


def public(cls: Any) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


def test_all_classes_are_compared() -> None:
    classes = {
        name
        for name in miniloop.__all__
        if isinstance(getattr(miniloop, name), type)
        and not issubclass(getattr(miniloop, name), BaseException)
    }
    records = {"FrameCallGraphEntry", "FutureCallGraph"}  # dataclasses: test_call_graph.py
    assert classes == {*CLASSES, *records, "SelectorEventLoop", "AbstractEventLoop"}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_asyncios_public_methods(name: str) -> None:
    later = LOOP_LATER if name == "EventLoop" else {}
    theirs = public(asyncios(name))
    ours = public(getattr(miniloop, name))
    assert theirs - ours - set(later) == set()
    assert ours & set(later) == set()


EXTRA = {  # asyncio has them since 3.12 or 3.13, or on each instance only
    "EventLoop": {"slow_callback_duration"},
    "Condition": {"acquire", "release", "locked"},
    "Queue": {"shutdown"},
    "LifoQueue": {"shutdown"},
    "PriorityQueue": {"shutdown"},
    "Handle": {"get_context"},
    "Server": {"abort_clients", "close_clients"},
    "TimerHandle": {"get_context"},
    "Task": {"get_context"},
    "TaskGroup": {"cancel"},
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_no_public_methods_of_their_own(name: str) -> None:
    extra = public(getattr(miniloop, name)) - public(asyncios(name))
    assert extra <= EXTRA.get(name, set())
    if sys.version_info >= (3, 15):
        assert extra <= {"slow_callback_duration", "acquire", "release", "locked"}


# -- signatures ------------------------------------------------------------------------------------


def shape(function: Any) -> list[tuple[str, str, object]]:
    """Return name, kind and default of each parameter."""
    return [
        (parameter.name, parameter.kind.name, parameter.default)
        for parameter in inspect.signature(function).parameters.values()
    ]


def pairs() -> dict[str, tuple[Any, Any]]:
    """Return all public functions, constructors and methods of both libraries by name."""
    found = {}
    for name in miniloop.__all__:
        ours = getattr(miniloop, name)
        if not hasattr(asyncio, name) or not callable(ours):
            continue
        if isinstance(ours, type):
            if name not in CLASSES:
                continue
            theirs = asyncios(name)
            if name != "Server":  # made by start_server() alone
                found[f"{name}.__init__"] = (theirs.__init__, ours.__init__)
            for method in public(ours) & public(theirs):
                if inspect.isfunction(getattr(ours, method)):
                    found[f"{name}.{method}"] = (getattr(theirs, method), getattr(ours, method))
        else:
            found[name] = (getattr(asyncio, name), ours)
    return dict(sorted(found.items()))


@pytest.mark.skipif(sys.version_info[:2] != (3, 15), reason="the signatures are those of 3.15")
@pytest.mark.parametrize("name", pairs())
def test_signature(name: str) -> None:
    theirs, ours = pairs()[name]
    assert shape(ours) == shape(theirs)


# -- documentation ---------------------------------------------------------------------------------


def methods() -> list[Any]:
    return [
        pytest.param(getattr(cls, method), id=f"{name}.{method}")
        for name in CLASSES
        for cls in [getattr(miniloop, name)]
        for method in sorted(public(cls))
        if inspect.isroutine(getattr(cls, method)) and method in vars(cls)
    ]


@pytest.mark.parametrize("method", methods())
def test_methods_have_docstrings(method: Any) -> None:
    assert (method.__doc__ or "").strip().endswith((".", ")"))


@pytest.mark.parametrize("name", miniloop.__all__)
def test_docstrings_name_the_part_of_cpython(name: str) -> None:
    thing = getattr(miniloop, name)
    if not callable(thing) or getattr(thing, "__module__", "").startswith(("asyncio", "builtins")):
        return  # a constant, or an exception class that is asyncio's own
    doc = inspect.getdoc(thing) or ""
    assert re.search(r"\bMirrors\s+``asyncio\.[\w.]+``|asyncio had its own|asyncio: 3\.13", doc), (
        doc
    )
