"""The register of differences, held to the letter on the running Python."""

import ast
import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from miniloop.details import current
from miniloop.difftest import known, quiet, register, side
from miniloop.difftest.programs import FILE_NAME
from tests import asyncio_names

PACKAGE = Path(register.__file__).parent
ENTRIES = register.entries().values()
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)


def printed(source, name):
    """The lines that a program prints on a side, and how it ends, if by an exception."""
    # Forget, on both sides, whether a loop was ever set in this thread.
    asyncio.events._event_loop_policy = None
    current._thread.event_loop = None
    with quiet():
        schedule = side(name).run(compile(source, FILE_NAME, "exec"))
    return [event.what for event in schedule.events if event.who in ("print", "main")]


@each_entry
def test_shows_where_it_says_and_nowhere_else(entry):
    on_asyncio = printed(entry.program, "asyncio-unwatched")
    on_miniloop = printed(entry.program, "miniloop-unwatched")
    assert on_miniloop, "the program must print something"
    if entry.here:
        assert on_asyncio != on_miniloop, "no longer shows: take this version out of the entry"
    else:
        assert on_asyncio == on_miniloop


@each_entry
def test_compare_names_it(entry, tmp_path):
    if not entry.here or entry.untold:
        pytest.skip("not on this Python" if not entry.here else entry.untold)
    script = tmp_path / "program.py"
    script.write_text(entry.program, "utf-8")
    command = [sys.executable, "-m", "miniloop", "compare", str(script)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    named = re.findall(r"^known difference: (\S+):", ended.stdout, re.MULTILINE)
    assert named == [entry.id], ended.stdout + ended.stderr
    assert ended.returncode == 1


def test_entries_are_complete():
    text = (PACKAGE / "differences.toml").read_text("utf-8")
    assert text.count("[[difference]]") == len(ENTRIES), "two entries have one id"
    for entry in ENTRIES:
        assert entry.standing in register.STANDINGS
        assert entry.versions
        assert entry.reason.strip()
        assert entry.title


@each_entry
def test_names_what_it_is_about(entry):
    assert entry.names
    for name in entry.names:
        assert asyncio_names.here(name)
        assert name in asyncio_names.names()
    code = ast.parse(entry.program)
    used = {node.attr for node in ast.walk(code) if isinstance(node, ast.Attribute)}
    if "create_future" in used:
        used.add("Future")  # it makes one
    assert used & {name.rpartition(".")[2] for name in entry.names}, "the program uses none"
    for name in re.findall(r"(?<![\w.])(?:asyncio\.)?([A-Za-z.][\w.]*)\(", entry.title):
        name = name.removeprefix("loop.")
        if asyncio_names.here(name) or asyncio_names.here(f"EventLoop.{name}"):
            assert any(one.endswith(name) for one in entry.names), name
    for name in entry.new:
        path, _, _ = name.partition("(")
        public = path.replace("base_events.Base", "").removesuffix(".__init__")
        assert public in entry.names or not asyncio_names.here(public), name


def test_each_entry_can_be_told_or_says_why_not():
    for entry in ENTRIES:
        assert bool(entry.new or entry.id in known.WATCHES) != bool(entry.untold), entry.id
    assert known.WATCHES.keys() <= register.entries().keys()


def test_versions(monkeypatch):
    pythons = [(3, 11, 9), (3, 12, 0), (3, 12, 8), (3, 12, 9), (3, 12, 10), (3, 13, 0)]

    def those(*versions):
        for python in pythons:
            monkeypatch.setattr(sys, "version_info", python)
            if register.this_python(versions):
                yield python[1:]

    assert list(those("3.12.0-3.12.8")) == [(12, 0), (12, 8)]
    assert list(those("3.12.9-3.12.99", "3.11")) == [(11, 9), (12, 9), (12, 10)]
    assert list(those("3.12.9-3.13.0")) == [(12, 9), (12, 10), (13, 0)]
    assert list(those("3.12", "3.13")) == [(12, 0), (12, 8), (12, 9), (12, 10), (13, 0)]
