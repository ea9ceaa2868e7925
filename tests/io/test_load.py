"""500 connections at once; `python -m tests.load` opens 10,000."""

import subprocess
import sys

import pytest

from tests.load import ROOT, load

CONNECTIONS = 500


@pytest.mark.parametrize("kind", ["miniloop", "interop"])
def test_many_connections(kind: str) -> None:
    result = load(kind, CONNECTIONS)
    assert result.problems() == []
    assert result.at_once == result.connections == CONNECTIONS
    assert result.checked > CONNECTIONS * 1_000


def test_says_how_many_fitted() -> None:
    limited = (
        "import resource, runpy, sys; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (150, 150)); "
        "sys.argv = ['load', '--connections', '200']; "
        "runpy.run_module('tests.load', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)
    told, result = done.stdout.splitlines()
    assert told == "only 50 of 200 connections fit the limit of open files"
    assert result.startswith("50 connections at once, ")
