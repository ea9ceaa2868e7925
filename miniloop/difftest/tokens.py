"""Write a program as a token: a text of at most 80 characters that stands for it anywhere.

A program is a sequence of choices: which operation comes next, which value a field has, where a
block ends. A token is one long number, of which each choice takes a digit with as many values as
there are options. It depends on the grammar, but not on the version of Python: all operations
count, those that this Python's asyncio lacks as well.

A program that is too long for that is named by its seed and number, and by the table of operations
from which it was drawn, because a newer Python has more of them.

Each token begins with a letter for its kind, a digest of the grammar, and a checksum. So a token of
another release and a token with a slip of the pen are both refused.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import miniloop

from .grammar import DOMAINS, FUNCTIONS, PHASES, TABLE, Operation, domain_of, values
from .programs import Block, Program, operations
from .real_time import DELAYS

LONGEST = 80
"""The most characters of a token."""
MOST_SEED = 2**64
"""Seeds and numbers of programs are smaller than this."""

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
PROGRAM, SEED = "p", "s"
DIGEST, CHECKSUM = 3, 2  # characters

FEATURES: tuple[str, ...] = tuple(dict.fromkeys(op.feature for op in TABLE.values()))
END, OTHER = "end of the block", "a value of another function"
ANYWHERE = DELAYS
"""The delays of programs for loops that run in real time."""

T = TypeVar("T")


@dataclass(frozen=True)
class Drawn:
    """A program, named by what it is drawn from."""

    seed: int
    number: int
    without: frozenset[str] = frozenset()


class Choices(Protocol):
    """Writes choices, or reads them. So one function describes both directions."""

    def one(self, options: Sequence[T], value: Any) -> T:
        """Return one of the options. When choices are written, it is `value`."""


class Writing:
    """Turns choices into a number. Raises ValueError for a value that is no option."""

    def __init__(self) -> None:
        self._digits: list[tuple[int, int]] = []

    def one(self, options: Sequence[T], value: Any) -> T:
        """Note which option the value is."""
        self._digits.append((options.index(value), len(options)))
        found: T = value
        return found

    def number(self) -> int:
        """Return the number. The first choice is its lowest digit."""
        number = 0
        for digit, options in reversed(self._digits):
            number = number * options + digit
        return number


class Reading:
    """Turns a number into the choices that made it."""

    def __init__(self, number: int) -> None:
        self.left = number

    def one(self, options: Sequence[T], value: Any) -> T:
        """Return the next choice."""
        self.left, digit = divmod(self.left, len(options))
        return options[digit]


def token_of(program: Program | None, drawn: Drawn) -> str:
    """Return the token of a program. If it is too long for one, that of what it is drawn from."""
    if program is not None:
        try:
            found = [_text(PROGRAM, _number_of(program, few)) for few in (False, True)]
        except ValueError:  # there is a value in it that the grammar does not have
            found = []
        short = min(found, key=len, default="")
        if short and len(short) <= LONGEST:
            return short
    writing = Writing()
    _drawn(writing, drawn)
    return _text(SEED, writing.number())


def read(token: str) -> Program | Drawn:
    """Return what a token stands for.

    Raises ValueError, with one line for the user, if it is no token, if another release of miniloop
    has made it, or if this Python lacks something that the program needs.
    """
    kind, digest, checksum, digits = token[:1], token[1:4], token[4:6], token[6:]
    if kind not in (PROGRAM, SEED) or not digits or not set(token) <= set(DIGITS):
        raise ValueError(f"{token!r} is no token of `miniloop fuzz`: copy it as a whole")
    if checksum != _digest(digits + kind, CHECKSUM):
        raise ValueError(f"{token!r} is no token of `miniloop fuzz`: a character of it is wrong")
    if digest != _grammar():
        version = miniloop.__version__
        raise ValueError(f"{token!r} is of another release of miniloop, and this one is {version}")
    number = 0
    for digit in reversed(digits):
        number = number * len(DIGITS) + DIGITS.index(digit)
    reading = Reading(number)
    return _drawn(reading, None) if kind == SEED else _known_here(_program(reading, None))


def _known_here(program: Program) -> Program:
    """Return the program, if this Python's asyncio has all of its operations."""
    since = max((op.since for op in _operations_of(program)), default=(3, 0))
    if sys.version_info < since:
        version = ".".join(map(str, since))
        raise ValueError(f"the program of this token needs the asyncio of Python {version}")
    return program


