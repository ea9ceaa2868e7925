"""The picture of a value's way shows each call of the recorded walk."""

import importlib.util
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from tests.reading_order import ROOT
from tests.walk import YOURS, Visit

SVG = "{http://www.w3.org/2000/svg}"
WAY = [
    Visit("core/loop", "BaseEventLoop._run_once", 0, 1, ("guest", "other"), ""),
    Visit("core/tasks", "Task._run", 1, 1, None, ""),
    Visit(YOURS, "guest", 2, 1, None, "yields the task"),
    Visit("core/futures", "Future.<hostile>", 3, 1, None, ""),
    Visit("core/loop", "BaseEventLoop._run_once", 0, 2, (), ""),
]


@pytest.fixture(scope="module")
def picture() -> ModuleType:
    path = ROOT / "docs" / "_extensions" / "walk_picture.py"
    spec = importlib.util.spec_from_file_location("walk_picture", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_call_is_in_it_and_every_tick_is_a_frame(picture: ModuleType) -> None:
    drawn = picture.draw(WAY, "The <way>").replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1)
    svg = ET.fromstring(drawn)
    texts = ["".join(one.itertext()) for one in svg.iter(f"{SVG}text")]
    for visit in WAY:
        assert f"{visit.name.removeprefix('BaseEventLoop.')}()" in texts
        assert visit.file in texts
    assert "yields the task" in texts
    assert "Tick 1. Ready queue: guest, other" in texts
    assert "Tick 2. Ready queue: nothing" in texts
    assert len(svg.findall(f"{SVG}rect")) == 2
    assert svg.findtext(f"{SVG}title") == "The <way>"
    told = svg.findtext(f"{SVG}desc") or ""
    assert told.startswith("Tick 1, with guest, other in the ready queue: _run_once(), Task._run()")
    assert "guest() yields the task" in told


def test_it_stays_inside_its_frame(picture: ModuleType) -> None:
    svg = ET.fromstring(picture.draw(WAY, "Made up"))
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    for text in svg.iter("text"):
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        assert 0 <= x <= width
        assert 0 <= y <= height
        if text.attrib.get("text-anchor") != "end":
            assert x + len(text.text or "") * picture.LETTER <= width
