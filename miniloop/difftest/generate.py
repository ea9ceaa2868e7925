"""Make random programs quickly, from the same grammar as `strategies`, without hypothesis.

Each program uses only a few features, which are chosen anew each time. A program that may use
everything rarely uses one thing so often that it collides with itself.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from .grammar import FEATURES, OPERATIONS, PHASES, allowed, values
from .programs import HEADS_OF, NAME, Block, Op, Program

T = TypeVar("T")

# Features without which the others would do nothing interesting.
ALWAYS = ("tasks", "sleep", "errors")
# Most often everything is caught, including a cancellation or a KeyboardInterrupt.
CATCHES = (
    "BaseException",
    "BaseException",
    "BaseException",
    "Exception",
    "asyncio.CancelledError",
    "TimeoutError",
)
# After the program proper: cancel the remaining tasks in a fixed order, and let them end.
LAST: Block = (("cancel_left",), ("run_forever", "0.3"))
# Waits of the first task between its other operations.
WAITS: Block = (
    ("sleep", "0"),
    ("ticks", "3"),
    ("sleep", "0.01"),
    ("ticks", "2"),
    ("sleep", "0.03"),
)
# Blocks are no deeper than this.
DEEPEST = 3


# An operation that may be drawn: its name, the values of each field, whether it has a block, and
# whether it may raise an exception that ends a task.
Drawn = tuple[str, tuple[tuple[str, ...], ...], bool, bool]

Says = Callable[[str, str], bool]
"""Tells whether a function may hold a piece of text: an operation's template, or a value."""


def anything(function: str, text: str) -> bool:
    """Return True: every function may hold every text of the grammar."""
    return True


@functools.cache
def weighed(function: str, around: str, says: Says = anything) -> dict[str, list[Drawn]]:
    """Return, by feature, the operations of a function, each repeated by its weight."""
    by_feature: dict[str, list[Drawn]] = {feature: [] for feature in FEATURES}
    for op in allowed(function, around):
        fields = tuple(
            tuple(value for value in values(field, function) if says(function, value))
            for field in op.fields
        )
        if not says(function, op.template) or not all(fields):
            continue
        one = (op.name, fields, op.has_block, op.waits or op.feature == "misuse")
        times = op.weight * (1 if op.feature in (*ALWAYS, "misuse") else 4)
        by_feature[op.feature] += [one] * times
    return by_feature


@functools.cache
def features(without: frozenset[str]) -> tuple[list[int], list[int]]:
    """Return the numbers of the features always used, and of those from which some are chosen."""
    left = [n for n, feature in enumerate(FEATURES) if feature not in without]
    always = [n for n in left if FEATURES[n] in ALWAYS]
    return always, [n for n in left if n not in always]


