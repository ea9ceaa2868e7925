"""What holds for all tests: which of them run, and what the garbage collector sees.

Tests marked `long` run only if `-m` names them: `-m "long or not long"` runs everything. Tests that
want libraries are marked `wants(EXTRA, MODULE, ...)` and are skipped where a module is missing.
With `--with EXTRA` they run all the same, and fail: so none vanishes where the extra is installed.
"""

import gc
import importlib.util
import os
from pathlib import Path

import pytest

os.environ.pop("COLUMNS", None)  # pytest-xdist sets it, and then miniloop would wrap its lines

ECOSYSTEM = ("aiohttp", "distributed", "fastapi", "httpx", "ipykernel", "llama_index", "nbclient")
ECOSYSTEM += ("trustme", "uvicorn")


def missing(modules: tuple[str, ...]) -> list[str]:
    return [module for module in modules if importlib.util.find_spec(module) is None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--with",
        action="append",
        default=[],
        metavar="EXTRA",
        dest="extras",
        help="this extra is installed: a test that misses a library of it fails",
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    if not left_out(config):
        return []
    absent = ", ".join(missing(ECOSYSTEM))
    return [f"tests/ecosystem is left out, it wants the extra `ecosystem`: no {absent}"]


def left_out(config: pytest.Config) -> bool:
    """Whether tests/ecosystem, whose files import the libraries, must not be looked at."""
    return "ecosystem" not in config.getoption("extras") and bool(missing(ECOSYSTEM))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_ecosystem = collection_path == Path(__file__).with_name("ecosystem")
    return True if is_ecosystem and left_out(config) else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("wants"):
        extra, *modules = mark.args
        absent = missing(tuple(modules))
        if absent and extra not in item.config.getoption("extras"):
            pytest.skip(f"wants {', '.join(absent)} (extra: {extra})")


@pytest.fixture(autouse=True, scope="module")
def collections_look_at_what_is_new() -> None:
    """Hide from the garbage collector what was there before: hundreds of tests collect all."""
    gc.collect()
    gc.freeze()
