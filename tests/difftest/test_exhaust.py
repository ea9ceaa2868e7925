"""Bounded exhaustion: numbering, agreement up to a small size, resuming, the command line."""

import concurrent.futures
import json

import pytest

from miniloop.difftest import exhaust

NAMES = list(exhaust.SUB_GRAMMARS)


@pytest.mark.parametrize("name", NAMES)
def test_every_program_up_to_size_2_agrees(name):
    progress = exhaust.exhaust(name, 2)
    assert progress.compared == progress.total == exhaust.SUB_GRAMMARS[name].count(2)
    assert progress.differing == 0, progress.examples


@pytest.mark.parametrize("name", NAMES)
def test_numbers_name_different_programs(name):
    grammar = exhaust.SUB_GRAMMARS[name]
    programs = [str(program) for program in grammar.programs(2, 0, grammar.count(2))]
    assert len(programs) == len(set(programs)) == grammar.count(2)
    assert [str(program) for program in grammar.programs(2, 30, 40)] == programs[30:40]


@pytest.mark.parametrize("name", NAMES)
def test_a_million_programs_are_there(name):
    assert exhaust.SUB_GRAMMARS[name].count(6) > 1_000_000


def test_resumes_from_its_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(exhaust, "PIECE", 20)
    journal = tmp_path / "tasks.jsonl"
    first = exhaust.exhaust("tasks", 2, journal=journal, most=100)
    assert first.compared == 100
    journal.write_text(journal.read_text() + "[100, 12")  # interrupted while writing
    done = []
    monkeypatch.setattr(exhaust, "compare_piece", counting(exhaust.compare_piece, done))
    second = exhaust.exhaust("tasks", 2, journal=journal, most=160)
    assert done == [100, 120, 140]
    assert second.compared == 160


def counting(function, done):
    def piece(name, size, left, right, start, stop):
        done.append(start)
        return function(name, size, left, right, start, stop)

    return piece


def test_refuses_the_journal_of_another_run(tmp_path, capsys):
    journal = tmp_path / "tasks.jsonl"
    exhaust.exhaust("tasks", 1, journal=journal)
    command = ["locks", "--size", "1", "--jobs", "1", "--journal", str(journal)]
    assert exhaust.main(command) == 2
    assert "another run" in capsys.readouterr().err


def test_takes_any_executor():
    class Inline(concurrent.futures.Executor):
        def submit(self, function, *args):
            future = concurrent.futures.Future()
            future.set_result(function(*args))
            return future

    progress = exhaust.exhaust("locks", 1, executor=Inline())
    assert progress.compared == progress.total


def test_reports_what_differs(monkeypatch, capsys):
    real = exhaust.compare_piece

    def lying(name, size, left, right, start, stop):
        return start, 1, [start]

    monkeypatch.setattr(exhaust, "compare_piece", lying)
    assert exhaust.main(["tasks", "--size", "1", "--jobs", "1"]) == 1
    out = capsys.readouterr().out
    assert "1 differ" in out
    assert "program 0:" in out
    assert real is not lying


def test_journal_is_one_line_a_piece(tmp_path):
    journal = tmp_path / "j"
    exhaust.exhaust("locks", 1, journal=journal)
    head, *pieces = [json.loads(line) for line in journal.read_text().splitlines()]
    assert head["sub_grammar"] == "locks"
    assert pieces == [[0, exhaust.SUB_GRAMMARS["locks"].count(1), 0, []]]
