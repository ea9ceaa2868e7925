"""Links to the sources: a dead one is found, and every name leads to the file that has it."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.reading_order import ROOT, modules


@pytest.fixture(scope="module")
def links() -> ModuleType:
    path = ROOT / "docs" / "_extensions" / "follow_links.py"
    spec = importlib.util.spec_from_file_location("follow_links", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_links_that_lead_nowhere_are_found(links: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "_modules" / "miniloop" / "core"
    source.mkdir(parents=True)
    (source / "loop.html").write_text('<div id="EventLoop.stop"><a href="../../../api.html">x</a>')
    (tmp_path / "api.html").write_text(
        '<a href="_modules/miniloop/core/loop.html#EventLoop.stop">good</a>'
        '<a href="_modules/miniloop/core/loop.html#EventLoop.no">no such name</a>'
        '<a href="_modules/miniloop/core/no.html">no such file</a>'
        '<a href="elsewhere.html">not ours</a><a href="https://example.org/_modules/x">far</a>'
    )
    dead, reached = links.lead_nowhere(tmp_path)
    assert dead == [
        "api.html: _modules/miniloop/core/loop.html#EventLoop.no",
        "api.html: _modules/miniloop/core/no.html",
    ]
    assert reached == {links.page_of("core.loop")}


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("EventLoop", "miniloop.io.event_loop"),
        ("EventLoop.call_soon", "miniloop.core.loop"),
        ("EventLoop.add_reader", "miniloop.io.descriptors"),
        ("Task.cancel", "miniloop.core.tasks"),
        ("Task.set_name", "miniloop.details.accessors"),
        ("TimerHandle.when", "miniloop.core.handles"),
        ("gather", "miniloop.core.combinators"),
    ],
)
def test_each_name_leads_to_its_file(links: ModuleType, name: str, module: str) -> None:
    assert links.owner("miniloop", name) == module


def test_names_of_others_are_left_to_viewcode(links: ModuleType) -> None:
    assert links.owner("os", "path") is None
    assert links.owner("miniloop", "no_such_name") is None


def test_each_file_of_the_tour_has_its_link() -> None:
    tour = {path.stem for path in (ROOT / "docs" / "tour").glob("*.rst")} - {"index"}
    read = [module for module in modules() if module.startswith(("core.", "runners"))]
    assert tour == {module.rpartition(".")[2] for module in read}
    for module in read:
        page = ROOT / "docs" / "tour" / f"{module.rpartition('.')[2]}.rst"
        text = page.read_text(encoding="utf-8")
        assert f"\n.. tour-file:: {module}\n" in text
        assert text.count(".. admonition:: Answer\n") >= 3
        assert "CPython's counterpart" in text
