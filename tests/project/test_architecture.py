"""What the core promises about itself that the import contract in pyproject.toml cannot say."""

import ast
import re
import sys

import pytest

import miniloop
from tests.reading_order import PACKAGE, core_modules, home

FLAT_FILES = sorted(path.stem for path in PACKAGE.glob("*.py"))


def test_every_flat_file_stands_on_a_floor() -> None:
    assert set(FLAT_FILES) == {*core_modules(), "__init__", "__main__"}


@pytest.mark.parametrize("module", core_modules())
def test_core_imports_the_standard_library_only(module: str) -> None:
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    roots = {"miniloop"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            roots.add((node.module or "").partition(".")[0])
    assert roots <= {"miniloop", *sys.stdlib_module_names}
    assert "asyncio" not in roots or module == "exceptions"


@pytest.mark.parametrize("module", core_modules())
def test_core_module_says_what_it_mirrors(module: str) -> None:
    docstring = ast.get_docstring(ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8")))
    assert docstring, "the file opens with what it is for"
    assert "Mirrors" in docstring, "and with where the same thing stands in CPython"


def test_the_map_in_the_package_docstring_is_the_order_of_the_floors() -> None:
    on_the_map = re.findall(r"^    (\w+)  ", miniloop.__doc__ or "", re.MULTILINE)
    assert on_the_map == list(core_modules())


def test_public_names_come_in_reading_order() -> None:
    order = {name: place for place, name in enumerate(core_modules())}
    places = [order[home(name)] for name in miniloop.__all__]
    assert places == sorted(places)
