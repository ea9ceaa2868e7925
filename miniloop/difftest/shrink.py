"""Make a failing program small: find the smallest program with the same kind of failure.

Programs are nested tuples, so this is plain delta debugging: drop operations (halves first),
replace a block's owner by its block, replace a value by a simpler one of its domain, until nothing
helps.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from .generate import names
from .grammar import OPERATIONS, PHASES, values
from .programs import Block, Op, Program, operations

SHORT = 12
"""The number of lines that is small enough."""


def shrink(program: Program, fails: Callable[[Program], bool], budget: int = 3000) -> Program:
    """Return the smallest program found that still `fails`, after at most `budget` attempts."""
    return shrink_many(program, lambda some: some[0] if fails(some[0]) else None, 1, budget)


def shrink_many(
    program: Program,
    first: Callable[[Sequence[Program]], Program | None],
    at_once: int,
    budget: int,
) -> Program:
    """Do as `shrink` does, with `at_once` attempts at the same time.

    `first` returns the first of some programs that still fails, or None.
    """
    tried: set[Program] = {program}

    def new() -> Iterator[Program]:
        for candidate in map(reachable, simpler(program)):
            if candidate not in tried:
                tried.add(candidate)
                yield candidate

    while budget > 0:
        candidates = new()
        while some := list(itertools.islice(candidates, min(at_once, budget))):
            budget -= len(some)
            if (smaller := first(some)) is not None:
                program = smaller
                break
        else:
            break
    return program


def reachable(program: Program) -> Program:
    """Return the program without the functions that nothing mentions."""
    bodies = dict(program.functions)
    kept: dict[str, Block] = {}
    waiting = names(program.phases)
    while waiting:
        name = waiting.pop()
        if name in bodies and name not in kept:
            kept[name] = bodies[name]
            waiting.extend(names(kept[name]))
    return Program(program.phases, tuple(sorted(kept.items())))


def simpler(program: Program) -> Iterator[Program]:
    """Yield simpler programs that are one change away, with the biggest changes first."""
    parts: list[tuple[str, Block]] = [(PHASES, program.phases), *program.functions]

    def with_part(index: int, block: Block) -> Program:
        changed = [(n, block if i == index else b) for i, (n, b) in enumerate(parts)]
        return Program(changed[0][1], tuple(changed[1:]))

    for index, (_, block) in enumerate(parts):
        for smaller in fewer(block):
            yield with_part(index, smaller)
    bodies = dict(program.functions)
    for index, (_, block) in enumerate(parts):
        for changed in inlined(block, bodies):
            yield with_part(index, changed)
    for index, (name, block) in enumerate(parts):
        for changed in plainer(block, name):
            yield with_part(index, changed)
    yield from without_generator(program)
    if program.line_count() <= SHORT:
        return
    # Pairs that can only go together, such as acquire and release. This takes many attempts.
    for index, (_, block) in enumerate(parts):
        for smaller in fewer(block):
            for other in range(index, len(parts)):
                for also in fewer(smaller if other == index else parts[other][1]):
                    blocks = [b for _, b in parts]
                    blocks[index] = smaller
                    blocks[other] = also
                    named = zip((n for n, _ in parts[1:]), blocks[1:], strict=True)
                    yield Program(blocks[0], tuple(named))


def fewer(block: Block) -> Iterator[Block]:
    """Yield the block with operations left out."""
    size = len(block)
    while size > 1:
        size = (size + 1) // 2
        for start in range(0, len(block), size):
            yield block[:start] + block[start + size :]
    if len(block) == 1:
        yield ()
    for number, op in enumerate(block):
        if OPERATIONS[op[0]].has_block:
            yield block[:number] + op[-1] + block[number + 1 :]
            for inner in fewer(op[-1]):
                yield (*block[:number], (*op[:-1], inner), *block[number + 1 :])


def inlined(block: Block, bodies: dict[str, Block]) -> Iterator[Block]:
    """Yield the block with a plain call replaced by what it calls."""
    for number, op in enumerate(block):
        if op[0] == "call" and op[1][0] == "c":
            yield block[:number] + bodies.get(op[1], ()) + block[number + 1 :]
        elif OPERATIONS[op[0]].has_block:
            for inner in inlined(op[-1], bodies):
                yield (*block[:number], (*op[:-1], inner), *block[number + 1 :])


def without_generator(program: Program) -> Iterator[Program]:
    """Yield the program with a coroutine in place of its plain generator."""
    bodies = dict(program.functions)
    if "y0" not in bodies or "c3" in bodies:
        return
    body = tuple(("sleep", "0") if op[0] == "pass_on" else op for op in bodies.pop("y0"))
    if all("c" in OPERATIONS[op[0]].where for op in operations(body)):

        def renamed(block: Block) -> Block:
            return tuple(
                tuple(
                    renamed(part) if isinstance(part, tuple) else part.replace("y0", "c3")
                    for part in op
                )
                for op in block
            )

        bodies["c3"] = body
        functions = tuple(sorted((name, renamed(block)) for name, block in bodies.items()))
        yield Program(renamed(program.phases), functions)


def plainer(block: Block, function: str) -> Iterator[Block]:
    """Yield the block with one value or operation replaced by a simpler one."""
    for number, op in enumerate(block):
        for changed in plainer_op(op, function):
            yield (*block[:number], changed, *block[number + 1 :])


# Operations that consist of another one and something more.
SIMPLER = {
    "caught": "suppressed",
    "run_caught": "run_suppressed",
    "run_suppressed": "run",
    "run_forever_caught": "run_forever_suppressed",
    "run_forever_suppressed": "run_forever",
    "cancel_left": "cancel",
    "wake_and_cancel": "set_result",
    "cancel_and_wake": "set_result",
    "release_and_cancel": "release",
    "cancel_and_release": "release",
    "put_and_cancel": "put_nowait",
    "call_soon": "call_soon_only",
    "call_later": "call_later_only",
    "call_later_only": "call_soon_only",
    "call_at": "call_at_only",
    "call_at_only": "call_later_only",
    "call_soon_context": "call_soon_only",
    "threadsafe_kept": "threadsafe",
    "threadsafe": "call_soon_only",
    "from_thread": "threadsafe",
    "spawn": "spawn_only",
    "spawn_context": "spawn_only",
    "group_spawn": "group_spawn_only",
    "add_callback_context": "add_callback",
    "wait_for": "wait_one",
    "wait_for_call": "call",
    "wait_one": "sleep",
    "ticks": "sleep",
    "pass_on_from": "pass_on",
}


def plainer_op(op: Op, function: str) -> Iterator[Op]:
    """Yield an operation with one change that makes it plainer."""
    kind = OPERATIONS[op[0]]
    if op[0] in SIMPLER:
        other = OPERATIONS[SIMPLER[op[0]]]
        have = dict(zip(kind.fields, op[1:], strict=False))
        drawn = (have.get(f) or values(f, function)[0] for f in other.fields)
        yield (other.name, *drawn, op[-1]) if other.has_block else (other.name, *drawn)
    for position, field in enumerate(kind.fields, 1):
        options = values(field, function)
        at = options.index(op[position]) if op[position] in options else len(options)
        for option in dict.fromkeys(options[:at]):
            yield (*op[:position], option, *op[position + 1 :])
    if kind.has_block:
        for inner in plainer(op[-1], function):
            yield (*op[:-1], inner)