class Generator:
    """Draws programs from a source of random numbers.

    `without` names features to leave out. `says` leaves out more: a library that does not have all
    of asyncio's names can be given the programs that use only what it has.
    """

    def __init__(
        self,
        rng: random.Random,
        without: frozenset[str] = frozenset(),
        says: Says = anything,
    ) -> None:
        self.rng = rng
        self.says = says
        self.catches = tuple(text for text in CATCHES if says(PHASES, text))
        self.always, self.others = features(without)
        self._chosen: list[str] = []
        self._longest = 0
        self._choices: dict[tuple[str, str], list[Drawn]] = {}

    def one(self, some: Sequence[T]) -> T:
        """Return one of them, as `rng.choice` does, but in a third of the time."""
        return some[int(self.rng.random() * len(some))]

    def may(self, function: str, op: Op) -> bool:
        """Return whether an operation without a block may stand in a function."""
        return self.says is anything or all(
            self.says(function, text) for text in (OPERATIONS[op[0]].template, *op[1:])
        )

    def program(self) -> Program:
        """Return a new program."""
        rng = self.rng
        count = min(len(self.others), self.one((1, 2, 3, 3, 4, 5, 8)))
        chosen = sorted([*self.always, *rng.sample(self.others, count)])
        self._chosen = [FEATURES[n] for n in chosen]
        self._choices.clear()
        # The length is drawn once for all functions of the program.
        self._longest = self.one((2, 3, 3, 4, 5))
        phases = self.phases()
        functions: dict[str, Block] = {}
        waiting = names(phases)
        while waiting:
            name = waiting.pop()
            if name not in functions:
                functions[name] = block = self.block(name)
                waiting.extend(names(block))
        return Program(phases, tuple(sorted(functions.items())))

    def phases(self) -> Block:
        """Return the main program: mostly one run, and then the remaining tasks are cancelled."""
        rng, chosen = self.rng, self._chosen
        phases: list[Op] = []
        if "eager" in chosen:
            phases.append(("eager",))
        if "stop" not in chosen and rng.random() < 0.2:
            return (*phases, ("run", "c0"))
        for number in range(self.one((1, 1, 2, 3)) if "stop" in chosen else 1):
            phases.extend(self.ops(PHASES, self.one((0, 1, 2)), DEEPEST))
            how = "_caught" if rng.random() < 0.3 else "_suppressed"
            if number == 0 or rng.random() < 0.5:
                phases.append(("run" + how, "c0" if number == 0 else "c1"))
            else:
                forever = ("run_forever" + how, self.one(values("delay", PHASES)))
                phases.append(forever if self.may(PHASES, forever) else ("run_batch",))
        if rng.random() < 0.8:
            phases += [op for op in LAST if self.may(PHASES, op)]
        return tuple(phases)

    def block(self, function: str) -> Block:
        """Return the body of a function."""
        longest = self._longest if function[0] in "cg" else min(3, self._longest)
        ops = self.ops(function, self.one(range(1, longest + 1)), 0)
        if function == "c0" and "tasks" in self._chosen:
            spawned = [
                ("spawn", t, self.one(values("c", "c0")))
                for t in values("t", "c0")[: self.one((1, 2, 2, 3))]
            ]
            ops = (*[op if self.may("c0", op) else ("spawn_only", op[2]) for op in spawned], *ops)
            # While the first task lasts, the others can meet each other.
            for wait in WAITS:
                if self.rng.random() < 0.8 and self.may("c0", wait):
                    ops = (*ops, wait, *self.ops("c0", self.one((0, 1, 2)), 0))
        return ops

    def ops(self, function: str, count: int, depth: int, around: str = "") -> Block:
        """Return so many operations for a function."""
        key = (function, around)
        ops = self._choices.get(key)
        if ops is None:
            by_feature = weighed(function, around, self.says)
            ops = self._choices[key] = []
            for feature in self._chosen:
                ops += by_feature[feature]
        if not ops:
            return ()
        # some[int(random() * len(some))] is self.one(some), without the call.
        random = self.rng.random
        out: list[Op] = []
        guards = depth < DEEPEST and function[0] in "cg" and "errors" in self._chosen
        for _ in range(count):
            name, options, has_block, guarded = ops[int(random() * len(ops))]
            if has_block and depth >= DEEPEST:
                continue
            op = (name, *[some[int(random() * len(some))] for some in options])
            if has_block:
                around_it = name if name == "group" else around
                inner = self.ops(function, self.one((1, 2, 2, 3)), depth + 1, around_it)
                out.append((*op, inner))
            elif guards and guarded and random() < (0.85 if function == "c0" else 0.5):
                # An exception that is not caught ends the task, and little happens after it.
                guard = "caught" if random() < 0.3 else "suppressed"
                out.append((guard, self.catches[int(random() * len(self.catches))], (op,)))
            else:
                out.append(op)
        return tuple(out)


# The operations that have a field for the name of a function. None has a block, too.
MENTIONING = frozenset(
    op.name
    for op in OPERATIONS.values()
    if any(HEADS_OF.keys() & NAME.findall(" ".join(values(f, PHASES))) for f in op.fields)
)


def names(block: Block) -> list[str]:
    """Return the functions that a block mentions."""
    found: list[str] = []
    for op in block:
        if op[0] in MENTIONING:
            found += mentioned(op)
        elif type(op[-1]) is tuple:
            found += names(op[-1])
    return found


@functools.cache
def mentioned(op: Op) -> list[str]:
    """Return the functions that one operation mentions."""
    return [name for name in NAME.findall(" ".join(op[1:])) if name in HEADS_OF]
