"""Random programs, fast: the same grammar as `strategies`, without hypothesis.

Each program uses only a few features, chosen anew for each. A program that may use everything
rarely uses any one thing often enough for it to collide with itself.
"""

from __future__ import annotations

import functools
import itertools
import random

from .grammar import FEATURES, PHASES, Operation, allowed, values
from .programs import HEADS_OF, NAME, Block, Op, Program

# Features that the others need to be of any interest.
ALWAYS = ("tasks", "sleep", "errors")
# Mostly everything is caught, a cancellation or a KeyboardInterrupt too.
CATCHES = (
    "BaseException",
    "BaseException",
    "BaseException",
    "Exception",
    "asyncio.CancelledError",
    "TimeoutError",
)
# After the program proper: whatever is left is cancelled in a fixed order, and runs to its end.
LAST: Block = (("cancel_left",), ("run_forever", "0.3"))
# What the first task does between its other operations.
WAITS: Block = (
    ("sleep", "0"),
    ("ticks", "3"),
    ("sleep", "0.01"),
    ("ticks", "2"),
    ("sleep", "0.03"),
)
# Blocks are no deeper than this.
DEEPEST = 3


@functools.cache
def weighed(function: str, around: str) -> dict[str, tuple[list[Operation], list[int]]]:
    """By feature, the operations that may stand in a function, and how often to draw each."""
    by_feature: dict[str, tuple[list[Operation], list[int]]] = {}
    for op in allowed(function, around):
        ops, weights = by_feature.setdefault(op.feature, ([], []))
        ops.append(op)
        weights.append(op.weight * (1 if op.feature in (*ALWAYS, "misuse") else 4))
    return by_feature


@functools.cache
def options(op: Operation, function: str) -> tuple[tuple[str, ...], ...]:
    """What each field of an operation may hold."""
    return tuple(values(field, function) for field in op.fields)


class Generator:
    """Draws programs from a source of randomness. `without` names features to leave out."""

    def __init__(self, rng: random.Random, without: frozenset[str] = frozenset()) -> None:
        self.rng = rng
        self.features = [f for f in FEATURES if f not in without]
        self.without = without
        self._chosen: list[str] = []
        self._longest = 0
        self._choices: dict[tuple[str, str], tuple[list[Operation], list[int]]] = {}

    def program(self) -> Program:
        """A new program."""
        rng = self.rng
        chosen = {f for f in ALWAYS if f not in self.without}
        others = [f for f in self.features if f not in ALWAYS]
        chosen.update(rng.sample(others, min(len(others), rng.choice((1, 2, 3, 3, 4, 5, 8)))))
        self._chosen = [f for f in self.features if f in chosen]
        self._choices.clear()
        # Early in a program there is much to start, later much to wait for: length is drawn once.
        self._longest = rng.choice((2, 3, 3, 4, 5))
        phases = self.phases(chosen)
        functions: dict[str, Block] = {}
        waiting = names(phases)
        while waiting:
            name = waiting.pop()
            if name not in functions:
                functions[name] = block = self.block(name)
                waiting.extend(names(block))
        return Program(phases, tuple(sorted(functions.items())))

    def phases(self, chosen: set[str]) -> Block:
        """The main program: mostly one run, then whatever is left is cancelled."""
        rng = self.rng
        phases: list[Op] = []
        if "eager" in chosen:
            phases.append(("eager",))
        if "stop" not in chosen and rng.random() < 0.2:
            return (*phases, ("run", "c0"))
        for number in range(rng.choice((1, 1, 2, 3)) if "stop" in chosen else 1):
            phases.extend(self.ops(PHASES, rng.randrange(3), DEEPEST))
            how = "_caught" if rng.random() < 0.3 else "_suppressed"
            if number == 0 or rng.random() < 0.5:
                phases.append(("run" + how, "c0" if number == 0 else "c1"))
            else:
                phases.append(("run_forever" + how, rng.choice(values("delay", PHASES))))
        if rng.random() < 0.8:
            phases += LAST
        return tuple(phases)

    def block(self, function: str) -> Block:
        """The body of a function."""
        longest = self._longest if function[0] in "cg" else min(3, self._longest)
        ops = self.ops(function, self.rng.randint(1, longest), 0)
        if function == "c0" and "tasks" in self._chosen:
            rng = self.rng
            spawned = [
                ("spawn", t, rng.choice(values("c", "c0")))
                for t in values("t", "c0")[: rng.choice((1, 2, 2, 3))]
            ]
            ops = (*spawned, *ops)
            # While the first task lasts, the others can meet.
            for wait in WAITS:
                if rng.random() < 0.8:
                    ops = (*ops, wait, *self.ops("c0", rng.randrange(3), 0))
        return ops

    def ops(self, function: str, count: int, depth: int, around: str = "") -> Block:
        """So many operations for a function."""
        key = (function, around)
        known = self._choices.get(key)
        if known is None:
            by_feature = weighed(function, around)
            found = [by_feature[f] for f in self._chosen if f in by_feature]
            ops = [op for some, _ in found for op in some]
            summed = itertools.accumulate(weight for _, some in found for weight in some)
            known = self._choices[key] = ops, list(summed)
        ops, weights = known
        if not ops:
            return ()
        rng = self.rng
        random = rng.random
        out: list[Op] = []
        guarded = depth < DEEPEST and function[0] in "cg" and "errors" in self._chosen
        for op in rng.choices(ops, cum_weights=weights, k=count):
            if op.has_block and depth >= DEEPEST:
                continue
            # As rng.choice, in a third of the time.
            drawn = [some[int(random() * len(some))] for some in options(op, function)]
            if op.has_block:
                around_it = op.name if op.name == "group" else around
                inner = self.ops(function, rng.choice((1, 2, 2, 3)), depth + 1, around_it)
                out.append((op.name, *drawn, inner))
            elif (
                guarded
                and (op.waits or op.feature == "misuse")
                and random() < (0.85 if function == "c0" else 0.5)
            ):
                # What is not caught ends the task, and with it the program's interest.
                guard = "caught" if random() < 0.3 else "suppressed"
                caught = CATCHES[int(random() * len(CATCHES))]
                out.append((guard, caught, ((op.name, *drawn),)))
            else:
                out.append((op.name, *drawn))
        return tuple(out)


def names(block: Block) -> list[str]:
    """The functions that a block mentions."""
    found: list[str] = []
    for op in block:
        for value in op[1:]:
            if isinstance(value, tuple):
                found += names(value)
            elif value in HEADS_OF:
                found.append(value)
            elif "(" in value:
                found += [name for name in NAME.findall(value) if name in HEADS_OF]
    return found
