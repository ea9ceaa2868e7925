"""Tokens: a program in at most 80 characters, the same on every Python."""

import itertools
import random
import sys

import pytest

from miniloop.difftest import quiet, tokens
from miniloop.difftest.fuzz import numbered_program
from miniloop.difftest.grammar import OPERATIONS, TABLE, values
from miniloop.difftest.programs import Program
from miniloop.difftest.real_time import unhurried, well_apart
from miniloop.difftest.shrink import simpler
from miniloop.difftest.tokens import DIGITS, LONGEST, Drawn, read, token_of

DRAWN = Drawn(-7, 1234, frozenset({"debug", "stop"}))


def program(*ops, **functions):
    bodies = {"c0": ops, **functions}
    return Program((("run", "c0"),), tuple(sorted(bodies.items())))


# Each of Python 3.11 to 3.15 has to make these very digits. They change with the grammar: then put
# in what the failure shows.
SMALL = {
    "2gaPaP": program(("sleep", "0.01")),
    "6gaEQcgoa": program(("spawn", "t1", "c1"), c1=(("sleep", "0"),)),
}


def test_a_program_is_read_back():
    short = 0
    for number in range(300):
        one = numbered_program(5, number)
        token = token_of(one, DRAWN)
        assert len(token) <= LONGEST
        assert set(token) <= set(DIGITS)
        assert read(token) in (one, DRAWN)
        short += read(token) == one
    assert short > 150


def test_what_shrinking_makes_is_read_back():
    rng = random.Random(1)
    with quiet():
        one = well_apart(unhurried(numbered_program(5, 3)))
    for _ in range(40):
        token = token_of(one, DRAWN)
        assert read(token) in (one, DRAWN)
        some = list(itertools.islice(simpler(one), 20))
        if not some:
            break
        one = rng.choice(some)
    assert read(token_of(one, DRAWN)) == one


@pytest.mark.parametrize("name", TABLE)
def test_every_operation_and_value_is_read_back(name):
    op = TABLE[name]
    for function in ("c0", "k0", "g0", "y0"):
        if function[0] not in op.where or not all(values(field, function) for field in op.fields):
            continue
        for number in range(max(len(values(field, function)) for field in (*op.fields, "n"))):
            drawn = [values(field, function) for field in op.fields]
            ops = ((name, *(some[number % len(some)] for some in drawn), *[()] * op.has_block),)
            one = program(**{"c0": (), function: ops})
            token = token_of(one, DRAWN)
            if name in OPERATIONS:
                assert read(token) == one
            else:
                with pytest.raises(ValueError, match="needs the asyncio of Python 3"):
                    read(token)


@pytest.mark.parametrize("digits", SMALL)
def test_a_token_is_the_same_on_every_python(digits):
    assert token_of(SMALL[digits], DRAWN)[6:] == digits


def test_seeds_and_numbers():
    for drawn in (Drawn(0, 0), Drawn(5, 2), DRAWN, Drawn(-(2**63), 2**63)):
        token = token_of(None, drawn)
        assert len(token) <= LONGEST
        assert read(token) == drawn


def test_a_value_that_is_not_in_the_grammar_leads_to_the_seed():
    assert read(token_of(program(("sleep", "0.7")), DRAWN)) == DRAWN


@pytest.mark.parametrize("place", [0, 2, 4, 8])
def test_a_wrong_character_is_noticed(place):
    token = token_of(program(("sleep", "0"), ("sleep", "0.01")), DRAWN)
    wrong = token[:place] + ("x" if token[place] != "x" else "y") + token[place + 1 :]
    with pytest.raises(ValueError, match=r"no token of|of another release"):
        read(wrong)
    with pytest.raises(ValueError, match="no token of"):
        read(token[:-1])


def test_a_token_of_another_release_is_refused(monkeypatch):
    token = token_of(program(("sleep", "0")), DRAWN)
    tokens._grammar.cache_clear()
    monkeypatch.setattr(tokens.miniloop, "__version__", "0.0.7")
    try:
        with pytest.raises(
            ValueError, match=r"of another release of miniloop, and this one is 0.0.7"
        ):
            read(token)
    finally:
        tokens._grammar.cache_clear()


def test_a_program_drawn_from_another_table_is_refused(monkeypatch):
    token = token_of(None, DRAWN)
    monkeypatch.setattr(
        tokens.sys, "version_info", (3, 11) if sys.version_info >= (3, 12) else (3, 15)
    )
    with pytest.raises(ValueError, match="was drawn on a Python with the functions of 3"):
        read(token)
