"""hypothesis strategies for programs: the same grammar as `generate`, shrunk by hypothesis.

Lists of operations with fixed names shrink well: each operation can go by itself, and values shrink
towards the front of their domains.
"""

from __future__ import annotations

import functools
from typing import Any

from hypothesis import strategies as st

from .generate import ALWAYS, CATCHES, DEEPEST, LAST, names
from .grammar import FEATURES, PHASES, Operation, allowed, values
from .programs import Block, Op, Program


@st.composite
def programs(draw: Any, without: frozenset[str] = frozenset()) -> Program:
    """Return a strategy for programs that use a few features each, but none of `without`."""
    themes = [f for f in FEATURES if f not in without]
    always = tuple(f for f in ALWAYS if f not in without)
    chosen = draw(st.lists(st.sampled_from(themes), max_size=3))
    features = tuple(dict.fromkeys((*always, *chosen)))
    phases: Block = draw(blocks(PHASES, features, 0, 2))
    phases = (*phases, ("run_caught", "c0"), *draw(st.sampled_from([(), LAST])))
    functions: dict[str, Block] = {}
    waiting = names(phases)
    while waiting:
        name = waiting.pop()
        if name not in functions:
            longest = 6 if name[0] in "cg" else 3
            functions[name] = block = draw(blocks(name, features, 0, longest))
            waiting.extend(names(block))
    return Program(phases, tuple(sorted(functions.items())))


@functools.cache
def blocks(
    function: str, features: tuple[str, ...], depth: int, longest: int, around: str = ""
) -> st.SearchStrategy[Block]:
    """Return a strategy for blocks of a function that use these features only."""
    one = [of_feature(feature, function, depth, around) for feature in features]
    return st.lists(st.one_of(one), max_size=longest).map(tuple)


@functools.cache
def of_feature(feature: str, function: str, depth: int, around: str) -> st.SearchStrategy[Op]:
    """Return operations of one feature, with blocks of it and of the features always used."""
    kinds = [
        op
        for op in allowed(function, around)
        if op.feature == feature and not (op.has_block and depth >= DEEPEST)
    ]
    weighted = [op for op in kinds for _ in range(op.weight)]
    strategies = {op: operation(op, function, feature, depth, around) for op in kinds}
    if not weighted:
        return st.nothing()
    return st.sampled_from(weighted).flatmap(strategies.__getitem__)


def operation(
    kind: Operation, function: str, feature: str, depth: int, around: str
) -> st.SearchStrategy[Op]:
    """Return a strategy for operations of one kind, with their block if they have one."""
    parts: list[st.SearchStrategy[Any]] = [st.just(kind.name)]
    parts += [st.sampled_from(values(field, function)) for field in kind.fields]
    if kind.has_block:
        inside = kind.name if kind.name == "group" else around
        features = tuple(dict.fromkeys((*ALWAYS, feature)))
        parts.append(blocks(function, features, depth + 1, 3, inside))
    plain = st.tuples(*parts)
    if kind.has_block or "await " not in kind.template or depth >= DEEPEST:
        return plain
    caught = st.tuples(st.just("caught"), st.sampled_from(CATCHES), plain.map(lambda op: (op,)))
    return st.one_of(plain, caught)
