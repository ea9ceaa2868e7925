"""What each rung of the ladder claims, and how the tester holds it against asyncio.

A rung has asyncio's names for what it has, and no others. So the programs for a rung are those of
the grammar that use only names which the rung has, from the features that it claims. asyncio runs
them as they are, and the rung runs them with its own module in place of asyncio.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from miniloop.difftest import Difference, Program, Side, agree, quiet, side
from miniloop.difftest.foreign import order
from miniloop.difftest.generate import Generator
from miniloop.difftest.grammar import FEATURES
from miniloop.difftest.linked import Linked
from miniloop.difftest.loops import LoopKind
from miniloop.difftest.programs import NAME, declaration
from miniloop.difftest.shrink import shrink
from miniloop.trace import Schedule

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "ladder"
SEED = 2026

GENERATORS = ("tasks", "sleep", "errors")
CALLBACKS = (*GENERATORS, "call_soon", "stop")
TIMERS = (*CALLBACKS, "timers")
TASKS = (*TIMERS, "futures", "callbacks")
GATHER = (*TASKS, "gather", "generators")
OUTSIDE = (*GATHER, "threads", "readiness", "executor")
CLAIMS = (GENERATORS, CALLBACKS, TIMERS, TASKS, TASKS, GATHER, OUTSIDE, GATHER)
"""The features of the grammar that each rung claims, as far as it has the names for them."""

ORDER_ONLY = 1
"""This rung has no ticks that could be compared."""
TO_THE_TICK = 6
"""From this rung on, a rung agrees on all programs of the features that it claims."""

PLAIN = frozenset(
    {
        *("args", "concurrent", "contextlib", "error", "futures", "j", "job", "r", "socket"),
        *("thread", "threading", "time", "types", "w"),
    }
)
"""The names in programs, without digits, whose attributes are not asyncio's."""
KEYWORDS = frozenset({"args", "submit", "target"})
"""The keywords in programs that are not asyncio's."""
ATTRIBUTE = re.compile(r"(\)|\b[a-z]+)\d*\.([A-Za-z]\w*)")
KEYWORD = re.compile(r"\b(\w+)=(?![=\s])")
DURATION = re.compile(r"\b\d+\.\d|-1\b")


@dataclass(frozen=True)
class Rung:
    """One rung: its file, and the features of the grammar that it claims."""

    path: Path
    claims: tuple[str, ...]
    like: int = 0
    """For a file of a reader: the number of the rung that it shall be like."""

    @property
    def number(self) -> int:
        """The number of the rung, from 1."""
        return self.like or int(self.path.stem.split("_")[1])

    @functools.cached_property
    def module(self) -> ModuleType:
        """The rung as a library."""
        return load(self.path)

    @property
    def exact(self) -> bool:
        """Whether its ticks are compared, not only the order of events."""
        return self.number > ORDER_ONLY

    def side(self, module: ModuleType | None = None) -> Side:
        """Return the rung, or a changed copy of its module, as one side of a comparison."""
        module = module or self.module
        loop_class = with_what_the_tester_asks(module.EventLoop)
        task_class = getattr(module, "Task", None)
        future_class = getattr(module, "Future", None)
        name = f"rung {self.number}"
        kind = LoopKind(
            name, module, loop_class, loop_class, task_class, future_class, asks_factory=False
        )
        return Side(name, module, loop_class, task_class or object, kind=kind)

    @functools.cached_property
    def says(self) -> Callable[[str, str], bool]:
        """What tells whether a program for this rung may have a piece of text in a function."""
        return Vocabulary(self.module)

    def program(self, number: int) -> Program:
        """Return one of the random programs of the features that the rung claims."""
        rng = random.Random(f"{SEED}/{number}")
        without = frozenset(FEATURES).difference(self.claims)
        return Generator(rng, without, self.says).program()

    def can_say(self, program: Program) -> bool:
        """Return whether a program uses only what the rung has."""
        text = str(program)
        functions = re.split(r"^(?:async )?def |^(?=loop = )", text, flags=re.MULTILINE)
        return all(self.says(part[:2], part) for part in functions)


