"""The docstrings of public names say what is raised, and name the unit of every time."""

import ast
import builtins
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

import miniloop

TIMES = {"delay", "timeout", "when"}
"""The names of parameters that are times."""


def public() -> Iterator[tuple[str, Any, str]]:
    """Yield each public function and method: its name, itself, and what its docstrings say."""
    for name in miniloop.__all__:
        thing = getattr(miniloop, name)
        if not getattr(thing, "__module__", "").startswith("miniloop"):
            continue  # a constant, or one of asyncio's exceptions
        if not isinstance(thing, type):
            yield name, thing, inspect.getdoc(thing) or ""
            continue
        about = inspect.getdoc(thing) or ""
        yield name, thing.__init__, about  # type: ignore[misc]
        for method in dir(thing):
            found = getattr(thing, method)
            if not method.startswith("_") and inspect.isfunction(found):
                yield f"{name}.{method}", found, f"{inspect.getdoc(found)}\n{about}"


def raised(function: Any) -> set[str]:
    """Return the exceptions that the code of a function raises by name."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError):  # made by a dataclass, or object's own
        return set()
    return {
        ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        and node.exc is not None
        and re.match(r"[\w.]*\b[A-Z]", ast.unparse(node.exc))
    }


def bases(error: str) -> list[str]:
    """Return the names of an exception and of its bases: a BlockingIOError is an OSError."""
    kind = getattr(builtins, error, None)
    wide = (Exception, BaseException, object, RuntimeError)
    above = kind.__mro__[1:] if isinstance(kind, type) else ()
    return [error.rpartition(".")[2], *(base.__name__ for base in above if base not in wide)]


PUBLIC = [pytest.param(*one, id=one[0]) for one in public()]


@pytest.mark.parametrize(("name", "function", "says"), PUBLIC)
def test_says_what_it_raises(name: str, function: Any, says: str) -> None:
    silent = {error for error in raised(function) if not any(base in says for base in bases(error))}
    assert silent == set()


@pytest.mark.parametrize(
    ("name", "function", "says"),
    [one for one in PUBLIC if not TIMES.isdisjoint(inspect.signature(one.values[1]).parameters)],
)
def test_names_the_unit_of_times(name: str, function: Any, says: str) -> None:
    assert re.search(r"\bseconds\b", says)


def test_finds_what_is_raised() -> None:
    def function(number: int) -> None:
        if number < 0:
            raise ValueError("negative")
        raise KeyError

    assert raised(function) == {"ValueError", "KeyError"}
