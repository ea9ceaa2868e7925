"""What of asyncio's public surface is here, what is not and why, and that the rest agrees."""

import asyncio
import inspect
import pkgutil
import re
import sys
from typing import Any

import pytest

import miniloop
from tests import asyncio_names
from tests.absent import ABSENT, Absent, absent_names
from tests.asyncio_names import asyncios, public

# -- names -----------------------------------------------------------------------------------------


def names_of_asyncio() -> set[str]:
    """Return all that `from asyncio import *` brings, modules and typos excepted."""
    return {name for name in asyncio.__all__ if hasattr(asyncio, name)}


def test_every_name_of_asyncio_is_here_or_on_the_list() -> None:
    assert names_of_asyncio() - set(dir(miniloop)) <= set(absent_names())


@pytest.mark.parametrize("name", list(asyncio_names.names()))
def test_every_name_of_3_15_is_here_or_on_the_list(name: str) -> None:
    assert asyncio_names.standing(name)  # it raises LookupError otherwise


def test_nothing_on_the_list_is_here() -> None:
    names = absent_names()
    assert len(names) == len(set(names))
    assert [name for name in names if asyncio_names.here(name)] == []


def test_what_is_on_the_list_is_a_name_of_asyncio() -> None:
    only_elsewhere = asyncio_names.not_on_3_15()
    file = asyncio_names.load(asyncio_names.PATH)
    assert set(file["windows"]) <= set(only_elsewhere)
    if sys.version_info < (3, 12):
        older = {name for name in only_elsewhere if name in asyncio.__all__}
        assert {name for name in only_elsewhere if "Windows" not in name} - {
            *file["windows"]
        } == older


@pytest.mark.skipif(sys.version_info[:2] != asyncio_names.PYTHON, reason="the names are 3.15's")
def test_the_file_has_the_names_of_this_asyncio() -> None:
    file = asyncio_names.load(asyncio_names.PATH)
    running = asyncio_names.running()
    assert {key: file[key] for key in ("names", "windows")} == {
        key: running[key] for key in ("names", "windows")
    }


def test_private_names_are_the_only_ones_that_a_star_leaves_out() -> None:
    left_out = {name for name in names_of_asyncio() if hasattr(miniloop, name)} - set(
        miniloop.__all__
    )
    assert all(name.startswith("_") for name in left_out)


@pytest.mark.parametrize("absent", ABSENT, ids=lambda absent: absent.names[0])
def test_the_way_out_exists(absent: Absent) -> None:
    assert absent.why.endswith(".")
    assert absent.instead.endswith(".")
    ways = re.findall(r"``([\w.]+)``", absent.instead)
    assert ways
    for way in ways:
        if "." in way:
            assert pkgutil.resolve_name(way) is not None
        else:
            assert way in inspect.signature(miniloop.run).parameters


