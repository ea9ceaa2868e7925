"""The pages of the ladder show the rungs as they are."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.ladder.rungs import ROOT, RUNGS

PAGES = sorted((ROOT / "docs" / "ladder").glob("rung-*.rst"))


@pytest.fixture(scope="module")
def text() -> ModuleType:
    path = ROOT / "docs" / "_extensions" / "rung_text.py"
    spec = importlib.util.spec_from_file_location("rung_text", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_rung_has_a_page_with_its_program_output_and_agreement() -> None:
    assert len(PAGES) == len(RUNGS)
    for rung, page in zip(RUNGS, PAGES, strict=True):
        source = page.read_text(encoding="utf-8")
        assert source.startswith(f"Rung {rung.number}: ")
        for directive in ("rung-code", "rung-output", "rung-agreement"):
            assert f".. {directive}:: {rung.number}" in source
        assert set(re.findall(r"^\.\. rung-\w+:: (\d)", source, re.MULTILINE)) == {str(rung.number)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_is_found_by_its_name(page: Path, text: ModuleType) -> None:
    for number, names in re.findall(r"^\.\. rung-code:: (\d)(.*)$", page.read_text(), re.MULTILINE):
        rung = RUNGS[int(number) - 1]
        for name in names.split():
            assert name == "main" or text.source_of(rung, name), name


def test_new_lines_are_those_that_the_rung_before_does_not_have(text: ModuleType) -> None:
    four, five = RUNGS[3:5]
    lines = text.source_of(five, "Task._wakeup")
    new = text.new_lines(five, four, "Task._wakeup")
    assert [lines[number - 1].strip() for number in new] == [
        "try:",
        "future.result()",
        "except BaseException as error:",
        "self._step(error)",
        "else:",
        "self._step()",
    ]
    assert text.new_lines(five, four, "Future.add_done_callback") == []  # nothing is
    assert text.new_lines(five, four, "Task.cancel") == []  # all of it is
    with pytest.raises(ValueError, match=r"rung 4 has no Task\.cancel"):
        text.new_lines(four, RUNGS[2], "Task.cancel")


def test_a_schedule_in_words(text: ModuleType) -> None:
    schedule = {
        "timeouts": [0, 0.01, None],
        "rows": [
            (1, 0, "c0#0", "send -> line 4"),
            (2, 10, "print", "k0 1"),
            (2, 10, "c0#0", "throw CancelledError() -> raised CancelledError()"),
            (3, 10, "main", "ends with Stuck()"),
        ],
    }
    assert text.told(schedule, exact=True) == [
        "tick 1",
        "  c0 waits in line 4",
        "tick 2, wait 0.01 s",
        "  print: k0 1",
        "  CancelledError() into c0 raises CancelledError()",
        "tick 3, wait",
        "  waits for ever",
    ]
    assert text.told(schedule, exact=False)[0] == "c0 waits in line 4"


def test_two_columns_with_an_arrow(text: ModuleType) -> None:
    assert list(text.beside(["a", "b"], ["a"], "rung 1")) == [
        "   asyncio  │ rung 1",
        "   ─────────┼───────",
        "   a        │ a",
        "=> b        │",
    ]


def test_the_program_on_asyncio(text: ModuleType) -> None:
    program = text.on_asyncio(RUNGS[6])
    assert program.startswith("import socket\nfrom asyncio import SelectorEventLoop as EventLoop, ")
    assert program.endswith("loop.close()\n")


@pytest.fixture(scope="module")
def pages() -> list[str]:
    return [page.read_text(encoding="utf-8") for page in PAGES]


def test_every_page_but_the_first_shows_what_its_code_calls(
    text: ModuleType, pages: list[str]
) -> None:
    assert text.rest(RUNGS[:1], pages[:1]) == ({}, {})  # it shows all of its code
    for rung, page in zip(RUNGS[1:], pages[1:], strict=True):
        code, rest = (page.rindex(f".. rung-{what}:: {rung.number}") for what in ("code", "rest"))
        assert rest > code


def test_what_the_code_on_a_page_calls_besides(text: ModuleType, pages: list[str]) -> None:
    new, old = text.rest(RUNGS[:3], pages[:3])
    assert list(new) == ["EventLoop.__init__", "EventLoop.time", "EventLoop.create_task"]
    assert new["EventLoop.time"].startswith("def time(self):\n")
    assert old["EventLoop.call_soon"] == 2
    without_call_soon = [page.replace(" EventLoop.call_soon", "") for page in pages]
    shown_once_more, _ = text.rest(RUNGS[:2], without_call_soon[:2])
    assert "EventLoop.call_soon" in shown_once_more


def test_what_a_page_shows_besides_follows_the_calls(text: ModuleType, pages: list[str]) -> None:
    new, old = text.rest(RUNGS[:5], pages[:5])
    assert "_set_result_unless_cancelled" in new  # sleep() calls it, and main() calls sleep()
    assert "_stop" in new  # run_until_complete() calls it, and has not changed
    assert old["EventLoop.run_until_complete"] == 4
    assert not new.keys() & old.keys()
