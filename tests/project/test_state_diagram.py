"""The picture of a task's states shows what the table says."""

import importlib.util
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from tests.reading_order import ROOT
from tests.task_states import State, states

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def diagram() -> ModuleType:
    path = ROOT / "docs" / "_extensions" / "state_diagram.py"
    spec = importlib.util.spec_from_file_location("state_diagram", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_state_is_a_box_and_every_way_an_arrow(diagram: ModuleType) -> None:
    drawn = diagram.draw(states(), "The <states>").replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1)
    svg = ET.fromstring(drawn)
    text = " ".join("".join(one.itertext()) for one in svg.iter(f"{SVG}text"))
    ways = [event for state in states() for event, _ in state.ways]
    assert len(svg.findall(f"{SVG}rect")) == len(states()) == 4
    assert len(svg.findall(f"{SVG}path")) == len(ways) == 5
    for words in [*ways, *(state.name for state in states())]:
        assert words in text
    assert svg.findtext(f"{SVG}title") == "The <states>"
    assert "waiting: the future is done or cancelled: ready" in (svg.findtext(f"{SVG}desc") or "")


def test_it_stays_inside_its_frame(diagram: ModuleType) -> None:
    drawn = diagram.draw(
        [
            State("a", "", (("to the next but one, which is far", "c"), ("to the next", "b"))),
            State("b", "", (("back", "a"), ("a long way down", "d"))),
            State("c", "", (("back to the first", "a"), ("back to the second", "b"))),
            State("d", "", ()),
        ],
        "Made up",
    )
    svg = ET.fromstring(drawn)
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    for text in svg.iter("text"):
        length = len(text.text or "") * diagram.LETTER
        x = float(text.attrib["x"])
        left = x - {"start": 0, "middle": length / 2, "end": length}[text.attrib["text-anchor"]]
        assert 0 <= left <= left + length <= width
        assert 0 <= float(text.attrib["y"]) <= height


def test_a_table_that_is_missing_or_wrong_is_refused() -> None:
    with pytest.raises(ValueError, match="no table of states"):
        states("No table here.")
    head = "====  ====  ====\na     b     c\n====  ====  ====\n"
    with pytest.raises(ValueError, match="there is no state 'nowhere'"):
        states(f"{head}x     y     z: *nowhere*\n====  ====  ====\n")