RUNGS = tuple(
    Rung(path, claims)
    for path, claims in zip(sorted(FOLDER.glob("rung_?_*.py")), CLAIMS, strict=False)
)


def own_rung(path: Path, like: Rung, also: Sequence[str] = ()) -> Rung:
    """Return a file as a rung like another one, which claims some more features.

    Raises ValueError, with one line for the reader, if the file cannot be imported or has no
    EventLoop.
    """
    mine = Rung(path, (*like.claims, *also), like.number)
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r}")
    if path.suffix != ".py":
        raise ValueError(f"{path} is no Python file: its name should end in .py")
    try:
        module = mine.module
    except (Exception, SystemExit) as error:
        raise ValueError(f"{path} cannot be imported: {type(error).__name__}: {error}") from None
    if not hasattr(module, "EventLoop"):
        raise ValueError(f"{path} has no EventLoop: a rung has asyncio's names")
    return mine


def load(path: Path) -> ModuleType:
    """Import a file as a new module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


class Vocabulary:
    """The names that a rung has. Called with a function and a text, it judges the text."""

    def __init__(self, module: ModuleType) -> None:
        def names(*classes: str) -> set[str]:
            return set.intersection(*(set(dir(getattr(module, one, None))) for one in classes))

        future = names("Future", "Task") if hasattr(module, "Task") else set()
        own = {name for name, thing in vars(module).items() if not isinstance(thing, ModuleType)}
        self._has: dict[str, set[str]] = {
            "asyncio": own,
            "loop": {*names("EventLoop"), "new_event_loop"},
            "h": names("Handle"),
            **dict.fromkeys(("f", "t", "x"), future),
            "e": names("Event"),
            "l": names("Lock"),
            ")": names("Task"),  # asyncio.current_task().cancel()
        }
        self._compares = "__le__" in vars(getattr(module, "TimerHandle", Vocabulary))
        self._keywords = set(KEYWORDS)
        for thing in (*vars(module).values(), *vars(module.EventLoop).values()):
            if inspect.isfunction(thing):
                self._keywords.update(inspect.signature(thing).parameters)

    @functools.cache  # noqa: B019 - one object a rung
    def __call__(self, function: str, text: str) -> bool:
        """Return whether the rung has all names in a text that stands in a function."""
        text = text.replace("{", "").replace("}", "").replace("asyncio.new_event_loop()", "")
        return (
            all(self._knows(*found) for found in ATTRIBUTE.findall(text))
            and self._keywords.issuperset(KEYWORD.findall(text))
            and all(map(self._declares, NAME.findall(text)))
            and ("start" not in text or self._knows("loop", "time"))
            and (not DURATION.search(text) or self._knows("loop", "call_later"))
            and ("<=" not in text or self._compares)
            and ("raise" not in text or self._raises(function))
        )

    def _knows(self, receiver: str, name: str) -> bool:
        return receiver in PLAIN or name in self._has.get(receiver, ())

    def _declares(self, name: str) -> bool:
        if name[0] in "ft":
            return self._knows("loop", "create_future")
        return self("main", (declaration(name) or "").replace(name, name[0]))

    def _raises(self, function: str) -> bool:
        """Return whether an error has somewhere to go: to a future, or to the handler."""
        callback = function[0] == "k" and self._knows("loop", "call_exception_handler")
        return callback or self._knows("f", "set_exception")


def with_what_the_tester_asks(loop_class: Any) -> Any:
    """Return a subclass that takes a selector, and that can be closed.

    The first rungs wait for nothing. Of these, the second one asks the selector once a tick.
    """
    takes_selector = "selector" in inspect.signature(loop_class).parameters

    class Asked(loop_class):  # type: ignore[misc]
        _handler: Any = None

        def __init__(self, selector: Any) -> None:
            if takes_selector:
                super().__init__(selector)
            else:
                super().__init__()
                self._counting = selector

        def _run_once(self) -> None:
            if not takes_selector:
                self._counting.select(0 if self._ready or self._stopping else None)
            super()._run_once()

        def set_exception_handler(self, handler: Any) -> None:
            self._handler = handler

        def call_exception_handler(self, context: dict[str, Any]) -> None:
            self._handler(self, context)

        # By these names the tester makes the pipe by which threads wake a loop when it is needed.
        def _add_reader(self, fd: Any, callback: Any) -> None:
            self.add_reader(fd, callback)

        def _remove_reader(self, fd: Any) -> bool:
            return self.remove_reader(fd)  # type: ignore[no-any-return]

        def is_running(self) -> bool:
            return False

        def close(self) -> None:
            self._ready.clear()  # what never began must not outlive the run
            if hasattr(super(), "close"):
                super().close()

    return Asked


class Held:
    """A rung, or a changed copy of its module, held against asyncio."""

    def __init__(self, rung: Rung, module: ModuleType | None = None) -> None:
        self.rung = rung
        self.reference = side("asyncio")
        self.side = rung.side(module)

    def schedules(self, program: Program, linked: bool = False) -> tuple[Schedule, Schedule]:
        """Return the schedules on asyncio and on the rung, as far as they are compared.

        What destructors report is left out: no rung reports errors that nobody has asked for.
        """
        code = Linked(program) if linked else program.code()
        left, right = (one.run(code) for one in (self.reference, self.side))
        for one in (left, right):
            one.reports.clear()
        if not self.rung.exact:
            return order(left), order(right)
        return left, right

    def agrees(self, program: Program, linked: bool = False) -> bool:
        """Return whether the two agree on a program."""
        return agree(*self.schedules(program, linked))

    def differing(self, count: int, of: Rung | None = None, start: int = 0) -> Iterator[int]:
        """Yield the numbers of those among `count` programs on which the two do not agree.

        The programs are those of the rung, or of another one, from number `start` on.
        """
        of = of or self.rung
        with quiet():
            for number in range(start, start + count):
                if not self.agrees(of.program(number), linked=True):
                    yield number

    def smallest(self, numbers: list[int], of: Rung | None = None) -> Difference | None:
        """Return the smallest difference that can be made of some programs, if there is any."""
        of = of or self.rung
        best: Program | None = None
        with quiet():
            for number in numbers:
                program = of.program(number)
                if self.agrees(program):
                    continue  # it shows on the linked program only
                small = shrink(program, lambda p: of.can_say(p) and not self.agrees(p))
                if best is None or len(str(small)) < len(str(best)):
                    best = small
            if best is None:
                return None
            return Difference(best, "asyncio", self.side.name, *self.schedules(best))


SHRUNK = 8
"""How many of the programs that differ are made small, to show the smallest."""
TRIED_OF_NEXT = 200
"""How many programs of the next rung are tried."""


def report(number: int, count: int) -> dict[str, Any]:
    """Return, as plain data, how a rung compares with asyncio on `count` programs.

    `fails` has the smallest program that differs, by the number of the rung which claims its
    features: this one, and the next one.
    """
    rung = RUNGS[number - 1]
    held = Held(rung)
    differing = list(held.differing(count))
    fails = {number: held.smallest(differing[:SHRUNK])}
    if number < len(RUNGS):
        of_next = RUNGS[number]
        fails[number + 1] = held.smallest(
            list(held.differing(TRIED_OF_NEXT, of_next))[:SHRUNK], of_next
        )
    return {
        "rung": number,
        "programs": count,
        "agree": count - len(differing),
        "fails": {of: plain(found) for of, found in fails.items() if found is not None},
    }


def plain(found: Difference) -> dict[str, Any]:
    """Return a difference as plain data."""
    sides = {
        side: {"rows": schedule.rows, "timeouts": schedule.timeouts}
        for side, schedule in (("left", found.left), ("right", found.right))
    }
    return {"program": str(found.program), **sides}
