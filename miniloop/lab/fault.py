"""A broken loop: its name, the rule it breaks, and how it is put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import miniloop

from ..difftest.sides import Side


@dataclass(frozen=True)
class Fault:
    """Parts of miniloop, one of them broken."""

    name: str
    rule: str
    """The rule that the loop breaks, as it should be."""
    loop_class: Any = miniloop.EventLoop
    task_class: Any = miniloop.Task
    future_class: Any = None
    task_options: dict[str, Any] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    """Names of the library that programs get in a broken form."""

    def side(self) -> Side:
        """The broken loop as a side to compare."""
        return Side(
            f"lab:{self.name}",
            miniloop,
            self.loop_class,
            self.task_class,
            self.future_class,
            self.task_options,
            names=self.names,
        )


FAULTS: dict[str, Fault] = {}


def broken(rule: str, part: str = "loop_class") -> Callable[[Any], Any]:
    """Register a class or function as a fault under its own name, with dashes for underscores.

    `part` says what it stands for: a part of `Fault`, or a name of the library.
    """

    def register(what: Any) -> Any:
        name = what.__name__.replace("_", "-")
        if isinstance(what, type):  # reprs and reports must not give it away
            what.__name__ = what.__qualname__ = what.__mro__[1].__name__
        if part in ("loop_class", "task_class", "future_class"):
            FAULTS[name] = Fault(name, rule, **{part: what})
        else:
            FAULTS[name] = Fault(name, rule, names={part: what})
        return what

    return register
