"""Mermaid itself reads every diagram: that of each example, and those of random programs.

The extra `player` brings mermaidx. The test uses one file of it, which is mermaid.min.js of the npm
package `mermaid`, unchanged. A page in chromium loads that file, without a network.
"""

import importlib.util
import random
from pathlib import Path
from typing import Any

import pytest

from miniloop.difftest import quiet
from miniloop.difftest.generate import Generator
from miniloop.trace import mermaid

from .browser import chromium
from .test_formats import EXAMPLES, HOSTILE, document
from .traced import traced_miniloop

PROGRAMS = 100
PARSE = """async texts => {
    const refused = [];
    for (const [name, text] of texts) {
        try {
            const { diagramType } = await mermaid.parse(text);
            if (diagramType !== "sequence") refused.push([name, diagramType]);
        } catch (error) {
            refused.push([name, String(error.message)]);
        }
    }
    return refused;
}"""
TEXTS = """async text => {
    const { svg } = await mermaid.render("drawn", text);
    const page = new DOMParser().parseFromString(svg, "text/html");
    return [...page.querySelectorAll("text")].map(node => node.textContent);
}"""


def open_mermaid(browser: Any) -> Any:
    package = importlib.util.find_spec("mermaidx").submodule_search_locations[0]
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.add_script_tag(path=Path(package, "assets", "mermaid.js"))
    page.evaluate("mermaid.initialize({ startOnLoad: false })")
    return page


def random_diagrams() -> dict[str, str]:
    side = traced_miniloop()
    diagrams = {}
    with quiet():
        for seed in range(PROGRAMS):
            side.run(Generator(random.Random(seed)).program().code())
            diagrams[f"seed {seed}"] = mermaid.rendered(side.document)
    return diagrams


@pytest.mark.long
@pytest.mark.wants("player", "playwright", "mermaidx")
def test_mermaid_reads_every_diagram(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.py"
    hostile.write_text(HOSTILE, encoding="utf-8")
    scripts = [*EXAMPLES, hostile]
    diagrams = {path.stem: mermaid.rendered(document(path, seconds=60.0)) for path in scripts}
    diagrams |= random_diagrams()
    with chromium(request.config) as browser:
        page = open_mermaid(browser)
        assert page.evaluate(PARSE, list(diagrams.items())) == []
        broken = "sequenceDiagram\n    P->>"
        assert [name for name, _ in page.evaluate(PARSE, [["broken", broken]])] == ["broken"]
        texts = page.evaluate(TEXTS, diagrams["hostile"])
    # What means something to Mermaid is shown as it was written.
    assert {"<img src=x onerror=alert(1)>", "end", "a;b#c:d", "participant"} <= set(texts)
    assert any("</script><script>alert(1)</script>" in text for text in texts)
