"""The register of differences, held to the letter on the running Python."""

import sys

import pytest

from miniloop.difftest import known, register

ENTRIES = register.entries()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_shows_where_it_says_and_nowhere_else(entry):
    on_asyncio, on_miniloop = entry.outputs()
    assert on_miniloop, "the program must print something"
    if known.this_python(entry.versions):
        assert on_asyncio != on_miniloop, "no longer shows: take this version out of the entry"
    else:
        assert on_asyncio == on_miniloop


def test_entries_are_complete():
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert entry.standing in register.STANDINGS
        assert entry.versions
        assert entry.reason.strip()
        assert entry.title


def test_each_watch_has_its_entry():
    by_id = {entry.id: entry for entry in ENTRIES}
    for watch, versions in known.WATCHES.items():
        assert by_id[watch].versions == versions


def test_versions(monkeypatch):
    pythons = [(3, 11, 9), (3, 12, 0), (3, 12, 8), (3, 12, 9), (3, 12, 10), (3, 13, 0)]

    def those(*versions):
        for python in pythons:
            monkeypatch.setattr(sys, "version_info", python)
            if known.this_python(versions):
                yield python[1:]

    assert list(those("3.12.0-3.12.8")) == [(12, 0), (12, 8)]
    assert list(those("3.12.9-3.12.99", "3.11")) == [(11, 9), (12, 9), (12, 10)]
    assert list(those("3.12", "3.13")) == [(12, 0), (12, 8), (12, 9), (12, 10), (13, 0)]