def test_names_that_asyncio_has_not() -> None:
    newer = {"QueueShutDown"} if sys.version_info < (3, 13) else set()
    if sys.version_info < (3, 12):
        newer |= {"create_eager_task_factory", "eager_task_factory"}
        newer |= {"TaskGroup"}  # forgotten in __all__
    if sys.version_info < (3, 14):
        newer |= set(miniloop.details.graph.__all__)
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
    absent = {other.removeprefix(f"{name}.") for other in absent_names()}
    theirs = public(asyncios(name))
    ours = public(getattr(miniloop, name))
    assert theirs - ours <= absent
    assert ours & absent == set()


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
    """Return name, kind and default of each parameter of a function, or of a signature."""
    signature = function if isinstance(function, inspect.Signature) else inspect.signature(function)
    return [
        (parameter.name, parameter.kind.name, parameter.default)
        for parameter in signature.parameters.values()
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
            found[f"{name}.__init__"] = (theirs.__init__, ours.__init__)
            for method in public(ours) & public(theirs):
                if inspect.isroutine(getattr(ours, method)):
                    found[f"{name}.{method}"] = (getattr(theirs, method), getattr(ours, method))
        else:
            found[name] = (getattr(asyncio, name), ours)
    return dict(sorted(found.items()))


on_3_15 = pytest.mark.skipif(
    sys.version_info[:2] != (3, 15), reason="the signatures are those of 3.15"
)


@pytest.mark.parametrize("name", list(filter(asyncio_names.here, asyncio_names.names())))
def test_signature(name: str) -> None:
    """A signature is that of 3.15, on every Python; only those with a reason are not."""
    others = asyncio_names.standing(name).signatures
    if not name.startswith("AbstractEventLoop."):  # one reason for all of them, and some are equal
        assert (others is None) is (asyncio_names.why_other(name) is None), others


@on_3_15
@pytest.mark.parametrize("name", pairs())
def test_coroutine_functions_are_the_same(name: str) -> None:
    theirs, ours = pairs()[name]
    for asks in (
        inspect.iscoroutinefunction,
        inspect.isasyncgenfunction,
        inspect.isgeneratorfunction,
    ):
        assert asks(ours) is asks(theirs)


C_CLASSES = {
    "Future": asyncio.Future,
    "Task": asyncio.Task,
}


@on_3_15
@pytest.mark.parametrize("name", C_CLASSES)
def test_what_the_classes_in_c_take_is_taken(name: str) -> None:
    """C takes some arguments by position only; miniloop, as asyncio in Python, also by name."""
    compared = 0
    for method in public(C_CLASSES[name]):
        theirs, ours = (getattr(cls, method) for cls in (C_CLASSES[name], getattr(miniloop, name)))
        if not inspect.isroutine(theirs):
            continue
        try:
            expected = inspect.signature(theirs)
        except ValueError:  # add_done_callback: its default is no Python object
            continue
        by_name = [
            parameter.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
            if parameter.kind is inspect.Parameter.POSITIONAL_ONLY
            else parameter
            for parameter in expected.parameters.values()
        ]
        assert shape(ours) == shape(expected.replace(parameters=by_name)), method
        compared += 1
    assert compared >= 9


# -- what the language calls -----------------------------------------------------------------------

NO_SPECIAL_METHOD = {
    "Future.__del__": "a companion of the future reports exceptions that nobody has asked for",
}


def special(cls: Any) -> set[str]:
    """Return the special methods that a class of asyncio defines, not those of every object."""
    return {
        name
        for base in cls.__mro__
        if base.__module__.startswith("asyncio")
        for name, method in vars(base).items()
        if re.fullmatch(r"__\w+__", name) and (callable(method) or isinstance(method, classmethod))
    } - {"__class__", "__annotate_func__", "__init__"}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_asyncios_special_methods(name: str) -> None:
    ours = getattr(miniloop, name)
    lacking = {
        f"{name}.{method}" for method in special(asyncios(name)) if not hasattr(ours, method)
    }
    assert lacking == {method for method in NO_SPECIAL_METHOD if method.startswith(f"{name}.")}


@pytest.mark.parametrize("name", CLASSES)
def test_exits_take_what_the_language_gives(name: str) -> None:
    ours = getattr(miniloop, name)
    for method in special(asyncios(name)) & {"__exit__", "__aexit__"}:
        inspect.signature(getattr(ours, method)).bind("self", "type", "value", "traceback")


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


def files() -> list[Any]:
    """The modules of the package that are there to be read."""
    rooms = ("core", "details", "io", "runners")
    names = [name for name in sys.modules if name.startswith("miniloop.")]
    return [
        sys.modules[name]
        for name in sorted(names)
        if name.split(".")[1] in rooms and not hasattr(sys.modules[name], "__path__")
    ]


@pytest.mark.parametrize("module", files(), ids=lambda module: module.__name__)
def test_files_name_their_counterpart_in_cpython_once(module: Any) -> None:
    if module.__name__ == "miniloop.details.other_loops":
        return  # asyncio runs on such loops as they are
    assert re.search(r"CPython's counterparts?\s+(is|are|stands?)\b", module.__doc__)
    assert len(re.findall("counterparts?|Mirrors", inspect.getsource(module))) <= 2