def _operations_of(program: Program) -> list[Operation]:
    blocks = [program.phases, *(block for _, block in program.functions)]
    return [TABLE[op[0]] for block in blocks for op in operations(block)]


def _text(kind: str, number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        digits += DIGITS[digit]
    digits = digits or DIGITS[0]
    return kind + _grammar() + _digest(digits + kind, CHECKSUM) + digits


def _digest(text: str, length: int) -> str:
    """Return so many characters that depend on each character of a text."""
    return "".join(DIGITS[byte % 64] for byte in hashlib.sha256(text.encode()).digest()[:length])


@functools.cache
def _grammar() -> str:
    """Return the digest of everything that a token depends on."""
    table = [(op.name, op.template, op.where, op.feature, op.weight) for op in TABLE.values()]
    return _digest(repr((miniloop.__version__, table, DOMAINS, FUNCTIONS)), DIGEST)


def _number_of(program: Program, few: bool) -> int:
    writing = Writing()
    _program(writing, program, few)
    return writing.number()


def _program(choices: Choices, program: Program | None, few: bool = False) -> Program:
    """Write a program, or read one if it is None.

    If there are few features in it, it pays to say which, and then to choose among their operations
    only.
    """
    used = {op.feature for op in _operations_of(program)} if program is not None else set()
    if choices.one((False, True), few):
        features = [one for one in FEATURES if choices.one((False, True), one in used)]
    else:
        features = list(FEATURES)
    names = (END, *(name for name, op in TABLE.items() if op.feature in features))
    bodies = dict(program.functions) if program is not None else {}
    there = [name for name in FUNCTIONS if choices.one((False, True), name in bodies)]
    phases = _block(choices, PHASES, names, program.phases if program is not None else ())
    blocks = {name: _block(choices, name, names, bodies.get(name, ())) for name in there}
    return Program(phases, tuple(sorted(blocks.items())))


def _block(choices: Choices, function: str, names: Sequence[str], block: Block) -> Block:
    out: list[tuple[Any, ...]] = []
    while True:
        op = block[len(out)] if len(out) < len(block) else (END,)
        name = choices.one(names, op[0])
        if name == END:
            return tuple(out)
        kind = TABLE[name]
        given = dict(zip(kind.fields, op[1:], strict=False))
        made = [_value(choices, field, function, given.get(field)) for field in kind.fields]
        if kind.has_block:
            inner = _block(choices, function, names, op[-1] if len(op) > 1 else ())
            out.append((name, *made, inner))
        else:
            out.append((name, *made))


def _value(choices: Choices, field: str, function: str, value: Any) -> str:
    """Write or read the value of a field. One that was moved to another function may be new."""
    here = tuple(dict.fromkeys(values(field, function)))
    found = choices.one((*here, OTHER), value if value in here else OTHER)
    if found != OTHER:
        return found
    return choices.one(_everywhere(field), value)


@functools.cache
def _everywhere(field: str) -> tuple[str, ...]:
    """Return the values that a field has in any function."""
    found = [value for function in (PHASES, *FUNCTIONS) for value in values(field, function)]
    more = ANYWHERE if domain_of(field) in ("delay", "limit", "pause") else ()
    return tuple(dict.fromkeys([*found, *more]))


def _drawn(choices: Choices, drawn: Drawn | None) -> Drawn:
    versions = sorted({op.since for op in TABLE.values()})
    mine = max(since for since in versions if sys.version_info >= since)
    table = choices.one(versions, mine)
    if table != mine:
        version, latest = (".".join(map(str, one)) for one in (table, mine))
        raise ValueError(
            f"the program of this token was drawn on a Python with the functions of {version}, "
            f"and this one has those of {latest}"
        )
    seed = drawn.seed if drawn is not None else 0
    without = drawn.without if drawn is not None else frozenset()
    size = _whole(choices, abs(seed))
    sign = choices.one((1, -1), -1 if seed < 0 else 1)
    number = _whole(choices, drawn.number if drawn is not None else 0)
    any_left_out = choices.one((False, True), bool(without))
    left_out = [
        one for one in FEATURES if any_left_out and choices.one((False, True), one in without)
    ]
    return Drawn(size * sign, number, frozenset(left_out))


def _whole(choices: Choices, number: int) -> int:
    """Write or read a number, in bytes."""
    length = choices.one(range(9), (number.bit_length() + 7) // 8)
    given = number.to_bytes(length, "little") if number else bytes(length)
    return int.from_bytes([choices.one(range(256), byte) for byte in given], "little")
