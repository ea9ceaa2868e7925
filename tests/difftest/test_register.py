"""The register of differences, held to the letter on the running Python."""

import sys

import pytest

from miniloop.difftest import known, register

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
ENTRIES = register.entries()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_shows_where_it_says_and_nowhere_else(entry):
    on_asyncio, on_miniloop = entry.outputs()
    assert on_miniloop, "the program must print something"
    if VERSION in entry.versions:
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
    for watch, fixed_in in known.FIXED_IN.items():
        versions = [v for v in ("3.11", "3.12", "3.13") if tuple(map(int, v.split("."))) < fixed_in]
        assert list(by_id[watch].versions) == versions
