"""The base class of broken loops, and the list of all of them."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Sequence
from types import FunctionType, ModuleType
from typing import Any, ClassVar

import miniloop

from ..difftest.sides import Side
from .rules import Rule
from .rules import rule as rule_of

LOOPS: dict[str, type[BrokenLoop]] = {}
"""All broken loops by name, in the order in which a reader meets their rules."""


class BrokenLoop:
    """One broken loop. The names that a subclass defines replace miniloop's own.

    ``EventLoop``, ``Task`` and ``Future`` are the classes of the loop and of what it makes. Any
    other name (``gather``, ``Lock``, ...) is one that a program finds in the module. A subclass
    names the rule that it breaks by its id in `rules.toml`.
    """

    name: ClassVar[str]
    rule: ClassVar[Rule]
    """The rule that it breaks."""
    breaks: ClassVar[str]
    """The sentence of the rule, as it should be."""
    topic: ClassVar[str]
    since: ClassVar[tuple[int, int]]
    """The first Python whose asyncio keeps the rule."""

    def __init_subclass__(cls, rule: str) -> None:
        cls.name = re.sub(r"(?<!^)(?=[A-Z0-9])", "-", cls.__name__).lower()
        cls.rule = rule_of(rule)
        cls.breaks = cls.rule.sentence
        cls.since = cls.rule.since
        cls.topic = (sys.modules[cls.__module__].__doc__ or "").partition("\n")[0].rstrip(".")
        LOOPS[cls.name] = cls

    @classmethod
    def stand_ins(cls) -> dict[str, Any]:
        """Return the broken classes and functions by the names that they replace."""
        return {name: getattr(cls, name) for name in vars(cls) if name in miniloop.__all__}

    @classmethod
    def side(cls) -> Side:
        """Return the loop as one side of a comparison, for ``difftest.compare``."""
        return combined([cls])

    @classmethod
    def source(cls) -> str:
        """Return the lines that break the loop."""
        return textwrap.dedent(inspect.getsource(cls))


def broken(name: str) -> type[BrokenLoop]:
    """Return the broken loop of that name. Raises ValueError if there is none."""
    if name not in LOOPS:
        raise ValueError(f"no broken loop named {name!r}: `miniloop lab` lists them")
    return LOOPS[name]


def combined(loops: Sequence[type[BrokenLoop]]) -> Side:
    """Return one loop that breaks the rules of all these, as a side of a comparison.

    A class that several of them replace inherits from all their classes. If they replace the same
    method or function in ways that cannot go together, the first one counts.
    """
    stand_ins: dict[str, Any] = {}
    for loop in loops:
        for name, piece in loop.stand_ins().items():
            before = stand_ins.get(name)
            if isinstance(before, type) and isinstance(piece, type):
                stand_ins[name] = type(name, (before, piece), {})
            else:
                stand_ins.setdefault(name, piece)
    name = " and ".join(loop.name for loop in loops)
    module = ModuleType(f"miniloop, broken: {name}")
    module.__dict__.update({name: getattr(miniloop, name) for name in miniloop.__all__})
    module.__dict__.update(stand_ins)
    return Side(
        name,
        module,
        stand_ins.get("EventLoop", miniloop.EventLoop),
        stand_ins.get("Task", miniloop.Task),
        stand_ins.get("Future"),
    )


def rewired(function: Any, **names: Any) -> Any:
    """Return a copy of a function of the core in which some names mean something else.

    This breaks rules that are kept in the middle of a function, without a second version of it.
    """
    copy = FunctionType(
        function.__code__,
        {**function.__globals__, "__builtins__": __builtins__, **names},
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy
