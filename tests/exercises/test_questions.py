"""What the programs of the book's questions print is what the answers say."""

import asyncio
import builtins
import contextlib
import io
import sys
import tomllib
from types import ModuleType
from typing import Any

import pytest

import miniloop
from miniloop.lab.rules import rules
from tests.reading_order import ROOT

FILE = ROOT / "docs" / "exercises" / "questions.toml"
LEVELS = tomllib.loads(FILE.read_text(encoding="utf-8"))
QUESTIONS = [
    pytest.param(one, id=f"{level}: {one['title']}")
    for level, questions in LEVELS.items()
    for one in questions
]


@pytest.fixture(params=[asyncio, miniloop], ids=lambda module: module.__name__)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """One of the two, which a program gets where it imports asyncio."""
    found: ModuleType = request.param
    monkeypatch.setitem(sys.modules, "asyncio", found)
    return found


@pytest.mark.parametrize("one", QUESTIONS)
def test_prints_what_the_answer_says(one: dict[str, Any], library: ModuleType) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(one["program"], {"__name__": "__main__", "__builtins__": builtins})
    assert out.getvalue().strip() == one["prints"].strip()


def test_there_are_enough_and_each_is_whole() -> None:
    assert len(LEVELS["predict"]) >= 10
    assert len(LEVELS["self-test"]) == 20
    for questions in LEVELS.values():
        titles = [one["title"] for one in questions]
        assert len(set(titles)) == len(titles)
        for one in questions:
            assert one["question"].rstrip().endswith(("?", "."))
            assert one["answer"].rstrip().endswith(".")
            assert one["rules"]
            assert set(one["rules"]) <= rules().keys()
    assert all(one["hint"] for one in LEVELS["predict"])
