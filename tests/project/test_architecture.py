"""What the core promises about itself that the import contract in pyproject.toml cannot say."""

import ast
import re
import sys

import pytest

import miniloop
from tests import core
from tests.reading_order import PACKAGE, ROOT, home, modules, path

ROOMS = ("core", "details", "io")


def test_every_file_is_on_the_map() -> None:
    found = [
        *PACKAGE.glob("*.py"),
        *(one for room in ROOMS for one in PACKAGE.glob(f"{room}/*.py")),
    ]
    found = [one for one in found if one.stem not in ("__init__", "__main__")]
    assert {path(module) for module in modules()} == set(found)


def test_core_comes_first_and_begins_with_the_loop() -> None:
    rooms = [module.partition(".")[0] for module in modules()]
    assert list(dict.fromkeys(rooms)) == ["core", "runners", "details", "io"]
    assert modules()[:4] == ("core.loop", "core.handles", "core.futures", "core.tasks")


@pytest.mark.parametrize("module", modules())
def test_the_standard_library_is_enough(module: str) -> None:
    tree = ast.parse(path(module).read_text(encoding="utf-8"))
    roots = {"miniloop"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            roots.add((node.module or "").partition(".")[0])
    assert roots <= {"miniloop", *sys.stdlib_module_names}
    assert "asyncio" not in roots or module == "core.exceptions"


def test_every_test_of_the_core_has_its_place_in_the_order_of_reading() -> None:
    listed = re.findall(r"^    (test_\w+) ", core.__doc__ or "", re.MULTILINE)
    assert listed[0] == "test_ticks_of_gather"
    assert sorted(listed) == sorted(one.stem for one in ROOT.glob("tests/core/test_*.py"))


def test_every_public_name_has_a_home() -> None:
    for name in miniloop.__all__:
        home(name)
